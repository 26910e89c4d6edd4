// What is typed beside a slider may lie outside its range: the request has its own bounds and says them in a sentence.
// Gradio would pull the number into the range when the field is left; the event is held back before it gets there.

document.addEventListener(
    "blur",
    (event) => {
        if (event.target.matches?.('.easel-page .head input[type="number"]')) event.stopImmediatePropagation();
    },
    true,
);

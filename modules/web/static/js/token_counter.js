// Counts the tokens of the prompts a moment after the last key.

const COUNT_AFTER_MS = 500;
const countTimers = {};

function countSoon(buttonId) {
    if (opts.disable_token_counters) return;
    clearTimeout(countTimers[buttonId]);
    countTimers[buttonId] = setTimeout(() => countNow(buttonId), COUNT_AFTER_MS);
}

// An event that nobody answers would make Gradio give the page up: while the program is away there is none.
function countNow(buttonId) {
    if (programIsAway) countSoon(buttonId);
    else press(buttonId);
}

function promptsChanged(tab) {
    countSoon(`${tab}_token_button`);
    countSoon(`${tab}_negative_token_button`);
}

document.addEventListener("input", (event) => {
    for (const tab of GENERATION_TABS) {
        if (event.target.closest?.(`#${tab}_prompt`)) countSoon(`${tab}_token_button`);
        if (event.target.closest?.(`#${tab}_neg_prompt`)) countSoon(`${tab}_negative_token_button`);
    }
});

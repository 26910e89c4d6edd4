// Counts the tokens of the prompts a moment after the last key.

const COUNT_AFTER_MS = 500;
const countTimers = {};

function countSoon(buttonId) {
    if (opts.disable_token_counters) return;
    clearTimeout(countTimers[buttonId]);
    countTimers[buttonId] = setTimeout(() => press(buttonId), COUNT_AFTER_MS);
}

function promptsChanged(tab) {
    countSoon(`${tab}_token_button`);
    countSoon(`${tab}_negative_token_button`);
}

document.addEventListener("input", (event) => {
    if (event.target.closest?.("#txt2img_prompt")) countSoon("txt2img_token_button");
    if (event.target.closest?.("#txt2img_neg_prompt")) countSoon("txt2img_negative_token_button");
});

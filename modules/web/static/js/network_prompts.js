// What a card does to the prompts: its text is put in, and taken out again when it is there already.

function literally(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function inAnyCase(word) {
    return word.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
}

// A pattern that finds `text` in a prompt, with the separator before it. Tags of networks are found whatever their
// weight is now, with the words behind them that a card puts there; names of embeddings also in brackets with a weight,
// but not in longer names nor in tags. A backslash makes the sign behind it a part of a name.
function networkPattern(text) {
    const before = `(?:${literally(opts.extra_networks_add_text_separator || " ")}|^|(?<=\\s))`;
    const tag = /^<(\w+):((?:\\.|[^\\:>])+)(?::(?:\\.|[^\\>])*)?>(.*)$/s.exec(text);
    if (tag) {
        const words = tag[3] && `(?:${literally(tag[3])})?`;
        return new RegExp(
            `${before}?<${inAnyCase(tag[1])}:${literally(tag[2])}(?::(?:\\\\.|[^\\\\>])*)?>${words}`,
            "g",
        );
    }
    const name = literally(text);
    const ends = (inside) => `(?<![\\w-]|\\\\.|<\\w+:(?:\\\\.|[^\\\\>])*)${inside}(?![\\w-]|\\\\.)`;
    return new RegExp(`${before}?(?:\\(${name}(?::[\\d.]+)?\\)|${ends(name)})`, "g");
}

function hasNetwork(prompt, text) {
    return networkPattern(text).test(prompt);
}

function withoutNetwork(prompt, text) {
    const separator = opts.extra_networks_add_text_separator || " ";
    const left = prompt.replace(networkPattern(text), "");
    // What stood behind a text at the very beginning keeps no separator before it.
    return !prompt.startsWith(separator) && left.startsWith(separator) ? left.slice(separator.length) : left;
}

function withNetwork(prompt, text) {
    return prompt ? prompt + opts.extra_networks_add_text_separator + text : text;
}

// By tab: the prompt that was written in last.
const lastPrompts = {};

function promptField(tab, name) {
    return document.querySelector(`#${tab}_${name} textarea`);
}

document.addEventListener("focusin", (event) => {
    for (const tab of GENERATION_TABS) {
        for (const name of ["prompt", "neg_prompt"]) {
            if (event.target === promptField(tab, name)) lastPrompts[tab] = name;
        }
    }
});

function changePrompt(field, text, isThere = hasNetwork(field.value, text)) {
    field.value = isThere ? withoutNetwork(field.value, text) : withNetwork(field.value, text);
    updateInput(field);
}

// The name and the order of the arguments are the field's. A text that may stand anywhere goes where somebody wrote last.
function cardClicked(tab, text, negative, anywhere) {
    const field = promptField(tab, anywhere ? (lastPrompts[tab] ?? "prompt") : "prompt");
    const isThere = hasNetwork(field.value, text);
    changePrompt(field, text, isThere);
    const other = promptField(tab, "neg_prompt");
    if (negative && hasNetwork(other.value, negative) === isThere) changePrompt(other, negative, isThere);
}

function cardIsUsed(tab, text, anywhere) {
    const names = anywhere ? ["prompt", "neg_prompt"] : ["prompt"];
    return Boolean(text) && names.some((name) => hasNetwork(promptField(tab, name).value, text));
}

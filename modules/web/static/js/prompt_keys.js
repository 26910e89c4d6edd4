// Keys in the prompts. Ctrl+Up and Ctrl+Down change the emphasis of the selection or of the word at the cursor,
// Alt+Left and Alt+Right move the comma-separated chunk at the cursor; Ctrl+Enter generates wherever one is.

const WHITESPACE = { Tab: "\t", "Carriage Return": "\r", "Line Feed": "\n" };

function wordDelimiters() {
    const spaces = (opts.keyedit_delimiters_whitespace ?? []).map((name) => WHITESPACE[name]);
    return (opts.keyedit_delimiters ?? " .,") + spaces.join("");
}

function isPrompt(element) {
    return element?.tagName === "TEXTAREA" && Boolean(element.closest(".prompt"));
}

// The selection, or the word around the cursor: [start, end).
function wordAround(text, start, end) {
    if (start !== end) return [start, end];
    const ends = wordDelimiters();
    while (start > 0 && !ends.includes(text[start - 1])) start--;
    while (end < text.length && !ends.includes(text[end])) end++;
    return [start, end];
}

// The sign at a position; "" for one behind a backslash, which has no meaning.
function signAt(text, position) {
    const backslashes = /\\*$/.exec(text.slice(Math.max(0, position - 100), position))[0].length;
    return backslashes % 2 ? "" : text[position];
}

// The bracket around `start`..`end` on one nesting level: [open, close] positions, or null.
function enclosing(text, start, end, open, close) {
    let depth = 0;
    let left = start - 1;
    for (; left >= 0; left--) {
        const sign = signAt(text, left);
        if (sign === close) depth++;
        if (sign === open && depth-- === 0) break;
    }
    depth = 0;
    let right = end;
    for (; right < text.length; right++) {
        const sign = signAt(text, right);
        if (sign === open) depth++;
        if (sign === close && depth-- === 0) break;
    }
    return left >= 0 && right < text.length ? [left, right] : null;
}

function rounded(weight) {
    return String(Number(weight.toFixed(10)));
}

// A text with the emphasis at `start`..`end` changed by `step`, and the selection afterwards.
// (word:1.1) is changed in place; brackets without a weight count as 1.1; weight 1 takes the brackets away;
// <lora:name:0.8> changes its number.
function changeEmphasis(text, start, end, up, step, networkStep) {
    const tag = enclosing(text, start, end, "<", ">");
    if (tag) return changeNumber(text, tag, up ? networkStep : -networkStep, start, end);
    const bracket = enclosing(text, start, end, "(", ")");
    if (bracket) return changeWeight(text, bracket, up ? step : -step);
    [start, end] = wordAround(text, start, end);
    while (end > start && text[end - 1] === " ") end--;
    if (start === end) return null;
    const weight = 1 + (up ? step : -step);
    const changed = `(${text.slice(start, end)}:${rounded(weight)})`;
    return { text: text.slice(0, start) + changed + text.slice(end), start: start + 1, end: end + 1 };
}

function changeWeight(text, [open, close], change) {
    const inside = text.slice(open + 1, close);
    const found = inside.match(/^(.*):\s*(-?[\d.]+)\s*$/s);
    const words = found ? found[1] : inside;
    const weight = (found ? Number(found[2]) : 1.1) + change;
    const plain = Math.abs(weight - 1) < 1e-9;
    const changed = plain ? words : `(${words}:${rounded(weight)})`;
    const start = open + (plain ? 0 : 1);
    return { text: text.slice(0, open) + changed + text.slice(close + 1), start, end: start + words.length };
}

function changeNumber(text, [open, close], change, start, end) {
    const found = text.slice(open, close).match(/^(<[^:]+:(?:\\.|[^\\:])+):(-?[\d.]+)(.*)$/s);
    if (!found) return null;
    const changed = `${found[1]}:${rounded(Number(found[2]) + change)}${found[3]}`;
    return { text: text.slice(0, open) + changed + text.slice(close), start, end };
}

// A text with the chunk at the selection swapped with its neighbour, and the selection moved along.
function moveChunk(text, start, end, toRight) {
    const chunks = text.split(",");
    let position = 0;
    const first = chunks.findIndex((chunk) => (position += chunk.length + 1) > start);
    const other = first + (toRight ? 1 : -1);
    if (first < 0 || other < 0 || other >= chunks.length) return null;
    const bare = (chunk) => chunk.trim();
    const [a, b] = [bare(chunks[first]), bare(chunks[other])];
    chunks[first] = chunks[first].replace(a, () => b);
    chunks[other] = chunks[other].replace(b, () => a);
    const before = chunks.slice(0, other).reduce((length, chunk) => length + chunk.length + 1, 0);
    const at = before + chunks[other].length - chunks[other].trimStart().length;
    return { text: chunks.join(","), start: at, end: at + a.length };
}

function putText(field, change) {
    if (!change) return;
    field.value = change.text;
    field.selectionStart = change.start;
    field.selectionEnd = change.end;
    updateInput(field);
}

function promptKey(event) {
    const field = event.target;
    if (!isPrompt(field)) return;
    const [text, start, end] = [field.value, field.selectionStart, field.selectionEnd];
    const control = event.ctrlKey || event.metaKey;
    if (control && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        const step = opts.keyedit_precision_attention ?? 0.1;
        const networkStep = opts.keyedit_precision_extra ?? 0.05;
        event.preventDefault();
        putText(field, changeEmphasis(text, start, end, event.key === "ArrowUp", step, networkStep));
    } else if (opts.keyedit_move && event.altKey && !control && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
        event.preventDefault();
        putText(field, moveChunk(text, start, end, event.key === "ArrowRight"));
    }
}

function actionKey(event) {
    const tab = get_uiCurrentTabContent()?.id.replace("tab_", "");
    if (!byId(`${tab}_generate`) || document.querySelector(".dialog.open, #lightboxModal.open")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        press(`${tab}_generate`);
    } else if (event.key === "Enter" && event.altKey) {
        event.preventDefault();
        press(`${tab}_skip`);
    } else if (event.key === "Escape" && !event.target.matches?.('[role="combobox"]')) {
        press(`${tab}_interrupt`);
    }
}

document.addEventListener("keydown", promptKey);
document.addEventListener("keydown", actionKey);

// The bin keeps what it took last, over a reload too: pressed again it brings that back.
function clearPrompts(tab) {
    const written = [getText(`${tab}_prompt`), getText(`${tab}_neg_prompt`)];
    const key = `easel.bin.${tab}`;
    setTimeout(() => promptsChanged(tab));
    if (!written.some(Boolean)) return localGet(key, written);
    if (!confirm("Clear both prompts?")) return written;
    localSet(key, written);
    showNotice("Both prompts are cleared. Ctrl+Z, or the same button again, brings them back.", "info");
    return ["", ""];
}

// Undo in the prompts. Browsers forget what was typed when a script writes into a field, as keys, cards, the bin, Gradio and
// extensions do: so each prompt has a history of its own, which takes in typing and writing alike. What one action wrote
// into several prompts of a tab is taken back in all of them.

const HISTORY_MOST = 200;
const TYPING_PAUSE_MS = 1000;
const ONE_ACTION_MS = 300;
const plainValue = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");

const promptHistories = new Map();
let action = 0;
let actionAt = -Infinity;

// What scripts write shortly after each other is one action.
function actionNow() {
    if (performance.now() - actionAt > ONE_ACTION_MS) action++;
    actionAt = performance.now();
    return action;
}

class PromptHistory {
    constructor(field) {
        this.field = field;
        this.page = field.closest(".easel-page, .dialog");
        this.forget();
        const history = this;
        Object.defineProperty(field, "value", {
            configurable: true,
            get: plainValue.get,
            set(text) {
                history.noteSelection();
                plainValue.set.call(this, text);
                history.note(null);
            },
        });
        field.addEventListener("beforeinput", (event) => this.beforeInput(event));
        field.addEventListener("input", (event) => this.note(event.isTrusted ? event.inputType : null));
    }

    forget() {
        [this.past, this.future, this.kind, this.changedAt] = [[], [], null, -Infinity];
        this.now = { text: plainValue.get.call(this.field), start: 0, end: 0 };
    }

    noteSelection() {
        this.now.start = this.field.selectionStart;
        this.now.end = this.field.selectionEnd;
    }

    beforeInput(event) {
        const step = { historyUndo: this.past, historyRedo: this.future }[event.inputType];
        if (!step) return this.noteSelection();
        event.preventDefault();
        goBack(this, step === this.future);
    }

    // The field has another text. `kind`: how it was typed; null where a script wrote it.
    note(kind) {
        const text = plainValue.get.call(this.field);
        if (text === this.now.text) return;
        if (!this.goesOn(kind, text)) {
            this.past.push({ ...this.now, action: kind ? null : actionNow() });
            this.past.splice(0, this.past.length - HISTORY_MOST);
        }
        this.future = [];
        this.now = { text, start: this.field.selectionStart, end: this.field.selectionEnd };
        [this.kind, this.changedAt] = [kind, performance.now()];
    }

    // Letters typed one after the other are one step, a word at a time.
    goesOn(kind, text) {
        const isSame = kind && kind === this.kind && performance.now() - this.changedAt < TYPING_PAUSE_MS;
        const isOneLetter = Math.abs(text.length - this.now.text.length) === 1;
        return isSame && isOneLetter && !/\s/.test(this.now.text[this.now.start - 1] ?? " ");
    }

    // The action whose writing would be taken back (or brought again) next; undefined: there is nothing.
    next(isForward) {
        return (isForward ? this.future : this.past).at(-1)?.action;
    }

    step(isForward) {
        const [from, to] = isForward ? [this.future, this.past] : [this.past, this.future];
        const state = from.pop();
        this.noteSelection();
        to.push({ ...this.now, action: state.action });
        this.now = { text: state.text, start: state.start, end: state.end };
        this.kind = null;
        plainValue.set.call(this.field, state.text);
        this.field.setSelectionRange(state.start, state.end);
        updateInput(this.field);
    }
}

function goBack(history, isForward) {
    const ofAction = history.next(isForward);
    if (ofAction === undefined) return;
    const together = ofAction === null ? [] : historiesOf(history.page).filter((other) => other !== history);
    for (const each of [history, ...together.filter((other) => other.next(isForward) === ofAction)]) each.step(isForward);
}

function historiesOf(page) {
    return Array.from(promptHistories.values()).filter((history) => history.page === page);
}

// Where no field has the focus, as after the bin or a card: the last writing of a script in the tab that is seen.
function lastWritten(isForward) {
    const written = historiesOf(get_uiCurrentTabContent()).filter((history) => history.next(isForward));
    return written.sort((a, b) => b.changedAt - a.changedAt)[0];
}

function historyKey(event) {
    const key = event.key.toLowerCase();
    const isUndo = (event.ctrlKey || event.metaKey) && !event.altKey && (key === "z" || key === "y");
    if (!isUndo || event.defaultPrevented || event.isComposing) return;
    const own = promptHistories.get(event.target);
    if (!own && (isTypedInto(event.target) || topLayer())) return;
    const isForward = key === "y" || event.shiftKey;
    const history = own ?? lastWritten(isForward);
    if (own || history) event.preventDefault();
    if (history) goBack(history, isForward);
}

function followPrompts() {
    for (const field of document.querySelectorAll(".prompt textarea")) {
        if (!promptHistories.has(field)) promptHistories.set(field, new PromptHistory(field));
    }
    for (const field of promptHistories.keys()) if (!field.isConnected) promptHistories.delete(field);
}

// What a reload brought back is where histories begin.
function beginHistories(tab) {
    historiesOf(byId(`tab_${tab}`)).forEach((history) => history.forget());
}

onUiLoaded(followPrompts);
onAfterUiUpdate(followPrompts);
document.addEventListener("keydown", historyKey);

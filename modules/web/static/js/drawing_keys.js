// Keys of the editors, for the one under the pointer: [ and ] change the size of the brush or eraser, B and E choose between
// them, Ctrl+Z takes a stroke back, Ctrl+Shift+Z or Ctrl+Y brings it again. They press the editor's own buttons, which are
// known by their places: their names change with the language of the browser.

const BRUSH_GROWTH = 1.25;
const TOP_BUTTONS = { undo: 3, redo: 4 };
const SIDE_BUTTONS = { brush: 0, eraser: 1 };

function editorButton(editorId, panel, number) {
    return document.querySelectorAll(`#${editorId} ${panel} button[aria-label]`)[number];
}

// The slider is there while its panel is open: the last of the tools opens it, and the next stroke closes it.
async function resizeBrush(editorId, factor) {
    const tools = document.querySelectorAll(`#${editorId} .toolbar-wrap button[aria-label]`);
    if (tools.length <= 2) return; // the hand moves the picture: there is no brush
    const slider = () => document.querySelector(`#${editorId} .toolbar-wrap input[type=range]`);
    if (!slider()) tools[tools.length - 1].click();
    await twoFrames();
    const size = Number(slider().value);
    const grown = Math.round(size * factor);
    slider().value = grown === size ? size + Math.sign(factor - 1) : grown;
    updateInput(slider());
}

// One after another: each starts from the size that the one before has left.
let brushTurn = Promise.resolve();

function resizeBrushInTurn(editorId, factor) {
    brushTurn = brushTurn.then(() => resizeBrush(editorId, factor)).catch((error) => showNotice(error.message));
}

// What a key does to an editor, or undefined.
function editorAction(event) {
    const key = event.key.toLowerCase();
    const top = (name) => (id) => editorButton(id, ".top-panel", TOP_BUTTONS[name]).click();
    const side = (name) => (id) => editorButton(id, ".toolbar-wrap", SIDE_BUTTONS[name]).click();
    if (event.altKey) return undefined;
    if (event.ctrlKey || event.metaKey) {
        if (key === "z") return top(event.shiftKey ? "redo" : "undo");
        return key === "y" ? top("redo") : undefined;
    }
    const plain = {
        "[": (id) => resizeBrushInTurn(id, 1 / BRUSH_GROWTH),
        "]": (id) => resizeBrushInTurn(id, BRUSH_GROWTH),
        b: side("brush"),
        e: side("eraser"),
    };
    return plain[key];
}

function isTypedInto(element) {
    return element.matches("textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])");
}

document.addEventListener("keydown", (event) => {
    const well = Object.values(pictureWells).find((well) => well.held && well.desk?.matches(":hover"));
    const act = well && !isTypedInto(event.target) && editorAction(event);
    if (!act) return;
    event.preventDefault();
    act(well.editorId);
    well.noteStroke();
});

// Width and height begin as what the checkpoint was trained at, and follow it as long as nobody has changed them: also when
// another browser or the API chose another one. What `ui-config.json` sets stays.

// [width, height]; null until the server has told.
let nativeSize = null;
let shownCheckpoint = null;

// By tab: which of the two follow.
const freeSides = {};

// Of the checkpoint in use: title, version, size in bytes, width and height in pixels.
async function askCheckpoint() {
    return getJson("internal/web/checkpoint").catch(() => ({}));
}

const firstCheckpoint = askCheckpoint();

// `values`: the form's by their names, as they were kept. Nothing where they are to stay as they are.
function followedSize(sides, values, before) {
    const sizeOf = (side, size) => size[side === "width" ? 0 : 1];
    const isNew = sides.every((side) => values[side] === undefined);
    const isUntouched = before && sides.every((side) => values[side] === sizeOf(side, before));
    if (!nativeSize || !(isNew || isUntouched)) return {};
    return Object.fromEntries(sides.map((side) => [side, sizeOf(side, nativeSize)]));
}

function takeNativeSize({ title, width, height }) {
    shownCheckpoint = title ?? shownCheckpoint;
    const before = nativeSize;
    if (!width || !height || same([width, height], before)) return;
    nativeSize = [width, height];
    const edited = localGet(EDITING_KEY)?.tab;
    for (const tab of recalledForms) {
        const sides = freeSides[tab] ?? [];
        const values = Object.fromEntries(sides.map((side) => [side, sliderValue(`${tab}_${side}`)]));
        if (tab === edited || !before) continue;
        for (const [side, pixels] of Object.entries(followedSize(sides, values, before))) setText(`${tab}_${side}`, pixels);
    }
}

// The menus above the tabs, of the hires pass and of the refiners show what is there and what is chosen.
function checkpointIsTold({ checkpoint }) {
    if (checkpoint !== shownCheckpoint) press("change_checkpoint");
}

// What was changed while the page did not listen is asked for.
async function catchUpWithCheckpoint() {
    const { title } = await askCheckpoint();
    if (title && shownCheckpoint && title !== shownCheckpoint) press("change_checkpoint");
}

onUiLoaded(() => {
    onSettingsNews(checkpointIsTold);
    onConnection((isBack) => isBack && catchUpWithCheckpoint());
});

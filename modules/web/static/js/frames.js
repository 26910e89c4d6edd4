// An idle page draws no frames. Two parts of Gradio would ask for one after another for ever.

const LOADING_SCREEN_MS = 3000;
const LATE_FRAME_MS = 30000;
const EDITORS_REST_MS = 2000;

// Gradio's loading screen counts seconds, and goes on counting after it has gone. Its frames come from this file of
// Gradio's before there is a page, and by themselves again: once the page is there they come rarely.
const LOADING_FILE = "/assets/statustracker-";
const askFrame = window.requestAnimationFrame;
let isLoadingFrame = false;
let loadingIsOver = false;

function beginsLoadingScreen() {
    return !loadingIsOver && !byId("tabs") && new Error().stack.includes(LOADING_FILE);
}

function loadingFrame(callback) {
    return (time) => {
        isLoadingFrame = true;
        try {
            callback(time);
        } finally {
            isLoadingFrame = false;
        }
    };
}

window.requestAnimationFrame = function (callback) {
    if (!isLoadingFrame && !beginsLoadingScreen()) return askFrame.call(window, callback);
    if (!loadingIsOver) return askFrame.call(window, loadingFrame(callback));
    setTimeout(() => askFrame.call(window, loadingFrame(callback)), LATE_FRAME_MS);
    return 0;
};

onUiLoaded(() => setTimeout(() => (loadingIsOver = true), LOADING_SCREEN_MS));

// The editors' library, PixiJS, keeps a clock beside the ones of its editors, which Gradio stops when nobody paints. It
// rests with them. PixiJS calls this function, made for its own developer tools, for every editor.
let editorsClock = null;
let editorsTimer = null;
let editorsWokeAt = 0;

window.__PIXI_APP_INIT__ = async function (editor) {
    await null; // the editor has its own clock a moment later
    if (!editor.ticker) return;
    editorsClock = editor.ticker.constructor.system;
    editor.ticker.add(wakeEditors);
    wakeEditors();
};

// Called at every frame of an editor at work.
function wakeEditors() {
    editorsWokeAt = performance.now();
    if (!editorsClock.started) editorsClock.start();
    editorsTimer ??= setTimeout(restEditors, EDITORS_REST_MS);
}

function restEditors() {
    const left = editorsWokeAt + EDITORS_REST_MS - performance.now();
    editorsTimer = left > 0 ? setTimeout(restEditors, left) : null;
    if (left <= 0) editorsClock.stop();
}

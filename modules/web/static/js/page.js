// What every script of the page stands on: finding elements, being told when the page is there or has changed, and
// making Gradio notice a value that a script has set. The names are the ones that extensions know.

const GENERATION_TABS = ["txt2img", "img2img"];

function gradioApp() {
    return document;
}

function byId(id) {
    return document.getElementById(id);
}

const uiLoadedCallbacks = [];
const uiUpdateCallbacks = [];
const uiAfterUpdateCallbacks = [];
const uiTabChangeCallbacks = [];

function executeCallbacks(callbacks, argument) {
    for (const callback of callbacks) {
        try {
            callback(argument);
        } catch (error) {
            console.error("A callback of the page failed:", error);
        }
    }
}

let uiIsLoaded = false;

function onUiLoaded(callback) {
    if (uiIsLoaded) callback();
    else uiLoadedCallbacks.push(callback);
}

function onUiUpdate(callback) {
    uiUpdateCallbacks.push(callback);
}

function onAfterUiUpdate(callback) {
    uiAfterUpdateCallbacks.push(callback);
}

function onUiTabChange(callback) {
    uiTabChangeCallbacks.push(callback);
}

let afterUpdateTimer = null;

// Gradio brings each kind of component into the page when its code has arrived: the page is there with the last of them.
let missingIds = null;

function everythingIsThere() {
    missingIds ??= window.gradio_config?.components?.map((component) => component.props?.elem_id).filter(Boolean) ?? null;
    missingIds = missingIds?.filter((id) => !byId(id)) ?? null;
    return missingIds?.length === 0;
}

function announceLoaded() {
    if (uiIsLoaded) return;
    uiIsLoaded = true;
    showTheme();
    if (missingIds?.length) console.warn("Not in the page:", missingIds);
    executeCallbacks(uiLoadedCallbacks);
}

// What has not come when nothing has happened for so long never will, and the page goes on without it.
const MISSING_MS = 15000;
let missingTimer = null;

function pageChanged(records) {
    if (!uiIsLoaded) {
        showTheme();
        clearTimeout(missingTimer);
        if (!everythingIsThere()) {
            missingTimer = setTimeout(() => byId("footer") && announceLoaded(), MISSING_MS);
            return;
        }
        announceLoaded();
    }
    executeCallbacks(uiUpdateCallbacks, records);
    clearTimeout(afterUpdateTimer);
    afterUpdateTimer = setTimeout(() => executeCallbacks(uiAfterUpdateCallbacks), 200);
}

new MutationObserver(pageChanged).observe(document.documentElement, { childList: true, subtree: true });

// Gradio reads a control when its input event comes; assigning `value` alone goes unnoticed.
function updateInput(target) {
    target.dispatchEvent(new Event("input", { bubbles: true }));
}

function setText(id, text) {
    const field = document.querySelector(`#${id} textarea, #${id} input`);
    field.value = text;
    updateInput(field);
}

function getText(id) {
    return document.querySelector(`#${id} textarea, #${id} input`)?.value ?? "";
}

function press(id) {
    byId(id)?.click();
}

function randomId() {
    const letters = Array.from(crypto.getRandomValues(new Uint8Array(15)), (byte) => (byte % 36).toString(36));
    return `task(${letters.join("")})`;
}

function localGet(key, otherwise = null) {
    try {
        return JSON.parse(localStorage.getItem(key)) ?? otherwise;
    } catch {
        return otherwise;
    }
}

function localSet(key, value) {
    try {
        localStorage.setItem(key, JSON.stringify(value));
    } catch (error) {
        console.warn("The browser keeps no values for this page:", error);
    }
}

// The JSON that the server answers. Throws its sentence when it refuses (with `field`, and `memory` where that is what is
// short), and an error with `isAway` when nobody answers.
async function askJson(address, request) {
    let answer, found;
    try {
        answer = await fetch(address, request);
        found = answer.status === 204 ? null : await answer.json();
    } catch {
        throw Object.assign(new Error("The program does not answer. Look whether it still runs."), { isAway: true });
    }
    if (!answer.ok) {
        const { field, memory } = found;
        throw Object.assign(new Error(found.detail || answer.statusText), { field, memory });
    }
    return found;
}

function getJson(address) {
    return askJson(address, { cache: "no-store" });
}

function sendJson(method, address, body) {
    const headers = { "Content-Type": "application/json" };
    return askJson(address, { method, headers, body: JSON.stringify(body) });
}

function postJson(address, body) {
    return sendJson("POST", address, body);
}

// The theme: `?__theme=` wins, then what was chosen with the button, then `--theme`, then the system's.
// Gradio puts the system's in its place while it lays the page out.
let wantedTheme = localGet("easel.theme") || document.querySelector('meta[name="easel-theme"]')?.content;
if (new URL(location.href).searchParams.has("__theme")) wantedTheme = null;

function showTheme() {
    if (wantedTheme) document.body.classList.toggle("dark", wantedTheme === "dark");
}

showTheme();

function set_theme(name) {
    localSet("easel.theme", name);
    wantedTheme = name;
    showTheme();
}

onUiLoaded(() => {
    byId("toggle-theme")?.addEventListener("click", () => {
        set_theme(document.body.classList.contains("dark") ? "light" : "dark");
    });
    for (const tab of GENERATION_TABS) document.querySelector(`#${tab}_styles input`).placeholder = "Styles";
    // A tool button shows only its icon: its name becomes the tooltip.
    for (const button of document.querySelectorAll("button.tool")) {
        button.title ||= button.textContent.trim();
        button.setAttribute("aria-label", button.title);
    }
});

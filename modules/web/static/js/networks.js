// The tabs of cards beside Generation: opening them, and what their cards do.

const MARK_AFTER_MS = 150;

// By their elements.
const networkPanes = new Map();

// The checkpoint that the menu above the tabs shows, without its hash.
function checkpointInUse() {
    const shown = document.querySelector("#setting_sd_model_checkpoint input")?.value ?? "";
    return shown.replace(/\s*\[[0-9a-f]+\]$/, "");
}

// The name is the field's.
async function selectCheckpoint(name) {
    await setHidden("checkpoint_to_choose", name);
    press("choose_checkpoint");
}

function cardPressed(pane, event) {
    if (event.target.closest("a")) return;
    const card = event.target.closest(".card");
    if (!card) return;
    const { kind, name, path, prompt, negative, anywhere } = card.dataset;
    if (event.target.closest(".copy-path-button")) return extraNetworksCopyCardPath(event, path);
    if (event.target.closest(".metadata-button")) return showNetworkMetadata(kind, name);
    if (event.target.closest(".edit-button")) return editNetwork(pane.tab, kind, name);
    if (kind === "checkpoints") return selectCheckpoint(name);
    cardClicked(pane.tab, prompt, negative, anywhere);
    pane.mark();
}

async function extraNetworksCopyCardPath(event, path) {
    event?.stopPropagation();
    try {
        await navigator.clipboard.writeText(path);
        showNotice(`Copied: ${path}`, "info");
    } catch {
        showNotice(`The browser does not let this page copy. The path is: ${path}`, "info");
    }
}

// One card anew, in every pane that shows it. The name and the arguments are the field's.
async function extraNetworksRefreshSingleCard(page, tab, name) {
    const asked = new URLSearchParams({ page, tabname: tab, name });
    const { html } = await getJson(`sd_extra_networks/get-single-card?${asked}`);
    for (const pane of networkPanes.values()) {
        const old = Array.from(pane.cards.children).find((card) => card.dataset.name === name && pane.kind === page);
        if (!old) continue;
        const fresh = document.createElement("template");
        fresh.innerHTML = html;
        old.replaceWith(fresh.content);
        pane.mark();
    }
}

function openPanes() {
    return Array.from(networkPanes.values()).filter((pane) => pane.isOpen());
}

function showGeneration(tab) {
    chooseNetworkPage(tab, `${tab}_generation_page`);
}

function chooseNetworkPage(tab, pageId) {
    choosePage(document.querySelector(`#${tab}_extra_tabs > .tab-nav`), pageId);
    openPanes().forEach((pane) => pane.open());
}

// Which cards fit follows from the checkpoint, and what they put into prompts from settings.
let knownCheckpoint = null;

function cardsAreStale() {
    for (const pane of networkPanes.values()) pane.isStale = true;
    openPanes().forEach((pane) => pane.load({ keepsPlace: true }));
}

function noticeCheckpoint() {
    const checkpoint = checkpointInUse();
    if (checkpoint === knownCheckpoint) return;
    knownCheckpoint = checkpoint;
    cardsAreStale();
}

// Beside the name of the menu: for which version of Stable Diffusion it is, and how large.
async function showCheckpointFacts() {
    const label = document.querySelector('#setting_sd_model_checkpoint [data-testid="block-info"]');
    const facts = label.querySelector(".checkpoint-facts") ?? element("span", "checkpoint-facts");
    const checkpoint = await askCheckpoint();
    takeNativeSize(checkpoint);
    const { version, size } = checkpoint;
    facts.textContent = [version === "Unknown" ? "" : version, size ? formatSize(size) : ""].filter(Boolean).join(" · ");
    label.append(facts);
}

// Gradio shows what an event has answered a moment after it.
function checkpointMayHaveChanged() {
    showCheckpointFacts();
    setTimeout(noticeCheckpoint, MARK_AFTER_MS);
}

function sizeCards() {
    const style = document.documentElement.style;
    const set = (name, value) => (value ? style.setProperty(name, value) : style.removeProperty(name));
    set("--card-width", opts.extra_networks_card_width && `${opts.extra_networks_card_width}px`);
    set("--card-height", opts.extra_networks_card_height && `${opts.extra_networks_card_height}px`);
    style.setProperty("--card-text-scale", opts.extra_networks_card_text_scale);
}

function orderNetworkTabs() {
    const wanted = opts.ui_extra_networks_tab_reorder.toLowerCase().split(",").map((part) => part.trim()).filter(Boolean);
    const place = (button) => {
        const found = wanted.findIndex((part) => button.textContent.toLowerCase().includes(part));
        return found < 0 ? wanted.length : found;
    };
    for (const tab of GENERATION_TABS) {
        const bar = document.querySelector(`#${tab}_extra_tabs > .tab-nav`);
        const [, ...buttons] = tabButtons(bar);
        bar.append(...buttons.sort((a, b) => place(a) - place(b)));
    }
}

onUiLoaded(() => {
    for (const element of document.querySelectorAll(".network-pane")) networkPanes.set(element, new NetworkPane(element));
    for (const tab of GENERATION_TABS) bindTabBar(`${tab}_extra_tabs`, (pageId) => chooseNetworkPage(tab, pageId));
});

onOptionsAvailable(() => {
    sizeCards();
    orderNetworkTabs();
    knownCheckpoint = checkpointInUse();
    showCheckpointFacts();
    for (const pane of networkPanes.values()) pane.takeDefaults();
    openPanes().forEach((pane) => pane.open());
});

onOptionsChanged(() => {
    sizeCards();
    cardsAreStale();
});

onUiTabChange(() => openPanes().forEach((pane) => pane.open()));

let markTimer = null;

document.addEventListener("input", (event) => {
    if (!isPrompt(event.target)) return;
    clearTimeout(markTimer);
    markTimer = setTimeout(() => openPanes().forEach((pane) => pane.mark()), MARK_AFTER_MS);
});

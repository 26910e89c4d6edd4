// Own tabs: the contents of every tab are in the page from the start, switching only shows and hides them. The page has
// a bar of them, and img2img one of its own.

function tabButtons(bar = document.querySelector("#tabs > .tab-nav")) {
    return Array.from(bar.children);
}

function get_uiCurrentTab() {
    return document.querySelector("#tabs > .tab-nav > button.selected");
}

function get_uiCurrentTabContent() {
    return document.querySelector("#tabs > .easel-page:not(.hidden-page)");
}

// Whether another page was shown before.
function choosePage(bar, pageId) {
    const buttons = tabButtons(bar);
    const before = buttons.find((button) => button.classList.contains("selected"));
    for (const button of buttons) {
        const chosen = button.dataset.page === pageId;
        button.classList.toggle("selected", chosen);
        button.setAttribute("aria-selected", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
        byId(button.dataset.page)?.classList.toggle("hidden-page", !chosen);
    }
    return before?.dataset.page !== pageId;
}

function switchToTab(pageId) {
    if (choosePage(document.querySelector("#tabs > .tab-nav"), pageId)) executeCallbacks(uiTabChangeCallbacks);
}

function switch_to_txt2img() {
    switchToTab("tab_txt2img");
    return Array.from(arguments);
}

function moveBetweenTabs(event, bar, choose) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const buttons = tabButtons(bar);
    const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
    choose(next.dataset.page);
    next.focus();
    event.preventDefault();
}

// Takes the bar inside the element `parentId` out of Gradio's wrapping, to its front; `choose` is called with a page's id.
function bindTabBar(parentId, choose) {
    const bar = document.querySelector(`#${parentId} .tab-nav`);
    bar.closest(".block").classList.add("hidden-page");
    byId(parentId).prepend(bar);
    for (const button of tabButtons(bar)) {
        button.addEventListener("click", () => choose(button.dataset.page));
        button.addEventListener("keydown", (event) => moveBetweenTabs(event, bar, choose));
        const page = byId(button.dataset.page);
        page?.setAttribute("role", "tabpanel");
        page?.setAttribute("aria-labelledby", button.id);
    }
}

onUiLoaded(() => bindTabBar("tabs", switchToTab));

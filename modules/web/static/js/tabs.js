// Own tabs: the contents of every tab are in the page from the start, switching only shows and hides them.

function tabButtons() {
    return Array.from(document.querySelectorAll("#tabs .tab-nav > button"));
}

function get_uiCurrentTab() {
    return document.querySelector("#tabs .tab-nav > button.selected");
}

function get_uiCurrentTabContent() {
    return document.querySelector("#tabs > .easel-page:not(.hidden-page)");
}

function switchToTab(pageId) {
    const before = get_uiCurrentTab();
    for (const button of tabButtons()) {
        const chosen = button.dataset.page === pageId;
        button.classList.toggle("selected", chosen);
        button.setAttribute("aria-selected", String(chosen));
        button.tabIndex = chosen ? 0 : -1;
        byId(button.dataset.page)?.classList.toggle("hidden-page", !chosen);
    }
    if (get_uiCurrentTab() !== before) executeCallbacks(uiTabChangeCallbacks);
}

function switch_to_txt2img() {
    switchToTab("tab_txt2img");
    return Array.from(arguments);
}

function moveBetweenTabs(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const buttons = tabButtons();
    const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
    switchToTab(next.dataset.page);
    next.focus();
    event.preventDefault();
}

onUiLoaded(() => {
    const bar = document.querySelector("#tabs .tab-nav");
    bar.closest(".block").classList.add("hidden-page");
    byId("tabs").prepend(bar);
    for (const button of tabButtons()) {
        button.addEventListener("click", () => switchToTab(button.dataset.page));
        button.addEventListener("keydown", moveBetweenTabs);
        const page = byId(button.dataset.page);
        page?.setAttribute("role", "tabpanel");
        page?.setAttribute("aria-labelledby", button.id);
    }
});

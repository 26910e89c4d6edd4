// Settings that change the page itself: tabs, the height of the gallery, what the hires panel shows, the row above the tabs.

function orderTabs() {
    const bar = document.querySelector("#tabs > .tab-nav");
    const place = (button) => {
        const wanted = opts.ui_tab_order.indexOf(button.textContent);
        return wanted < 0 ? opts.ui_tab_order.length : wanted;
    };
    bar.append(...tabButtons().sort((a, b) => place(a) - place(b)));
    for (const button of tabButtons()) button.hidden = opts.hidden_tabs.includes(button.textContent);
    if (get_uiCurrentTab().hidden || opts.ui_tab_order.length) {
        const first = tabButtons().find((button) => !button.hidden);
        if (first) switchToTab(first.dataset.page);
    }
}

function layOutPage() {
    for (const tab of GENERATION_TABS) {
        const gallery = byId(`${tab}_gallery_container`);
        if (opts.gallery_height) gallery.style.setProperty("--gallery-height", opts.gallery_height);
    }
    for (const row of document.querySelectorAll(".size-row")) {
        row.classList.toggle("apart", !opts.dimensions_and_batch_together);
    }
    showHiresRows();
    for (const counter of document.querySelectorAll(".token-counter")) {
        counter.classList.toggle("hidden-page", opts.disable_token_counters);
    }
}

// The settings that `quicksettings_list` names leave the Settings tab for the row above the tabs, and are saved at once.
function bringUpQuicksettings() {
    for (const key of opts.quicksettings_list) {
        const row = byId(`setting_${key}`);
        if (!row?.classList.contains("setting")) continue;
        row.classList.add("quick");
        byId("quicksettings").append(row);
        row.addEventListener("input", settingEdited);
        row.addEventListener("click", settingsClicked);
        row.addEventListener("change", () => applyRows([row]));
    }
}

onOptionsAvailable(() => {
    orderTabs();
    layOutPage();
    bringUpQuicksettings();
});

// Panels that open and shut under their heading. Their contents stay in the page.

function setFold(fold, open) {
    fold.classList.toggle("open", open);
    for (const toggle of fold.querySelectorAll(":scope > .fold-head .fold-toggle")) {
        toggle.setAttribute("aria-expanded", String(open));
    }
}

function inputAccordionChecked(id, checked) {
    setFold(byId(id), checked);
}

function showSeedExtras(tab, on) {
    byId(`${tab}_seed_extras`).classList.toggle("folded", !on);
}

document.addEventListener("click", (event) => {
    const fold = event.target.closest?.(".fold-toggle")?.closest(".fold");
    if (fold) setFold(fold, !fold.classList.contains("open"));
});

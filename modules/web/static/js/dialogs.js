// Dialogs over the page, and what the style editor needs.

let dialogOpener = null;

function openDialog(id) {
    dialogOpener = document.activeElement;
    const dialog = byId(id);
    dialog.classList.add("open");
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    dialog.setAttribute("aria-label", dialog.querySelector("h2")?.textContent ?? "");
    dialog.querySelector("input, textarea, button")?.focus();
}

function closeDialog() {
    document.querySelector(".dialog.open")?.classList.remove("open");
    dialogOpener?.focus();
    dialogOpener = null;
}

function keepFocusInside(dialog, event) {
    const stops = Array.from(dialog.querySelectorAll("input, textarea, button")).filter((stop) => stop.offsetParent);
    const [first, last] = [stops[0], stops[stops.length - 1]];
    if (event.shiftKey ? document.activeElement !== first : document.activeElement !== last) return;
    (event.shiftKey ? last : first).focus();
    event.preventDefault();
}

document.addEventListener("keydown", (event) => {
    const dialog = document.querySelector(".dialog.open");
    if (!dialog) return;
    if (event.key === "Tab") keepFocusInside(dialog, event);
    if (event.key === "Escape") {
        closeDialog();
        event.stopImmediatePropagation();
    }
});

document.addEventListener("mousedown", (event) => {
    if (event.target.matches?.(".dialog.open")) closeDialog();
});

function fillStyleEditor(tab, prompt, negative) {
    setText(`${tab}_edit_style_prompt`, prompt);
    setText(`${tab}_edit_style_neg_prompt`, negative);
}

function confirmStyleDeletion(tab, name) {
    if (name && confirm(`Delete the style ${name}?`)) press(`${tab}_edit_style_really_delete`);
}

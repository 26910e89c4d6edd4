// Dialogs over the page, and what the style editor needs.

function openDialog(id) {
    const dialog = byId(id);
    dialog.classList.add("open");
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    dialog.setAttribute("aria-label", dialog.querySelector("h2")?.textContent ?? "");
    openLayer(dialog, closeDialog);
}

function closeDialog() {
    const dialog = document.querySelector(".dialog.open");
    dialog?.classList.remove("open");
    closeLayer(dialog);
}

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

// A picture dropped on the prompt: its generation text is read into the form.

async function readDroppedPicture(tab, file) {
    const body = new FormData();
    body.append("picture", file);
    const answer = await fetch("internal/web/picture-text", { method: "POST", body });
    const found = await answer.json();
    if (!answer.ok) return showNotice(found.detail);
    if (!found.info) return showNotice(`${file.name} carries no generation text.`);
    setText(`${tab}_prompt`, found.info);
    press(tab === "txt2img" ? "paste" : `${tab}_paste`);
}

// The tab whose prompts a picture is dropped on.
function tabOfDrop(event) {
    const holdsPicture = Array.from(event.dataTransfer?.items ?? []).some((item) => item.type.startsWith("image/"));
    return holdsPicture ? GENERATION_TABS.find((tab) => event.target.closest?.(`#${tab}_prompt_container`)) : null;
}

document.addEventListener("dragover", (event) => {
    if (tabOfDrop(event)) event.preventDefault();
});

document.addEventListener("drop", (event) => {
    const tab = tabOfDrop(event);
    const file = tab && pictureFileOf(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    readDroppedPicture(tab, file);
});

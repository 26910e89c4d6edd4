// A picture dropped on the prompt: its generation text is read into the form.

async function readDroppedPicture(file) {
    const body = new FormData();
    body.append("picture", file);
    const answer = await fetch("internal/web/picture-text", { method: "POST", body });
    const found = await answer.json();
    if (!answer.ok) return showNotice(found.detail);
    if (!found.info) return showNotice(`${file.name} carries no generation text.`);
    setText("txt2img_prompt", found.info);
    press("paste");
}

function droppedPicture(event) {
    const isPromptTarget = event.target.closest?.("#txt2img_prompt_container");
    const item = Array.from(event.dataTransfer?.items ?? []).find((each) => each.type.startsWith("image/"));
    return isPromptTarget ? item : null;
}

document.addEventListener("dragover", (event) => {
    if (droppedPicture(event)) event.preventDefault();
});

document.addEventListener("drop", (event) => {
    const file = droppedPicture(event)?.getAsFile();
    if (!file) return;
    event.preventDefault();
    readDroppedPicture(file);
});

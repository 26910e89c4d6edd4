// Interrogate: the picture of the open sub-tab is put into words, which take the prompt's place. Ctrl+Z in the prompt
// brings back what stood there.

const INTERROGATE_MENU = "img2img_interrogators";
const INTERROGATE_KINDS = { caption: "sentence", tags: "tags" };

let describing = false;

// Typed as a person would type it, so that the browser can undo it.
function replacePrompt(tab, text) {
    const field = document.querySelector(`#${tab}_prompt textarea`);
    field.focus();
    field.select();
    if (document.activeElement !== field || !document.execCommand("insertText", false, text)) {
        setText(`${tab}_prompt`, text);
    }
    promptsChanged(tab);
}

async function askDescription(tab, model) {
    const picture = await pictureOf(currentPicturePlace(tab));
    if (!picture) throw new Error("There is no picture to describe on this sub-tab yet: put one there first.");
    const image = bytesToBase64(new Uint8Array(await picture.arrayBuffer()));
    return postJson("sdapi/v1/interrogate", { image, model });
}

// `control`: the id of what was pressed, which shows that the model is at work. A large one waits for the batch that runs.
async function describePicture(tab, model, control) {
    if (describing) return;
    describing = true;
    const pressed = byId(control);
    pressed.classList.add("working");
    pressed.setAttribute("aria-busy", "true");
    pressed.inert = true;
    try {
        const { caption, note } = await askDescription(tab, model);
        if (caption) replacePrompt(tab, caption);
        else showNotice(note, "info");
    } catch (error) {
        showNotice(error.message);
    } finally {
        describing = false;
        pressed.inert = false;
        pressed.classList.remove("working");
        pressed.removeAttribute("aria-busy");
    }
    showInterrogators();
}

function interrogatorMenu(interrogators) {
    const menu = element("select", "interrogator-menu");
    menu.title = "Describe the picture with one of these models";
    menu.setAttribute("aria-label", menu.title);
    menu.append(element("option", "", "Describe with ..."));
    for (const { name, gives } of interrogators) {
        const choice = element("option", "", `${name} (${INTERROGATE_KINDS[gives[0]]})`);
        choice.value = name;
        menu.append(choice);
    }
    menu.addEventListener("change", () => {
        const name = menu.value;
        menu.selectedIndex = 0;
        describePicture("img2img", name, INTERROGATE_MENU);
    });
    return menu;
}

// With one model the two buttons say it all.
async function showInterrogators() {
    const place = document.querySelector(`#${INTERROGATE_MENU} .scripts-place`);
    if (!place) return;
    const { interrogators } = await getJson("easel/v1/interrogators").catch(() => ({ interrogators: [] }));
    byId(INTERROGATE_MENU).toggleAttribute("data-offered", interrogators.length > 1);
    if (interrogators.length > 1) place.replaceChildren(interrogatorMenu(interrogators));
}

onUiLoaded(showInterrogators);

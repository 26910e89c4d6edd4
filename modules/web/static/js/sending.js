// Sending: a picture goes to a place of the page, and its generation text into the form of a tab.

// The tab whose form belongs to a place; extras has no parameters.
const FORM_OF_PLACE = { txt2img: "txt2img", img2img: "img2img", inpaint: "img2img", outpaint: "img2img" };

// The address of the picture that is chosen in a tab's gallery, or null.
function chosenPictureAddress(tab) {
    return shownJobs[tab]?.pictures[selectedPicture(tab)]?.url ?? null;
}

// Gradio reads the text into the form, by the settings of the section Infotext.
async function fillFormFromText(tab, text) {
    showGeneration(tab);
    await setHidden(`${tab}_text_to_read`, text);
    press(`${tab}_read_text`);
}

// `name`: a place for pictures, or "txt2img", which takes only parameters. `source`: a Blob, an address, or null.
async function sendTo(name, source, text) {
    const form = FORM_OF_PLACE[name];
    if (name === "txt2img") switch_to_txt2img();
    else if (!(await sendPicture(name, source))) return;
    if (text && form) await fillFormFromText(form, text);
    else if (name === "txt2img") showNotice("This picture carries no generation text that could be sent.", "info");
}

// The picture that is chosen in a tab's gallery.
function sendResult(tab, name) {
    const address = chosenPictureAddress(tab);
    if (!address) return showNotice("There is no picture in the gallery yet.", "info");
    sendTo(name, address, shownJobs[tab].info.infotexts[selectedPicture(tab)]);
}

// The picture that lies on PNG Info.
async function sendDropped(name) {
    const image = document.querySelector("#pnginfo_image img");
    if (!image) return showNotice("There is no picture yet: drop one first.", "info");
    await sendTo(name, image.src, getText("pnginfo_generation_info"));
}

// What an img2img job started from goes back to where such pictures are put in: with a mask, to Inpaint upload.
async function sendPicturesOfJob(id) {
    const { picture, mask } = await getJson(`internal/web/job-pictures?job=${encodeURIComponent(id)}`);
    await sendPicture(mask ? "inpaint_upload_base" : "img2img", picture);
    if (mask) await sendPicture("inpaint_upload_mask", mask);
}

// The img2img tab: its sub-tabs, copying between them, and what Generate sends of the one that is open.

const SUBTAB_KEY = "easel.img2img.subtab";
const BATCH_SUBTAB = 5;

// What the outpaint canvas has no use for: it brings a size of its own.
const SIZE_CONTROLS = ["resize_mode", "img2img_tabs_resize", "img2img_tab_resize_to", "img2img_tab_resize_by"];

// By the number of the sub-tab: the places of its pictures, the first of them its main one.
const SUBTAB_PLACES = [
    ["img2img"],
    ["sketch"],
    ["inpaint"],
    ["inpaint_sketch"],
    ["inpaint_upload_base", "inpaint_upload_mask"],
    [],
    ["outpaint"],
];

function img2imgBar() {
    return document.querySelector("#mode_img2img > .tab-nav");
}

function get_img2img_tab_index() {
    return tabButtons(img2imgBar()).findIndex((button) => button.classList.contains("selected"));
}

function chooseSubtab(pageId) {
    choosePage(img2imgBar(), pageId);
    const number = get_img2img_tab_index();
    byId("tab_img2img").dataset.subtab = number;
    localSet(SUBTAB_KEY, number);
    for (const id of SIZE_CONTROLS) byId(id).inert = currentPicturePlace() === "outpaint";
    subtabSeen();
}

// The names are the field's.
function switch_to_img2img_tab(number) {
    switchToTab("tab_img2img");
    showGeneration("img2img");
    chooseSubtab(tabButtons(img2imgBar())[number].dataset.page);
}

function switch_to_img2img() {
    switch_to_img2img_tab(0);
    return Array.from(arguments);
}

function switch_to_inpaint() {
    switch_to_img2img_tab(2);
    return Array.from(arguments);
}

// The name of the place whose picture the open sub-tab starts from, or undefined.
function currentPicturePlace() {
    return SUBTAB_PLACES[get_img2img_tab_index()][0];
}

function subtabSeen() {
    pictureWells[currentPicturePlace()]?.showInEditor?.();
    showScaledSize();
}

async function copyPicture(source, target) {
    try {
        const picture = await pictureOf(source);
        if (!picture) return showNotice("There is no picture to copy on this sub-tab yet.", "info");
        await sendPicture(target, picture);
    } catch (error) {
        showNotice(error.message);
    }
}

// What Generate sends beside the values of the form. Throws a sentence.
async function img2imgPictures() {
    const mode = get_img2img_tab_index();
    if (mode === BATCH_SUBTAB) throw new Error("Choose the sub-tab whose picture the job is to start from.");
    if (SUBTAB_PLACES[mode][0] === "outpaint") return outpaintValues(mode);
    const [well, maskWell] = SUBTAB_PLACES[mode].map((name) => pictureWells[name]);
    const held = well.parts ? await well.parts() : well.held;
    return {
        mode,
        init_images: held ? [await asDataUrl(held.blob)] : [],
        drawing: held?.drawing ? await asDataUrl(held.drawing) : null,
        mask: maskWell?.held ? await asDataUrl(maskWell.held.blob) : null,
    };
}

async function outpaintValues(mode) {
    const { picture, mask, width, height } = await outpaintParts();
    return { mode, init_images: [await asDataUrl(picture)], mask: await asDataUrl(mask), width, height };
}

formPictures.img2img = img2imgPictures;
formDetours.img2img = (names, values) => {
    const isBatch = get_img2img_tab_index() === BATCH_SUBTAB;
    if (isBatch) startBatch("img2img", names, values);
    return isBatch;
};

// Sizes

function sizeOfCurrentPicture() {
    const name = currentPicturePlace();
    return pictureWells[name]?.held?.size ?? null;
}

// For Gradio: width and height of the picture, as multiples of 8.
function sizeOfPicture(width, height) {
    const size = sizeOfCurrentPicture();
    if (!size) showNotice("There is no picture on this sub-tab yet.", "info");
    return size ? size.map((side) => Math.max(Math.floor(side / 8) * 8, 64)) : [width, height];
}

function showSizeMode(tab, mode) {
    byId(`${tab}_tab_resize_to`).classList.toggle("hidden-page", mode !== 0);
    byId(`${tab}_tab_resize_by`).classList.toggle("hidden-page", mode !== 1);
    showScaledSize();
}

const AT_ZERO =
    "At 0 the last step is still drawn: of many steps it changes little, a single step draws the whole picture anew. " +
    "Nothing is drawn with the setting \u201cdo exactly the amount of steps the slider specifies\u201d.";

function showDenoisingNote() {
    const strength = document.querySelector("#img2img_denoising_strength input[type=number]")?.value ?? "";
    setTextOf(scriptsPlace("img2img_denoising_note"), strength !== "" && Number(strength) === 0 ? AT_ZERO : "");
}

onAfterUiUpdate(showDenoisingNote);
document.addEventListener("input", (event) => event.target.closest?.("#img2img_denoising_strength") && showDenoisingNote());

function showScaledSize() {
    const size = sizeOfCurrentPicture();
    const scaled = size?.map((side) => Math.max(Math.floor(Math.trunc(side * sliderValue("img2img_scale")) / 8) * 8, 64));
    const sentence = size ? `from ${size.join("×")} to ${scaled.join("×")}` : "";
    setTextOf(scriptsPlace("img2img_scale_resolution_preview"), sentence);
}

document.addEventListener("input", (event) => event.target.closest?.("#img2img_scale") && showScaledSize());
onPictureChange(showScaledSize);
onUiTabChange(() => byId("tab_img2img").offsetParent && subtabSeen());

onUiLoaded(() => {
    bindTabBar("mode_img2img", chooseSubtab);
    const opener = (number) => () => switch_to_img2img_tab(number);
    const wellRoot = (name) => document.querySelector(`.picture-well[data-place="${name}"]`);
    addWell(new PictureWell(wellRoot("img2img")), opener(0));
    addWell(new DrawingWell(wellRoot("sketch"), "img2img_sketch", false), opener(1));
    addWell(new DrawingWell(wellRoot("inpaint"), "img2maskimg", true), opener(2));
    addWell(new DrawingWell(wellRoot("inpaint_sketch"), "inpaint_sketch", false), opener(3));
    addWell(new PictureWell(wellRoot("inpaint_upload_base")), opener(4));
    addWell(new PictureWell(wellRoot("inpaint_upload_mask")), opener(4));
    const pages = tabButtons(img2imgBar());
    chooseSubtab((pages[localGet(SUBTAB_KEY, 0)] ?? pages[0]).dataset.page);
});

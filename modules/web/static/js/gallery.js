// Which picture of a gallery is chosen, and showing the text that belongs to it.

// One element a picture. Beside the picture that is seen large there is a second row of them, which is left out.
function galleryPictures(tab) {
    return Array.from(byId(`${tab}_gallery`).querySelectorAll(".grid-container .thumbnail-item"));
}

function selectedPicture(tab) {
    const chosen = galleryPictures(tab).findIndex((item) => item.classList.contains("selected"));
    return Math.max(chosen, 0);
}

function selected_gallery_index() {
    const tab = get_uiCurrentTabContent()?.id.replace("tab_", "");
    return byId(`${tab}_gallery`) ? selectedPicture(tab) : -1;
}

// What the server told of the job whose pictures are in a tab's gallery. Everything under the gallery is computed from
// this and from the picture that is chosen, whenever one of them changes, and from nothing else.
const shownJobs = {};

// The address of the picture that a person has chosen among those of the shown job, if one has.
const chosenByHand = {};

function showJob(tab, job) {
    if (shownJobs[tab]?.id !== job.id) chosenByHand[tab] = null;
    shownJobs[tab] = job;
    press(`${tab}_restore_progress`);
    showText(tab);
    sayBelow(tab, job.log);
}

// For Gradio, in the order of the event's outputs: the gallery, and the facts that extensions read.
function galleryUpdate(tab) {
    const job = shownJobs[tab];
    const files = job.pictures.map(({ url, name }) => ({ image: { path: url, url, orig_name: name }, caption: null }));
    const gallery = { __type__: "update", value: files };
    if (!showsAllPictures(tab)) gallery.selected_index = pictureToShow(tab);
    return [gallery, JSON.stringify(job.info)];
}

// While a job runs its newest picture is shown, at its end the first; but one that was chosen by hand stays.
function pictureToShow(tab) {
    const { pictures, is_final } = shownJobs[tab];
    const chosen = pictures.findIndex(({ url }) => url === chosenByHand[tab]);
    if (chosen >= 0) return chosen;
    return is_final ? 0 : pictures.length - 1;
}

// Somebody has left the large view of this job's pictures for the view of all.
function showsAllPictures(tab) {
    return chosenByHand[tab] === "all";
}

function noteChoice(tab) {
    const isLarge = Boolean(document.querySelector(`#${tab}_gallery [data-testid="detailed-image"]`));
    chosenByHand[tab] = isLarge ? shownJobs[tab]?.pictures[selectedPicture(tab)]?.url : "all";
    taskQueues[tab]?.follower?.view.putPreviewAside();
}

function scriptsPlace(id) {
    return document.querySelector(`#${id} .scripts-place`);
}

function showText(tab) {
    const text = shownJobs[tab]?.html[selectedPicture(tab)] ?? "";
    const place = scriptsPlace(`html_info_${tab}`);
    if (place.easelText === text) return;
    place.easelText = text;
    place.innerHTML = text;
    forgetVerdict(`${tab}_verdict`);
}

// `html` comes from the server, with every foreign text in it escaped.
function sayBelow(tab, html) {
    scriptsPlace(`html_log_${tab}`).innerHTML = html;
}

function chosenPicture(tab) {
    return [selectedPicture(tab), JSON.stringify(shownJobs[tab]?.info ?? {})];
}

function seedOfPicture(tab, key, now) {
    return shownJobs[tab]?.info[key][selectedPicture(tab)] ?? now;
}

function watchGallery(gallery) {
    const tab = gallery.id.replace("_gallery", "");
    const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] };
    new MutationObserver(() => showText(tab)).observe(gallery, changes);
    gallery.addEventListener("click", (event) => {
        if (event.isTrusted && event.target.closest("button")) setTimeout(() => noteChoice(tab), 50);
    });
    gallery.addEventListener("keydown", (event) => {
        if (/^(Arrow|Escape)/.test(event.key)) setTimeout(() => noteChoice(tab), 50);
    });
}

onUiLoaded(() => document.querySelectorAll(".gallery-place [id$=_gallery]").forEach(watchGallery));

// A gallery takes the focus when its picture changes, and has the page scrolled to it. Unless a person has just moved there,
// the focus stays where it was, and the page too.
const OWN_MOVE_MS = 300;
let lastOwnMove = 0;

const focusAnything = HTMLElement.prototype.focus;

HTMLElement.prototype.focus = function focus(options) {
    const isThumbnail = this.classList.contains("thumbnail-item");
    focusAnything.call(this, isThumbnail ? { ...options, preventScroll: true } : options);
};

for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, (event) => {
        if (kind === "pointerdown" || /^(Tab|Arrow)/.test(event.key)) lastOwnMove = performance.now();
    }, true);
}

// From one picture to another, the focus does not leave the gallery.
document.addEventListener("focusin", (event) => {
    const isFetched = event.target.closest(".thumbnail-item") && !event.relatedTarget?.closest(".thumbnail-item");
    if (!isFetched || performance.now() - lastOwnMove < OWN_MOVE_MS) return;
    if (event.relatedTarget) event.relatedTarget.focus({ preventScroll: true });
    else event.target.blur();
});

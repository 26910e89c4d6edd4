// Which picture of a gallery is chosen, and showing the text that belongs to it.

function galleryPictures(tab) {
    const gallery = byId(`${tab}_gallery`);
    const small = gallery.querySelectorAll(".thumbnails .thumbnail-item, .grid-container .thumbnail-item");
    return Array.from(small.length ? small : gallery.querySelectorAll(".thumbnail-item"));
}

function selectedPicture(tab) {
    const chosen = galleryPictures(tab).findIndex((item) => item.classList.contains("selected"));
    return Math.max(chosen, 0);
}

function selected_gallery_index() {
    const tab = get_uiCurrentTabContent()?.id.replace("tab_", "");
    return byId(`${tab}_gallery`) ? selectedPicture(tab) : -1;
}

function seedOfPicture(tab, key, info, now) {
    const seeds = JSON.parse(info || "{}")[key] ?? [];
    return seeds[selectedPicture(tab)] ?? now;
}

const shownPicture = {};

function followSelection(tab) {
    const index = selectedPicture(tab);
    if (!galleryPictures(tab).length || shownPicture[tab] === index) return;
    shownPicture[tab] = index;
    press(`${tab}_generation_info_button`);
}

onUiLoaded(() => {
    const gallery = byId("txt2img_gallery");
    const observer = new MutationObserver(() => followSelection("txt2img"));
    observer.observe(gallery, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
});

// A gallery takes the focus when its picture changes. Somebody who is writing the next prompt keeps it.
let lastOwnMove = 0;

for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, (event) => {
        if (kind === "pointerdown" || event.key === "Tab") lastOwnMove = performance.now();
    }, true);
}

document.addEventListener("focusin", (event) => {
    const left = event.relatedTarget;
    const wasWriting = left?.matches?.("textarea, input") && performance.now() - lastOwnMove > 300;
    if (wasWriting && event.target.closest(".thumbnail-item")) left.focus();
});

// A picture at full size over the page: click on the chosen picture of a gallery. Arrow keys go on, Escape closes.

let lightboxPictures = [];
let lightboxIndex = 0;

function lightboxButton(name, label, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `lightbox-${name}`;
    button.setAttribute("aria-label", label);
    button.title = label;
    button.addEventListener("click", (event) => {
        event.stopPropagation();
        action();
    });
    return button;
}

function makeLightbox() {
    const box = document.createElement("div");
    box.id = "lightboxModal";
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-label", "Picture at full size");
    box.tabIndex = -1;
    const image = document.createElement("img");
    image.id = "modalImage";
    image.addEventListener("click", (event) => {
        event.stopPropagation();
        box.classList.toggle("full-size");
    });
    const count = document.createElement("span");
    count.className = "lightbox-count";
    const save = document.createElement("a");
    save.className = "lightbox-save";
    save.title = "Download";
    save.setAttribute("aria-label", "Download");
    save.addEventListener("click", (event) => event.stopPropagation());
    box.append(
        image,
        count,
        save,
        lightboxButton("previous", "Previous picture", modalPrevImage),
        lightboxButton("next", "Next picture", modalNextImage),
        lightboxButton("close", "Close", closeModal),
    );
    box.addEventListener("click", closeModal);
    document.body.append(box);
    return box;
}

function showLightboxPicture(index) {
    const box = byId("lightboxModal") ?? makeLightbox();
    lightboxIndex = (index + lightboxPictures.length) % lightboxPictures.length;
    const { src, name } = lightboxPictures[lightboxIndex];
    byId("modalImage").src = src;
    byId("modalImage").alt = `Picture ${lightboxIndex + 1} of ${lightboxPictures.length}`;
    box.querySelector(".lightbox-count").textContent = `${lightboxIndex + 1} / ${lightboxPictures.length}`;
    box.classList.toggle("single", lightboxPictures.length < 2);
    const save = box.querySelector(".lightbox-save");
    save.href = src;
    save.download = name;
}

function showModal(gallery, index) {
    const tab = gallery.id.replace("_gallery", "");
    const pictures = galleryPictures(tab).map((item, number) => ({
        src: item.querySelector("img").src,
        name: shownJobs[tab]?.pictures[number]?.name ?? "",
    }));
    openLightbox(pictures, index);
}

// `pictures`: the address of each, and its name for downloads.
function openLightbox(pictures, index) {
    lightboxPictures = pictures;
    showLightboxPicture(index);
    byId("lightboxModal").classList.toggle("full-size", !opts.js_modal_lightbox_initially_zoomed);
    byId("lightboxModal").classList.add("open");
    openLayer(byId("lightboxModal"), closeModal, byId("lightboxModal"));
}

function closeModal() {
    const box = byId("lightboxModal");
    box?.classList.remove("open");
    closeLayer(box);
}

function modalNextImage() {
    showLightboxPicture(lightboxIndex + 1);
}

function modalPrevImage() {
    showLightboxPicture(lightboxIndex - 1);
}

document.addEventListener(
    "keydown",
    (event) => {
        if (!document.querySelector("#lightboxModal.open")) return;
        const action = { ArrowRight: modalNextImage, ArrowLeft: modalPrevImage }[event.key];
        if (!action) return;
        action();
        event.preventDefault();
        event.stopImmediatePropagation();
    },
    true,
);

document.addEventListener(
    "click",
    (event) => {
        const image = event.target.closest?.('[data-testid="detailed-image"]') ?? event.target.querySelector?.(':scope > [data-testid="detailed-image"]');
        const gallery = image?.closest("[id$=_gallery]");
        if (!gallery || !opts.js_modal_lightbox) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        showModal(gallery, selectedPicture(gallery.id.replace("_gallery", "")));
    },
    true,
);

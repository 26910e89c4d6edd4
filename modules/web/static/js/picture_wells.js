// A place that holds one picture: it is dropped, chosen or pasted there, kept over a reload, and can be had back after
// another took its place.

const WELL_PAST_MOST = 5;

async function pictureSize(blob) {
    try {
        const bitmap = await createImageBitmap(blob);
        const size = [bitmap.width, bitmap.height];
        bitmap.close();
        return size;
    } catch {
        throw new Error("This file cannot be read as a picture. Choose a PNG, JPEG, WebP, AVIF, GIF or BMP file.");
    }
}

class PictureWell {
    // `root`: the element that Python laid out for it.
    constructor(root) {
        this.root = root;
        this.name = root.dataset.place;
        this.held = null; // { blob, size: [width, height], drawing: a Blob or null }
        this.past = [];
        this.image = root.querySelector("img");
        this.bindFiles();
        this.button("remove").addEventListener("click", () => this.hold(null));
        this.button("replace").addEventListener("click", () => root.querySelector("input").click());
        this.addBackButton();
    }

    button(name) {
        return this.root.querySelector(`.well-${name}`);
    }

    addBackButton() {
        const back = element("button", "well-back", "Back");
        back.type = "button";
        back.title = "The picture that was here before";
        back.addEventListener("click", () => this.back());
        this.root.append(back);
    }

    bindFiles() {
        const input = this.root.querySelector("input");
        input.addEventListener("change", () => {
            this.tryToPut(input.files[0]);
            input.value = "";
        });
        const area = this.dropArea();
        // Before Gradio, whose editor takes what is dropped on it.
        area.addEventListener("dragover", (event) => event.preventDefault(), true);
        area.addEventListener(
            "drop",
            (event) => {
                event.preventDefault();
                event.stopPropagation();
                this.tryToPut(event.dataTransfer.files[0]);
            },
            true,
        );
    }

    dropArea() {
        return this.root;
    }

    async tryToPut(file) {
        try {
            if (file) await this.put(file);
        } catch (error) {
            showNotice(error.message);
        }
    }

    async put(blob, drawing = null) {
        await this.hold({ blob, size: await pictureSize(blob), drawing });
    }

    // `held`: null for no picture. What was here before can be had back.
    async hold(held) {
        await this.takeIn();
        if (this.held) this.past = [...this.past, this.held].slice(-WELL_PAST_MOST);
        await this.change(held);
    }

    async back() {
        const before = this.past.pop();
        if (before) await this.change(before);
    }

    async change(held) {
        this.held = held;
        this.show();
        await keepPicture(this.name, held?.blob ?? null);
        await keepPicture(`${this.name}.drawing`, held?.drawing ?? null);
        executeCallbacks(picturesChangedCallbacks, this.name);
    }

    async recall() {
        const blob = await keptPicture(this.name);
        if (!blob || this.held) return;
        const [size, drawing] = [await pictureSize(blob), await keptPicture(`${this.name}.drawing`)];
        this.held = { blob, size, drawing };
        this.show();
        executeCallbacks(picturesChangedCallbacks, this.name);
    }

    // Brings what was done by hand into `held`; there is nothing of it where one cannot draw.
    async takeIn() {}

    show() {
        URL.revokeObjectURL(this.image.src);
        if (this.held) this.image.src = URL.createObjectURL(this.held.blob);
        else this.image.removeAttribute("src");
        this.image.hidden = !this.held;
        this.showBar();
    }

    showBar() {
        this.root.classList.toggle("filled", Boolean(this.held));
        this.root.classList.toggle("has-past", this.past.length > 0);
        setTextOf(this.root.querySelector(".well-size"), this.held ? this.held.size.join(" × ") : "");
    }

    // The picture as it is seen, for other places.
    async picture() {
        return this.held?.blob ?? null;
    }

    isSeen() {
        return Boolean(this.root.offsetParent);
    }
}

const pictureWells = {};
const picturesChangedCallbacks = [];

// Called with the name of a place that got another picture, or none.
function onPictureChange(callback) {
    picturesChangedCallbacks.push(callback);
}

function addWell(well, open) {
    pictureWells[well.name] = well;
    registerPicturePlace(well.name, { open, put: (blob) => well.put(blob), get: () => well.picture() });
    well.recall().catch((error) => showNotice(error.message));
}

// Of several that are seen the first empty one takes what is pasted.
document.addEventListener("paste", (event) => {
    const file = pictureFileOf(event.clipboardData);
    const seen = Object.values(pictureWells).filter((well) => well.isSeen());
    const well = seen.find(({ held }) => !held) ?? seen[0];
    if (!file || !well) return;
    event.preventDefault();
    well.tryToPut(file);
});

// A place that holds one picture: it is dropped, chosen or pasted there, kept over a reload, and can be had back after
// another took its place.

const WELL_PAST_MOST = 5;
const WELL_LARGE = 16e6; // pixels, from which on scaling down is offered
const WELL_SHRUNK = 4e6;

function shrunkSize(size, pixels) {
    const scale = Math.min(Math.sqrt(pixels / (size[0] * size[1])), 1);
    return size.map((side) => Math.max(Math.floor(side * scale), 1));
}

async function scaledPicture(blob, [width, height]) {
    const canvas = newCanvas(width, height);
    const bitmap = await createImageBitmap(blob, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    return asPng(canvas);
}

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
        this.button("back").addEventListener("click", () => this.back());
        this.button("shrink").addEventListener("click", () => this.tryTo(() => this.shrink(WELL_SHRUNK)));
        this.button("blank")?.addEventListener("click", () => this.tryTo(() => this.putBlank()));
    }

    button(name) {
        return this.root.querySelector(`.well-${name}`);
    }

    bindFiles() {
        const input = this.root.querySelector("input");
        input.addEventListener("change", () => this.takeFrom(input));
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

    // `input`: a field for files, which is empty afterwards: the same file may be chosen again.
    takeFrom(input) {
        this.tryToPut(input.files[0]);
        input.value = "";
    }

    dropArea() {
        return this.root;
    }

    async tryTo(act) {
        try {
            await act();
        } catch (error) {
            showNotice(error.message);
        }
    }

    tryToPut(file) {
        return this.tryTo(() => file && this.put(file));
    }

    // White, of the size that is drawn.
    async putBlank() {
        const canvas = newCanvas(...["img2img_width", "img2img_height"].map(sliderValue));
        const context = canvas.getContext("2d");
        context.fillStyle = "white";
        context.fillRect(0, 0, canvas.width, canvas.height);
        await this.put(await asPng(canvas));
    }

    // Scales the picture down to at most so many pixels. What was painted stays; the large one can be had back.
    async shrink(pixels) {
        await this.takeIn();
        const { blob, drawing } = this.held;
        await this.put(await scaledPicture(blob, shrunkSize(this.held.size, pixels)), drawing);
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
        const size = this.held?.size;
        setTextOf(this.root.querySelector(".well-size"), size ? size.join(" × ") : "");
        this.button("shrink").hidden = !size || size[0] * size[1] < WELL_LARGE;
        if (size) setTextOf(this.button("shrink"), `Scale down to ${shrunkSize(size, WELL_SHRUNK).join(" × ")}`);
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

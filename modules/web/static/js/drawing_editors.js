// A place whose picture is painted upon, in Gradio's editor. The picture itself stays here and is never touched: the editor
// shows a copy of it, and only what was painted, on nothing, is taken from there.

const LARGEST_VIEW = 2048;
const TAKE_IN_AFTER_MS = 700;
const READ_MOST_MS = 30000;
const BRUSH_MOST = 100; // pixels of radius, the editor's own bound

// The editor hands its pictures over as uploads to the server, which has no use for them: while they are read these
// uploads end here, and nothing is left behind on any disk.
const EDITOR_FILES = /^(background|composite|layer_\d+)\.png$/;
const editorFiles = new Map();
let editorReadings = 0;
const fetchFromServer = window.fetch;

window.fetch = function (address, request) {
    const files = editorReadings > 0 && request?.body instanceof FormData ? request.body.getAll("files") : [];
    if (!files.length || !files.every((file) => EDITOR_FILES.test(file.name))) return fetchFromServer.apply(this, arguments);
    const names = files.map((file) => {
        const name = `kept/${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
        editorFiles.set(name, file);
        return name;
    });
    return Promise.resolve(new Response(JSON.stringify(names), { headers: { "Content-Type": "application/json" } }));
};

// Pictures larger than LARGEST_VIEW are painted upon at a smaller size: a graphics card does not take any size.
function viewSize(size) {
    const scale = Math.min(LARGEST_VIEW / Math.max(...size), 1);
    return size.map((side) => Math.max(Math.round(side * scale), 1));
}

// A stroke is about a twelfth of the picture's shorter side.
function brushRadius(size) {
    return Math.min(Math.max(Math.round(Math.min(...size) / 25), 1), BRUSH_MOST);
}

// The editor loads what it is given by its address, of which it knows the kinds by their beginnings: data it knows.
async function editorFile(blob, name) {
    return { path: name, url: await asDataUrl(blob), orig_name: name, meta: { _type: "gradio.FileData" } };
}

// An editor that is not set up yet would take what it is shown twice. Its tools are there when it is.
async function editorIsReady(editorId) {
    while (!document.querySelector(`#${editorId} .toolbar-wrap`)) await pause(50);
}

function twoFrames() {
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

class DrawingWell extends PictureWell {
    // `editorId`: the editor's element id. `isMask`: what is painted is no part of the picture.
    constructor(root, editorId, isMask) {
        super(root);
        this.editorId = editorId;
        this.isMask = isMask;
        this.desk = byId(`${editorId}_desk`);
        this.isShown = true;
        this.brush = null; // its radius, where the picture has chosen it
        this.strokes = 0;
        this.takenStrokes = 0;
        this.turn = Promise.resolve();
        this.offered = null;
        this.timer = null;
        // A stroke may end anywhere on the page.
        this.desk.addEventListener("pointerdown", () => {
            for (const end of ["pointerup", "pointercancel"]) {
                document.addEventListener(end, () => this.noteStroke(), { capture: true, once: true });
            }
        });
        this.desk.addEventListener("keyup", () => this.noteStroke());
        // Extensions put files into the editor's own field, which Gradio would show in an editor of no size.
        this.desk.addEventListener("change", (event) => this.takeFromEditor(event), true);
    }

    takeFromEditor(event) {
        if (event.target.type !== "file") return;
        event.stopPropagation();
        this.takeFrom(event.target);
    }

    dropArea() {
        return this.root.closest(".easel-page");
    }

    noteStroke() {
        if (!this.held) return;
        this.strokes++;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.takeIn().catch((error) => showNotice(error.message)), TAKE_IN_AFTER_MS);
    }

    // What is painted comes into `held` and is kept over a reload. One after another: a stroke may come meanwhile.
    takeIn() {
        const taken = this.turn.then(() => this.takeInNow());
        this.turn = taken.catch(() => {});
        return taken;
    }

    async takeInNow() {
        const { held, strokes } = this;
        if (!held || strokes === this.takenStrokes) return;
        held.drawing = await this.askEditor();
        this.takenStrokes = strokes;
        if (this.held === held) await keepPicture(`${this.name}.drawing`, held.drawing);
    }

    async askEditor() {
        editorReadings++;
        try {
            const value = await new Promise((resolve, reject) => {
                this.answer = resolve;
                setTimeout(
                    () => reject(new Error("The editor does not hand over what was painted. Reload the page and try again.")),
                    READ_MOST_MS,
                );
                press(`${this.editorId}_read`);
            });
            const file = editorFiles.get(value?.layers?.[0]?.path);
            return file ? new Blob([file], { type: "image/png" }) : null;
        } finally {
            editorReadings--;
            if (!editorReadings) editorFiles.clear();
        }
    }

    show() {
        this.isShown = false;
        this.takenStrokes = this.strokes;
        this.desk.classList.toggle("empty", !this.held);
        this.showBar();
        this.showInEditor().catch((error) => showNotice(error.message));
    }

    // An editor that is not seen has no size and cannot fit a picture: it gets it when its sub-tab is opened.
    async showInEditor() {
        await twoFrames();
        const held = this.held;
        if (this.isShown || !held || !this.desk.offsetParent) return;
        this.isShown = true;
        await editorIsReady(this.editorId);
        const size = viewSize(held.size);
        const background = await editorFile(await scaledPicture(held.blob, size), "background.png");
        // Never without a layer: one that comes in clears the editor's history, so that undo ends at the picture.
        const layer = await editorFile(held.drawing ?? (await asPng(newCanvas(...size))), "layer_0.png");
        await this.offer(null); // it starts anew; else the size of what was there before would misplace what comes
        if (this.held === held) await this.offer({ background, layers: [layer], composite: null }, size);
    }

    async offer(value, size = null) {
        this.offered = { __type__: "update", value, ...(size && this.brushFor(size)) };
        press(`${this.editorId}_show`);
        await twoFrames();
    }

    // Brush and eraser of a width that suits the picture. Both would forget what was chosen: not while it suits.
    brushFor(size) {
        const radius = brushRadius(size);
        if (radius === this.brush) return null;
        this.brush = radius;
        const brush = JSON.parse(this.desk.querySelector(".drawing-hint").dataset.brush);
        return { brush: { ...brush, default_size: radius }, eraser: { default_size: radius } };
    }

    // The bin of the editor takes away what was painted; the picture stays.
    cleared() {
        if (this.held) this.hold({ ...this.held, drawing: null });
    }

    async parts() {
        await this.takeIn();
        return this.held;
    }

    async picture() {
        const held = await this.parts();
        if (this.isMask || !held?.drawing) return held?.blob ?? null;
        const canvas = newCanvas(...held.size);
        const context = canvas.getContext("2d");
        for (const layer of [held.blob, held.drawing]) {
            context.drawImage(await createImageBitmap(layer), 0, 0, canvas.width, canvas.height);
        }
        return asPng(canvas);
    }
}

// Called by Gradio: what the editor holds, what it is to show, and that its bin was pressed.
function drawingRead(name, value) {
    pictureWells[name].answer?.(value);
}

function drawingToShow(name) {
    return pictureWells[name].offered;
}

function drawingCleared(name) {
    pictureWells[name]?.cleared();
}

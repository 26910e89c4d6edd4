// The outpaint canvas: a picture in a frame that grows when its edges are dragged. Picture and room are kept over a reload.

const OUTPAINT_KEY = "easel.outpaint";
const OUTPAINT_TAB = 6;
const OUTPAINT_MOST = 4096;
const OUTPAINT_MARGIN = 44;
const OUTPAINT_SIDES = ["left", "right", "top", "bottom"];
const NO_ROOM = { left: 0, right: 0, top: 0, bottom: 0 };

class OutpaintCanvas {
    constructor() {
        this.stage = byId("outpaint_stage");
        this.frame = byId("outpaint_frame");
        this.view = byId("outpaint_view");
        this.blob = null;
        this.picture = null;
        this.sides = { ...NO_ROOM };
        this.background = "edges";
        this.past = [];
        this.fit = null;
    }

    // A new picture, with no room around it yet. What was there can be had back.
    async put(blob, sides = NO_ROOM) {
        const picture = await outpaintPicture(blob);
        if (this.blob) this.past.push({ blob: this.blob, sides: this.sides });
        this.take(blob, picture, sides);
        await keepPicture("outpaint", blob);
    }

    take(blob, picture, sides) {
        [this.blob, this.picture, this.sides] = [blob, picture, { ...NO_ROOM, ...sides }];
        this.fit = null;
        this.changed();
    }

    async undo() {
        const before = this.past.pop();
        if (!before) return;
        this.take(before.blob, await outpaintPicture(before.blob), before.sides);
        await keepPicture("outpaint", before.blob);
    }

    clear() {
        if (this.blob) this.past.push({ blob: this.blob, sides: this.sides });
        this.take(null, null, NO_ROOM);
        keepPicture("outpaint", null);
    }

    // What was there before the page was loaded anew.
    async recall() {
        const { sides, background } = localGet(OUTPAINT_KEY, {});
        this.background = background in OUTPAINT_BACKGROUNDS ? background : "edges";
        const blob = await keptPicture("outpaint");
        if (blob && !this.blob) this.take(blob, await outpaintPicture(blob), sides);
        else this.show();
    }

    // `wanted`: some sides; each becomes a multiple of 8 between nothing and the most.
    setSides(wanted, { refit = true } = {}) {
        for (const [side, pixels] of Object.entries(wanted)) {
            this.sides[side] = Math.min(Math.max(inCells(Number(pixels) || 0), 0), OUTPAINT_MOST);
        }
        if (refit) this.fit = null;
        this.changed();
    }

    setBackground(name) {
        this.background = name;
        this.changed();
    }

    changed() {
        localSet(OUTPAINT_KEY, { sides: this.sides, background: this.background });
        this.show();
    }

    layout() {
        return outpaintLayout(this.picture, this.sides);
    }

    hasRoom() {
        const { width, height } = this.layout();
        return width > this.picture.width || height > this.picture.height;
    }

    // The scale at which all of it is seen, and where the picture's corner then stands. It stays while an edge is dragged.
    fitted() {
        const { width, height, x, y } = this.layout();
        const [across, down] = [this.stage.clientWidth, this.stage.clientHeight];
        const room = (size) => Math.max(size - 2 * OUTPAINT_MARGIN, 40);
        const scale = Math.min(room(across) / width, room(down) / height, 8);
        return { scale, x: (across - width * scale) / 2 + x * scale, y: (down - height * scale) / 2 + y * scale };
    }

    show() {
        this.showControls();
        this.frame.hidden = !this.picture;
        this.stage.classList.toggle("filled", Boolean(this.picture));
        if (!this.picture || !this.stage.clientWidth) return;
        this.fit ??= this.fitted();
        const layout = this.layout();
        this.placeFrame(layout, this.fit);
        this.draw(layout, this.fit.scale);
    }

    placeFrame(layout, { scale, x, y }) {
        const box = (left, top, width, height) => ({
            left: `${left}px`,
            top: `${top}px`,
            width: `${width}px`,
            height: `${height}px`,
        });
        const { width, height } = layout;
        const frame = box(x - layout.x * scale, y - layout.y * scale, width * scale, height * scale);
        Object.assign(this.frame.style, frame);
        const inner = this.frame.querySelector(".outpaint-picture");
        const { width: own, height: ownHeight } = this.picture;
        Object.assign(inner.style, box(layout.x * scale, layout.y * scale, own * scale, ownHeight * scale));
    }

    // Drawn at the size at which it is seen, so that dragging stays smooth with large pictures.
    draw(layout, scale) {
        const seen = Math.min(scale * devicePixelRatio, 1);
        this.view.width = Math.max(Math.round(layout.width * seen), 1);
        this.view.height = Math.max(Math.round(layout.height * seen), 1);
        const context = this.view.getContext("2d");
        context.scale(this.view.width / layout.width, this.view.height / layout.height);
        drawOutpaint(context, this.picture, layout, this.background);
    }

    showControls() {
        for (const side of OUTPAINT_SIDES) {
            const field = byId(`outpaint_${side}`);
            field.value = this.sides[side];
            field.disabled = !this.picture;
        }
        byId("outpaint_background").value = this.background;
        byId("outpaint_undo").disabled = !this.past.length;
        byId("outpaint_reset").disabled = !this.picture || !this.hasRoom();
        byId("outpaint_clear").disabled = !this.picture;
        byId("outpaint_size").textContent = this.sizeSentence();
    }

    sizeSentence() {
        if (!this.picture) return "";
        const { width, height } = this.layout();
        const own = `${this.picture.width} × ${this.picture.height}`;
        return this.hasRoom() ? `${own} grows to ${width} × ${height}` : `${own}, no room yet`;
    }
}

let outpaintCanvas = null;

async function outpaintPicture(blob) {
    try {
        return await flattened(await createImageBitmap(blob));
    } catch {
        throw new Error("This file cannot be read as a picture. Choose a PNG, JPEG, WebP, AVIF, GIF or BMP file.");
    }
}

// What can be seen through gets the colour that the settings name for it.
async function flattened(picture) {
    const canvas = newCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.fillStyle = opts.img2img_background_color ?? "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0);
    return canvas;
}

// Twice the blur: so far its softness reaches, and the picture's outermost pixels are drawn anew all of them.
function outpaintOverlap() {
    return 2 * (Number(document.querySelector("#img2img_mask_blur input[type=number]")?.value ?? 4) || 0);
}

// What Generate needs of the canvas. Throws a sentence when there is nothing to fill.
async function outpaintParts() {
    const { picture, background } = outpaintCanvas;
    if (!picture) throw new Error("There is no picture on the outpaint canvas. Drop one there, or send it a result.");
    if (!outpaintCanvas.hasRoom()) {
        throw new Error("The outpaint canvas has no room to fill yet. Drag an edge outwards, or type how far.");
    }
    return outpaintPictures(picture, outpaintCanvas.layout(), background, outpaintOverlap());
}

async function takeResultOntoCanvas() {
    await sendPicture("outpaint", chosenPictureAddress("img2img"));
}

onUiLoaded(async () => {
    if (!byId("outpaint_stage")) return;
    outpaintCanvas = new OutpaintCanvas();
    bindOutpaintPointer(outpaintCanvas);
    bindOutpaintControls(outpaintCanvas);
    new ResizeObserver(() => {
        outpaintCanvas.fit = null;
        outpaintCanvas.show();
    }).observe(outpaintCanvas.stage);
    registerPicturePlace("outpaint", {
        open: () => switch_to_img2img_tab(OUTPAINT_TAB),
        put: (blob) => outpaintCanvas.put(blob),
        get: async () => outpaintCanvas.blob,
    });
    await outpaintCanvas.recall();
});

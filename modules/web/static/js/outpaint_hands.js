// Hands on the outpaint canvas: dragging its edges, its corners and the picture, arrow keys, fields, files.

const OUTPAINT_STEP = 8;
const OUTPAINT_LONG_STEP = 64;
const OUTWARD_KEYS = { left: "ArrowLeft", right: "ArrowRight", top: "ArrowUp", bottom: "ArrowDown" };
const INWARD_KEYS = { left: "ArrowRight", right: "ArrowLeft", top: "ArrowDown", bottom: "ArrowUp" };

// How the sides change when the pointer has moved by (dx, dy) pixels of the picture while it held the handle `names`.
function draggedSides(start, names, dx, dy) {
    const moved = { left: -dx, right: dx, top: -dy, bottom: dy };
    return Object.fromEntries(names.map((side) => [side, start[side] + moved[side]]));
}

// The picture moves in the room that there is: what one side gains the other loses.
function movedPicture(start, dx, dy) {
    const move = (before, after, by) => {
        const place = Math.min(Math.max(inCells(before + by), 0), before + after);
        return [place, before + after - place];
    };
    const [left, right] = move(start.left, start.right, dx);
    const [top, bottom] = move(start.top, start.bottom, dy);
    return { left, right, top, bottom };
}

function bindOutpaintPointer(canvas) {
    let drag = null;
    canvas.frame.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || !canvas.picture) return;
        const handle = event.target.closest(".outpaint-handle");
        drag = {
            names: handle?.dataset.sides.split(" ") ?? null,
            start: { ...canvas.sides },
            scale: canvas.fit.scale,
            x: event.clientX,
            y: event.clientY,
        };
        canvas.frame.setPointerCapture(event.pointerId);
        canvas.frame.classList.add("dragged");
        handle?.focus({ preventScroll: true });
        event.preventDefault();
    });
    canvas.frame.addEventListener("pointermove", (event) => {
        if (!drag) return;
        const [dx, dy] = [(event.clientX - drag.x) / drag.scale, (event.clientY - drag.y) / drag.scale];
        if (drag.names) canvas.setSides(draggedSides(drag.start, drag.names, dx, dy), { refit: false });
        else canvas.setSides(movedPicture(drag.start, dx, dy));
    });
    const letGo = () => {
        if (!drag) return;
        drag = null;
        canvas.frame.classList.remove("dragged");
        canvas.setSides({});
    };
    canvas.frame.addEventListener("pointerup", letGo);
    canvas.frame.addEventListener("pointercancel", letGo);
}

function outpaintKey(canvas, event) {
    const side = event.target.closest(".outpaint-handle")?.dataset.sides;
    const direction = { [OUTWARD_KEYS[side]]: 1, [INWARD_KEYS[side]]: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = event.shiftKey ? OUTPAINT_LONG_STEP : OUTPAINT_STEP;
    canvas.setSides({ [side]: canvas.sides[side] + direction * step });
}

async function putOnCanvas(canvas, file) {
    try {
        if (file) await canvas.put(file);
    } catch (error) {
        showNotice(error.message);
    }
}

function bindOutpaintFiles(canvas) {
    byId("outpaint_file").addEventListener("change", (event) => {
        putOnCanvas(canvas, event.target.files[0]);
        event.target.value = "";
    });
    canvas.stage.addEventListener("dragover", (event) => event.preventDefault());
    canvas.stage.addEventListener("drop", (event) => {
        event.preventDefault();
        putOnCanvas(canvas, event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => {
        const file = canvas.stage.offsetParent && pictureFileOf(event.clipboardData);
        if (file) putOnCanvas(canvas, file);
    });
}

function bindOutpaintControls(canvas) {
    for (const side of OUTPAINT_SIDES) {
        byId(`outpaint_${side}`).addEventListener("change", (event) => canvas.setSides({ [side]: event.target.value }));
    }
    byId("outpaint_background").addEventListener("change", (event) => canvas.setBackground(event.target.value));
    byId("outpaint_take").addEventListener("click", takeResultOntoCanvas);
    byId("outpaint_undo").addEventListener("click", () => canvas.undo());
    byId("outpaint_reset").addEventListener("click", () => canvas.setSides(NO_ROOM));
    byId("outpaint_clear").addEventListener("click", () => canvas.clear());
    canvas.frame.addEventListener("keydown", (event) => outpaintKey(canvas, event));
    bindOutpaintFiles(canvas);
}

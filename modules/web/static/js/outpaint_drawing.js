// The outpaint canvas as pictures: how large it is, what stands in the new parts, which parts are drawn anew.
//
// `sides`: { left, right, top, bottom }, pixels of room. `layout`: { width, height, x, y } of the whole canvas and the
// place of the picture on it.

const OUTPAINT_CELL = 8;
const OUTPAINT_LEAST = 64;
const OUTPAINT_SOFTER = 16;

function inCells(pixels, round = Math.round) {
    return round(pixels / OUTPAINT_CELL) * OUTPAINT_CELL;
}

// The canvas is a multiple of 8: what a picture's own size leaves over becomes room at the right and at the bottom.
function outpaintLayout(picture, sides) {
    const whole = (size, before, after) => Math.max(inCells(size + before + after, Math.ceil), OUTPAINT_LEAST);
    return {
        width: whole(picture.width, sides.left, sides.right),
        height: whole(picture.height, sides.top, sides.bottom),
        x: sides.left,
        y: sides.top,
    };
}

function newCanvas(width, height) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    return canvas;
}

// Calls `draw(from, to)` for the strips of one direction: before the picture, the picture, after it; each a pair of
// start and length. `from` is the outermost pixel of the picture where it is to be stretched.
function stretchedStrips(size, place, whole) {
    return [
        { from: [0, 1], to: [0, place] },
        { from: [0, size], to: [place, size] },
        { from: [size - 1, 1], to: [place + size, whole - place - size] },
    ].filter(({ to }) => to[1] > 0);
}

// The outermost pixels stretched over the room, and then softened, so that they do not look like streaks.
function drawEdgeColours(context, picture, layout) {
    const { width, height } = layout;
    const sharp = newCanvas(Math.ceil(width / 2), Math.ceil(height / 2));
    const drawing = sharp.getContext("2d");
    drawing.scale(sharp.width / width, sharp.height / height);
    for (const across of stretchedStrips(picture.width, layout.x, width)) {
        for (const down of stretchedStrips(picture.height, layout.y, height)) {
            drawing.drawImage(
                picture,
                across.from[0], down.from[0], across.from[1], down.from[1],
                across.to[0], down.to[0], across.to[1], down.to[1],
            );
        }
    }
    const soft = newCanvas(Math.ceil(width / OUTPAINT_SOFTER), Math.ceil(height / OUTPAINT_SOFTER));
    drawSmoothly(soft.getContext("2d"), sharp, soft.width, soft.height);
    drawSmoothly(context, soft, width, height);
}

function drawSmoothly(context, source, width, height) {
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, width, height);
}

// The picture, mirrored at its edges again and again until the room is full.
function drawMirrored(context, picture, layout) {
    const before = (place, size) => -Math.ceil(place / size);
    const after = (place, size, whole) => Math.ceil((whole - place - size) / size);
    for (let row = before(layout.y, picture.height); row <= after(layout.y, picture.height, layout.height); row++) {
        for (let column = before(layout.x, picture.width); column <= after(layout.x, picture.width, layout.width); column++) {
            const [flipX, flipY] = [column % 2 !== 0, row % 2 !== 0];
            context.save();
            context.translate(
                layout.x + (column + (flipX ? 1 : 0)) * picture.width,
                layout.y + (row + (flipY ? 1 : 0)) * picture.height,
            );
            context.scale(flipX ? -1 : 1, flipY ? -1 : 1);
            context.drawImage(picture, 0, 0);
            context.restore();
        }
    }
}

const OUTPAINT_BACKGROUNDS = { edges: drawEdgeColours, mirror: drawMirrored };

// All of the canvas, at its own size in the coordinates of `context`.
function drawOutpaint(context, picture, layout, background) {
    OUTPAINT_BACKGROUNDS[background](context, picture, layout);
    context.drawImage(picture, layout.x, layout.y);
}

// White is drawn anew: the room, and a strip of `overlap` pixels of the picture beside it, over which old and new blend.
function drawOutpaintMask(context, picture, layout, overlap) {
    const [acrossMost, downMost] = [picture.width >> 2, picture.height >> 2];
    const strip = (room, most) => (room > 0 ? Math.min(overlap, most) : 0);
    const left = layout.x + strip(layout.x, acrossMost);
    const top = layout.y + strip(layout.y, downMost);
    const right = layout.x + picture.width - strip(layout.width - layout.x - picture.width, acrossMost);
    const bottom = layout.y + picture.height - strip(layout.height - layout.y - picture.height, downMost);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, layout.width, layout.height);
    context.fillStyle = "#000";
    context.fillRect(left, top, right - left, bottom - top);
}

function asPng(canvas) {
    return new Promise((resolve, reject) => {
        const refused = () => reject(new Error("The browser has no memory for a canvas of this size. Make it smaller."));
        canvas.toBlob((blob) => (blob ? resolve(blob) : refused()), "image/png");
    });
}

// What Generate sends: { picture, mask, width, height }.
async function outpaintPictures(picture, layout, background, overlap) {
    const [whole, mask] = [newCanvas(layout.width, layout.height), newCanvas(layout.width, layout.height)];
    drawOutpaint(whole.getContext("2d"), picture, layout, background);
    drawOutpaintMask(mask.getContext("2d"), picture, layout, overlap);
    return { picture: await asPng(whole), mask: await asPng(mask), width: layout.width, height: layout.height };
}

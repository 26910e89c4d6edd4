// The sizes that the hires pass goes from and to, beside its heading.

function sliderValue(id) {
    return Number(document.querySelector(`#${id} input[type=number]`)?.value ?? 0);
}

function hiresSize(width, height, scale, toWidth, toHeight) {
    if (!toWidth && !toHeight) return [Math.floor(width * scale), Math.floor(height * scale)];
    if (!toWidth) return [Math.floor((toHeight * width) / height), toHeight];
    if (!toHeight) return [toWidth, Math.floor((toWidth * height) / width)];
    return [toWidth, toHeight];
}

function showHiresSize() {
    const [width, height] = [sliderValue("txt2img_width"), sliderValue("txt2img_height")];
    const wanted = ["hr_scale", "hr_resize_x", "hr_resize_y"].map((name) => sliderValue(`txt2img_${name}`));
    const [toWidth, toHeight] = hiresSize(width, height, ...wanted);
    const place = byId("txt2img_hr_resolution");
    const sentence = `from ${width}×${height} to ${toWidth}×${toHeight}`;
    if (place && place.textContent !== sentence) place.textContent = sentence;
}

onAfterUiUpdate(showHiresSize);
document.addEventListener("input", (event) => {
    if (event.target.closest?.("#txt2img_settings")) showHiresSize();
});

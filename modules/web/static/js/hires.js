// The hires panel: the sizes that the pass goes from and to, and the rows that few people need.

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

// The rows for another sampler and another prompt are there by setting, and whenever they say something.
function showHiresRows() {
    const filled = (id, empty) =>
        Array.from(document.querySelectorAll(`#${id} input, #${id} textarea`)).some((field) => !empty.test(field.value));
    const samplers = opts.hires_fix_show_sampler || filled("txt2img_hires_samplers", /^(Use same .*)?$/);
    const prompts = opts.hires_fix_show_prompts || filled("txt2img_hires_prompts", /^$/);
    byId("txt2img_hires_samplers").classList.toggle("hidden-page", !samplers);
    byId("txt2img_hires_prompts").classList.toggle("hidden-page", !prompts);
}

onAfterUiUpdate(showHiresSize);
onAfterUiUpdate(showHiresRows);
document.addEventListener("input", (event) => {
    if (event.target.closest?.("#txt2img_settings")) showHiresSize();
});

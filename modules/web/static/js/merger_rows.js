// What a merge has any number of: further models of a formula, LoRAs, weights of single blocks. The browser keeps them.

const MERGER_KEY = "easel.merger.rows";
const FIRST_FREE_LETTER = "D";
const MOST_LETTERS = 23;

// The blocks of a UNet by the names that the field passes around; SDXL has the first nine of IN and OUT. BASE is all that
// is no block: text encoders, VAE.
const MERGER_BLOCKS = [
    ["Rest", ["BASE"]],
    ["In", blockNames("IN", 12)],
    ["Mid", ["M00"]],
    ["Out", blockNames("OUT", 12)],
];
const SDXL_SIDE = 9;
// A title is the name, and the hash once that is known.
const TRAILING_HASH = / \[[0-9a-f]+\]$/;

// { name } each, the n-th with the n-th letter from D; { name, text, unet } each; multipliers by block.
const mergerRows = { models: [], loras: [], blocks: {} };
const mergerFiles = { checkpoints: [], loras: [] };

function blockNames(side, count) {
    return Array.from({ length: count }, (_, number) => `${side}${String(number).padStart(2, "0")}`);
}

function modelLetter(number) {
    return String.fromCharCode(FIRST_FREE_LETTER.charCodeAt(0) + number);
}

function mergerRowsChanged() {
    localSet(MERGER_KEY, mergerRows);
    showMergerSummaries();
    mergerFormEdited("modelmerger");
}

async function fetchMergerFiles() {
    try {
        const [checkpoints, loras] = await Promise.all([getJson("sdapi/v1/sd-models"), getJson("sdapi/v1/loras")]);
        mergerFiles.checkpoints = checkpoints.map(({ title }) => title.replace(TRAILING_HASH, ""));
        mergerFiles.loras = loras.map(({ name }) => name);
    } catch (error) {
        if (!error.isAway) showNotice(error.message);
    }
    showModelRows();
    showLoraRows();
}

// A menu of `names`; a chosen one that is not there any more is shown all the same.
function fileMenu(names, chosen, label, choose) {
    const menu = element("select", "");
    menu.setAttribute("aria-label", label);
    const offered = chosen && !names.includes(chosen) ? [chosen, ...names] : names;
    menu.append(new Option("Choose …", ""), ...offered.map((name) => new Option(name, name)));
    menu.value = chosen;
    menu.addEventListener("change", () => {
        choose(menu.value);
        mergerRowsChanged();
    });
    return menu;
}

function rowButton(label, act) {
    const button = element("button", "", label);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
}

function removeButton(label, rows, row, show) {
    const button = rowButton("×", () => {
        rows.splice(rows.indexOf(row), 1);
        show();
        mergerRowsChanged();
    });
    button.className = "merger-remove";
    button.setAttribute("aria-label", label);
    button.title = label;
    return button;
}

function addButton(label, rows, row, show) {
    return rowButton(label, () => {
        rows.push({ ...row });
        show();
        mergerRowsChanged();
    });
}

function showModelRows() {
    const rows = mergerRows.models;
    const items = rows.map((row, number) => {
        const letter = modelLetter(number);
        const item = element("div", "merger-row");
        const menu = fileMenu(mergerFiles.checkpoints, row.name, `Model ${letter}`, (name) => (row.name = name));
        const remove = removeButton(`Remove model ${letter}`, rows, row, showModelRows);
        item.append(element("b", "merger-letter", letter), menu, remove);
        return item;
    });
    const more = rows.length < MOST_LETTERS ? [addButton("Add a model", rows, { name: "" }, showModelRows)] : [];
    scriptsPlace("modelmerger_more_models").replaceChildren(...items, ...more);
}

function strengthField(row, key, label) {
    const field = element("label", "merger-strength", label);
    const input = element("input", "");
    Object.assign(input, { type: "number", step: 0.05, value: row[key] });
    input.addEventListener("input", () => {
        row[key] = input.valueAsNumber;
        mergerRowsChanged();
    });
    field.append(input);
    return field;
}

function showLoraRows() {
    const rows = mergerRows.loras;
    const items = rows.map((row, number) => {
        const item = element("div", "merger-row");
        item.append(
            fileMenu(mergerFiles.loras, row.name, `LoRA ${number + 1}`, (name) => (row.name = name)),
            strengthField(row, "unet", "UNet"),
            strengthField(row, "text", "Text"),
            removeButton(`Remove LoRA ${number + 1}`, rows, row, showLoraRows),
        );
        return item;
    });
    const more = addButton("Add a LoRA", rows, { name: "", unet: 1, text: 1 }, showLoraRows);
    scriptsPlace("modelmerger_lora_rows").replaceChildren(...items, more);
}

function allBlocks() {
    return MERGER_BLOCKS.flatMap(([, names]) => names);
}

// The numbers with commas that people pass around (25 blocks, with BASE before them 26; of SDXL 19 and 20), or
// "IN04=0.5, OUT03=1". Null: neither.
function readBlocks(text) {
    const parts = text.split(/[,\s]+/).filter(Boolean);
    if (!parts.length) return {};
    const named = parts.map((part) => /^([A-Z]+\d*)[=:](-?[\d.]+)$/i.exec(part));
    if (named.every(Boolean)) {
        const found = Object.fromEntries(named.map(([, name, value]) => [name.toUpperCase(), Number(value)]));
        return Object.keys(found).every((name) => allBlocks().includes(name)) ? found : null;
    }
    const numbers = parts.map(Number);
    const names = blocksOfCount(numbers.length);
    if (!names || numbers.some(Number.isNaN)) return null;
    return Object.fromEntries(names.map((name, place) => [name, numbers[place]]));
}

function blocksOfCount(count) {
    const side = { 25: 12, 26: 12, 19: SDXL_SIDE, 20: SDXL_SIDE }[count];
    if (!side) return null;
    const unet = [...blockNames("IN", side), "M00", ...blockNames("OUT", side)];
    return count === 2 * side + 2 ? ["BASE", ...unet] : unet;
}

function writeBlocks() {
    const own = allBlocks().filter((name) => name in mergerRows.blocks);
    return own.map((name) => `${name}=${mergerRows.blocks[name]}`).join(", ");
}

function blockSlider(name) {
    const column = element("label", "merger-block");
    const slider = element("input", "");
    Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.05 });
    slider.dataset.block = name;
    slider.setAttribute("aria-label", name);
    slider.addEventListener("input", () => {
        mergerRows.blocks[name] = slider.valueAsNumber;
        showBlocks();
        mergerRowsChanged();
    });
    slider.addEventListener("dblclick", () => {
        delete mergerRows.blocks[name];
        showBlocks();
        mergerRowsChanged();
    });
    column.append(element("output", ""), slider, element("span", "", name.replace(/^[A-Z]+0?/, "") || "base"));
    return column;
}

function makeBlocks() {
    const strip = element("div", "merger-blocks");
    for (const [title, names] of MERGER_BLOCKS) {
        const group = element("fieldset", "");
        const columns = element("div", "");
        columns.append(...names.map(blockSlider));
        group.append(element("legend", "", title), columns);
        strip.append(group);
    }
    const text = element("input", "");
    Object.assign(text, { type: "text", placeholder: "IN04=0.5, OUT03=1, or 19, 20, 25 or 26 numbers with commas" });
    text.id = "modelmerger_block_text";
    text.setAttribute("aria-label", "Weights of blocks as text");
    text.addEventListener("change", () => takeBlocks(text.value));
    const reset = rowButton("All as the multiplier", () => takeBlocks(""));
    const line = element("div", "merger-row");
    line.append(text, reset);
    const hint = element("p", "hint", "Grey blocks follow the multiplier; a double click lets one follow it again. Rest is all that is no block, such as the text encoder. SDXL has 0 to 8 of In and Out.");
    scriptsPlace("modelmerger_block_weights").replaceChildren(strip, line, hint);
    showBlocks();
}

function takeBlocks(text) {
    const found = readBlocks(text);
    if (!found) return showNotice("These are no weights of blocks: give names as in IN04=0.5, or 19, 20, 25 or 26 numbers.");
    mergerRows.blocks = found;
    showBlocks();
    mergerRowsChanged();
}

// The sliders and the text, from the weights; `multiplier` is what the other blocks follow.
function showBlocks() {
    const multiplier = mergerForms.modelmerger?.multiplier ?? 0;
    for (const slider of document.querySelectorAll(".merger-block input")) {
        const own = mergerRows.blocks[slider.dataset.block];
        slider.value = own ?? multiplier;
        slider.style.setProperty("--share", `${100 * slider.value}%`);
        slider.parentElement.classList.toggle("own", own !== undefined);
        slider.parentElement.querySelector("output").textContent = String(own ?? multiplier).replace(/^0\./, ".");
    }
    byId("modelmerger_block_text").value = writeBlocks();
}

function showMergerSummaries() {
    const blocks = Object.keys(mergerRows.blocks).length;
    const loras = mergerRows.loras.filter(({ name }) => name).length;
    byId("modelmerger_blocks_summary").textContent = blocks ? `${blocks} of ${allBlocks().length} differ` : "all as the multiplier";
    byId("modelmerger_loras_summary").textContent = loras === 1 ? "1 LoRA" : `${loras} LoRAs`;
}

onUiLoaded(() => {
    Object.assign(mergerRows, localGet(MERGER_KEY, {}));
    makeBlocks();
    showMergerSummaries();
    fetchMergerFiles();
});

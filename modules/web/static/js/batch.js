// The Batch sub-tab: the pictures to send stay here until Generate; how far the batches are is asked while one is at work.

const BATCH_UPLOAD = 0;
const BATCH_PROMPT_USES = ["Append", "Replace"];
const BATCH_LOOK_MS = 1500;
const BATCH_KEPT_MOST = 512 * 2 ** 20; // bytes of pictures that the browser keeps over a reload
const BATCH_ENDINGS = /\.(png|jpe?g|webp|avif|gif|bmp|tiff?)$/i;

const batchFiles = {};
let batchTimer = null;

function batchField(tab, name) {
    return byId(`${tab}_batch_${name}`);
}

function batchText(tab, name) {
    return batchField(tab, name).querySelector("textarea, input").value;
}

// Gradio tells the values of such choices to nobody but the server: they are known by what they show, or by their places.
function batchChoices(tab, name) {
    const inputs = Array.from(batchField(tab, name).querySelectorAll("input"));
    return inputs.map((input, place) => ({ place, label: input.closest("label").textContent.trim(), isOn: input.checked })).filter(({ isOn }) => isOn);
}

function showBatchSource(tab, source) {
    batchField(tab, "upload").classList.toggle("hidden-page", source !== BATCH_UPLOAD);
    batchField(tab, "folders").classList.toggle("hidden-page", source === BATCH_UPLOAD);
}

function addBatchFiles(tab, files) {
    const pictures = Array.from(files).filter((file) => BATCH_ENDINGS.test(file.name));
    if (pictures.length < files.length) showNotice("Files that are no pictures are left out.", "info");
    takeBatchFiles(tab, [...batchFiles[tab], ...pictures]);
}

// The list stays until it is emptied by hand, over a reload too.
function takeBatchFiles(tab, files) {
    batchFiles[tab] = files;
    showBatchFiles(tab);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    keepPicture(`${tab}_batch`, files.length && size <= BATCH_KEPT_MOST ? files : null);
}

async function recallBatchFiles(tab) {
    const files = await keptPicture(`${tab}_batch`);
    if (!files || batchFiles[tab].length) return;
    batchFiles[tab] = files;
    showBatchFiles(tab);
}

function showBatchFiles(tab) {
    const files = batchFiles[tab];
    const names = batchField(tab, "names");
    const size = files.reduce((sum, file) => sum + file.size, 0) / 2 ** 20;
    const first = files.slice(0, 3).map((file) => file.name).join(", ");
    names.textContent = `${files.length} picture${files.length === 1 ? "" : "s"}, ${size.toFixed(1)} MB: ${first}${files.length > 3 ? ", …" : ""}`;
    names.hidden = batchField(tab, "remove_all").hidden = !files.length;
    names.closest(".picture-drop").classList.toggle("filled", files.length > 0);
}

// What the sub-tab says beside the form.
function batchSource(tab, isSent) {
    return {
        input_folder: isSent ? "" : batchText(tab, "input_dir"),
        output_folder: batchText(tab, "output_dir"),
        mask_folder: batchText(tab, "inpaint_mask_dir"),
        text_folder: batchText(tab, "png_info_dir"),
        reads_pictures: batchField(tab, "use_png_info-checkbox").querySelector("input").checked,
        reads_text_files: batchField(tab, "text_files").querySelector("input").checked,
        properties: batchChoices(tab, "png_info_props").map(({ label }) => label),
        prompt_use: BATCH_PROMPT_USES[batchChoices(tab, "prompt_use")[0]?.place ?? 0],
    };
}

// `names` and `values`: the form's controls, handed over by Gradio.
async function startBatch(tab, names, values) {
    const isSent = !batchField(tab, "upload").classList.contains("hidden-page");
    const files = isSent ? [...batchFiles[tab]] : [];
    if (isSent && !files.length) return showNotice("There is no picture in the batch yet. Drop some, or name their directory.");
    const form = Object.fromEntries(names.map((name, number) => [name, values[number]]));
    try {
        const sent = { tab, values: form, batch: batchSource(tab, isSent), is_sent: isSent };
        const batch = await postJson("internal/web/batches", sent);
        if (isSent) await sendBatchFiles(tab, batch.id, files);
    } catch (error) {
        showNotice(error.message);
    }
    await lookAtBatches(tab);
}

async function sendBatchFiles(tab, id, files) {
    for (const [number, file] of files.entries()) {
        showBatchSending(tab, `Sending ${number + 1} of ${files.length}: ${file.name}`);
        const body = new FormData();
        body.append("picture", file, file.name);
        try {
            await askJson(`internal/web/batches/${id}/pictures`, { method: "POST", body });
        } catch (error) {
            if (error.isAway) throw error;
            showNotice(`${file.name}: ${error.message}`);
        }
    }
    await postJson(`internal/web/batches/${id}/begin`, {});
}

function showBatchSending(tab, sentence) {
    scriptsPlace(`${tab}_batch_list`).replaceChildren(element("p", "batch-sending", sentence));
}

async function askBatch(tab, batch, action) {
    try {
        if (action === "discard") await askJson(`internal/web/batches/${batch.id}`, { method: "DELETE" });
        else await postJson(`internal/web/batches/${batch.id}/${action}`, {});
    } catch (error) {
        showNotice(error.message);
    }
    await lookAtBatches(tab);
}

async function lookAtBatches(tab) {
    clearTimeout(batchTimer);
    let batches = null;
    try {
        batches = await getJson("internal/web/batches");
        showBatches(tab, batches);
    } catch (error) {
        if (!error.isAway) showNotice(error.message);
    }
    const isActive = batches === null || batches.some(({ state }) => state === "running" || state === "stopping");
    if (isActive) batchTimer = setTimeout(() => lookAtBatches(tab), document.hidden ? 10 * BATCH_LOOK_MS : BATCH_LOOK_MS);
}

function showBatches(tab, batches) {
    const place = scriptsPlace(`${tab}_batch_list`);
    const before = new Map(Array.from(place.querySelectorAll(".batch-row"), (row) => [row.dataset.id, row]));
    place.replaceChildren(...batches.map((batch) => updateBatchRow(tab, before.get(batch.id) ?? makeBatchRow(batch), batch)));
}

function makeBatchRow(batch) {
    const row = element("section", "batch-row");
    row.dataset.id = batch.id;
    const failed = element("details", "batch-failed");
    failed.append(element("summary", ""), element("ul", ""));
    const bar = element("progress", "");
    row.append(element("p", "batch-title"), bar, element("p", "batch-state"), failed, element("div", "batch-actions"));
    row.querySelector(".batch-state").setAttribute("role", "status");
    return row;
}

function updateBatchRow(tab, row, batch) {
    setTextOf(row.querySelector(".batch-title"), batch.title);
    const bar = row.querySelector("progress");
    bar.max = Math.max(batch.total, 1);
    bar.value = batch.done;
    bar.setAttribute("aria-label", `Batch over ${batch.title}`);
    const failed = Object.entries(batch.failed);
    const parts = [`${batch.done} of ${batch.total}`, { running: "", done: "" }[batch.state] ?? batch.state, batch.notice];
    setTextOf(row.querySelector(".batch-state"), parts.filter(Boolean).join(" · "));
    updateBatchFailures(row.querySelector(".batch-failed"), failed, batch.failed_count);
    const actions = batchActions(batch);
    const place = row.querySelector(".batch-actions");
    if (place.dataset.shown !== actions.map(([name]) => name).join()) {
        place.dataset.shown = actions.map(([name]) => name).join();
        place.replaceChildren(...actions.map(([name, action]) => batchButton(tab, batch, name, action)));
    }
    return row;
}

function updateBatchFailures(details, failed, count) {
    details.hidden = !failed.length;
    setTextOf(details.querySelector("summary"), `${count} failed: ${failed.map(([name]) => name).join(", ")}`);
    const list = details.querySelector("ul");
    if (list.childElementCount !== failed.length) {
        list.replaceChildren(...failed.map(([name, sentence]) => element("li", "", `${name}: ${sentence}`)));
    }
}

function batchActions(batch) {
    if (batch.state === "running") return [["Stop", "stop"]];
    if (batch.state === "stopping") return [];
    const actions = [["Forget", "discard"]];
    if (batch.failed_count) actions.unshift(["Try failed ones again", "continue?failed=true"]);
    if (batch.state === "stopped") actions.unshift(["Continue", "continue"]);
    return actions;
}

function batchButton(tab, batch, name, action) {
    const button = element("button", "", name);
    button.type = "button";
    button.addEventListener("click", () => askBatch(tab, batch, action));
    return button;
}

onUiLoaded(() => {
    for (const drop of document.querySelectorAll(".batch-drop")) {
        const tab = drop.closest(".batch").id.replace(/_batch$/, "");
        batchFiles[tab] = [];
        batchField(tab, "files").addEventListener("change", (event) => {
            addBatchFiles(tab, event.target.files);
            event.target.value = "";
        });
        drop.addEventListener("dragover", (event) => event.preventDefault());
        drop.addEventListener("drop", (event) => {
            event.preventDefault();
            addBatchFiles(tab, event.dataTransfer.files);
        });
        batchField(tab, "remove_all").addEventListener("click", () => takeBatchFiles(tab, []));
        recallBatchFiles(tab);
        lookAtBatches(tab);
        onConnection((isBack) => isBack && lookAtBatches(tab));
    }
});

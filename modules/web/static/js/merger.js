// The Checkpoint Merger tab: what is filled in goes to the server, which plans it after every change and writes the file
// when it is told to; merges go on whether anybody looks or not, and are found again after a reload.

const MERGER_TABS = {
    modelmerger: { address: "easel/v1/merges", first: "primary", button: "modelmerger_merge", missing: "Choose model A, and what to do with it." },
    modelmerger_convert: { address: "easel/v1/conversions", first: "checkpoint", button: "modelmerger_convert_convert", missing: "Choose a checkpoint to convert." },
};
const MERGER_SUBTABS = { modelmerger_tab_merge: "modelmerger", modelmerger_tab_convert: "modelmerger_convert" };
const MERGER_PLAN_MS = 400;
const MERGER_LOOK_MS = 500;
const MERGER_OPEN = ["waiting", "running"];

// By the method: which of the models it uses, and what it does with them.
const MERGER_METHODS = {
    "No interpolation": { models: ["primary"], says: "Model A as it is: to bake in a VAE or LoRAs, to change the format, or to write metadata." },
    "Weighted sum": { models: ["primary", "secondary"], says: "A mix of two models: A * (1 - M) + B * M." },
    "Add difference": { models: ["primary", "secondary", "tertiary"], says: "What B learned beyond C, put onto A: A + (B - C) * M." },
    Formula: { models: ["primary", "secondary", "tertiary"], says: "Any sum of models by their letters; m is the multiplier, or the weight of the block." },
};

// What stands in the forms, by tab, as Gradio told last.
const mergerForms = {};
let mergerPlanTimer = null;
let mergerPlanAsked = null;
let mergerLookTimer = null;
// Ids of merges that were at work when the page looked last.
let mergesAtWork = new Set();

function mergerTab() {
    return MERGER_SUBTABS[document.querySelector("#mode_modelmerger > .tab-nav > .selected").dataset.page];
}

// `names` and `values`: the form's controls, handed over by Gradio.
function mergerChanged(tab, names, values) {
    mergerForms[tab] = Object.fromEntries(names.map((name, number) => [name, values[number]]));
    if (tab === "modelmerger") {
        showMergeMethod(mergerForms.modelmerger.interp_method);
        showBlocks();
    }
    mergerFormEdited(tab);
}

function showMergeMethod(method) {
    byId("modelmerger_tab_merge").dataset.method = method;
    setTextOf(document.querySelector("#modelmerger_interp_description p"), MERGER_METHODS[method]?.says ?? "");
}

function mergerFormEdited(tab) {
    clearTimeout(mergerPlanTimer);
    mergerPlanTimer = setTimeout(() => mergerIsSeen() && tab === mergerTab() && planMerging(tab), MERGER_PLAN_MS);
}

function mergerIsSeen() {
    return !byId("tab_modelmerger").classList.contains("hidden-page") && !document.hidden;
}

// What is sent: of the models those that the method uses, of the rows those that are filled in.
function mergeOrder({ uses_blocks, uses_loras, ...form }) {
    const used = MERGER_METHODS[form.interp_method].models;
    const isFormula = form.interp_method === "Formula";
    const further = mergerRows.models.map(({ name }, number) => [modelLetter(number), name]).filter(([, name]) => name);
    return {
        ...form,
        secondary: used.includes("secondary") ? form.secondary : null,
        tertiary: used.includes("tertiary") ? form.tertiary : null,
        formula: isFormula ? form.formula : "",
        models: isFormula ? Object.fromEntries(further) : {},
        block_weights: uses_blocks && form.interp_method !== "No interpolation" ? mergerRows.blocks : {},
        loras: uses_loras ? mergerRows.loras.filter(({ name }) => name) : [],
    };
}

function orderOf(tab) {
    const form = mergerForms[tab];
    return tab === "modelmerger" ? mergeOrder(form) : form;
}

// The dry run, in the right column. Only the newest answer counts.
async function planMerging(tab) {
    clearTimeout(mergerPlanTimer);
    const { address, first, missing } = MERGER_TABS[tab];
    if (!mergerForms[tab]?.[first]) return showMergerPlan(element("p", "hint", missing));
    mergerPlanAsked?.abort();
    const asking = (mergerPlanAsked = new AbortController());
    byId("modelmerger_plan").setAttribute("aria-busy", "true");
    try {
        const body = JSON.stringify({ ...orderOf(tab), dry_run: true });
        const request = { method: "POST", headers: { "Content-Type": "application/json" }, body, signal: asking.signal };
        const plan = await askJson(address, request);
        if (!asking.signal.aborted) showMergerPlan(planCard(plan));
    } catch (error) {
        if (!asking.signal.aborted) showMergerPlan(mergerProblem(error.message));
    } finally {
        if (asking === mergerPlanAsked) byId("modelmerger_plan").removeAttribute("aria-busy");
    }
}

async function startMerging(tab) {
    const { address, first, missing, button } = MERGER_TABS[tab];
    if (!mergerForms[tab]?.[first]) return showMergerPlan(mergerProblem(missing));
    byId(button).disabled = true;
    try {
        const task = await postJson(address, orderOf(tab));
        mergesAtWork.add(task.id);
        showMergerPlan();
    } catch (error) {
        showMergerPlan(mergerProblem(error.message));
    } finally {
        byId(button).disabled = false;
    }
    await lookAtMerges();
}

function mergerProblem(sentence) {
    const line = element("p", "merger-problem", sentence);
    line.setAttribute("role", "alert");
    return line;
}

function showMergerPlan(...nodes) {
    scriptsPlace("modelmerger_plan").replaceChildren(...nodes);
}

async function lookAtMerges() {
    clearTimeout(mergerLookTimer);
    let merges;
    try {
        ({ merges } = await getJson("easel/v1/merges"));
    } catch (error) {
        if (!error.isAway) showNotice(error.message);
        return;
    }
    showMerges(merges);
    const open = merges.filter(({ state }) => MERGER_OPEN.includes(state));
    const ended = merges.filter(({ id, state }) => state === "done" && mergesAtWork.has(id));
    mergesAtWork = new Set(open.map(({ id }) => id));
    if (ended.length) checkpointsCame(ended);
    if (open.length) mergerLookTimer = setTimeout(lookAtMerges, document.hidden ? 10 * MERGER_LOOK_MS : MERGER_LOOK_MS);
}

// Files are there that no menu of the page offers yet.
function checkpointsCame(merges) {
    press("modelmerger_show_files");
    press("change_checkpoint");
    fetchMergerFiles();
    for (const { checkpoint } of merges) showNotice(`${checkpoint} is in the list of checkpoints.`, "info");
}

async function interruptMerge(id) {
    try {
        await postJson(`easel/v1/merges/${id}/interrupt`, {});
    } catch (error) {
        showNotice(error.message);
    }
    await lookAtMerges();
}

async function useMerged(checkpoint) {
    try {
        await saveOptions({ sd_model_checkpoint: checkpoint });
        await fetchOptions();
        press("change_checkpoint");
        showNotice(`${checkpoint} is chosen. The next picture is drawn with it.`, "info");
    } catch (error) {
        showNotice(error.message);
    }
}

onUiLoaded(() => {
    bindTabBar("mode_modelmerger", (pageId) => {
        choosePage(document.querySelector("#mode_modelmerger > .tab-nav"), pageId);
        planMerging(mergerTab());
    });
    lookAtMerges();
    onConnection((isBack) => isBack && lookAtMerges());
    onUiTabChange(() => {
        if (!mergerIsSeen()) return;
        press("modelmerger_show_files");
        fetchMergerFiles();
        lookAtMerges();
        planMerging(mergerTab());
    });
});

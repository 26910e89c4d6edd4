// What the Checkpoint Merger shows in its right column: the dry run as a card, and the merges that were begun.

const SIZE_UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const MERGE_STATES = { waiting: "Waits for the one before it", done: "Done", failed: "Failed", interrupted: "Interrupted; no file was written" };

function formatSize(bytes) {
    const unit = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), SIZE_UNITS.length - 1);
    const number = bytes / 1000 ** unit;
    return `${number.toFixed(unit < 3 || number >= 100 ? 0 : number >= 10 ? 1 : 2)} ${SIZE_UNITS[unit]}`;
}

function countOf(count, one, several = `${one}s`) {
    return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}

// A dry run for a person: what is written, what it takes, what does not match.
function planCard(plan) {
    const card = element("section", "merger-card");
    card.append(element("h3", "", plan.name), element("p", "merger-path", plan.path), factList(planFacts(plan)));
    if (plan.refusal) card.append(mergerProblem(plan.refusal));
    card.append(...plan.notes.map((note) => element("p", "merger-note", note)), ...mismatchFolds(plan));
    return card;
}

function planFacts(plan) {
    const free = plan.disk_free === null ? "" : `; ${formatSize(plan.disk_free)} free`;
    const memory = plan.memory_free === null ? "" : `; ${formatSize(plan.memory_free)} free`;
    return [
        ["Size", formatSize(plan.size)],
        ["Disk", `${formatSize(plan.disk_needed)} needed${free}`],
        ["Memory", `${formatSize(plan.memory_needed)} needed${memory}`],
        ["Tensors", tensorsSentence(plan)],
        ["Numbers", Object.entries(plan.dtypes).map(([name, count]) => `${count} ${name}`).join(", ")],
        ["Configuration", plan.config ?? "none is written"],
    ];
}

function tensorsSentence(plan) {
    const parts = [
        [plan.merged, "merged"],
        [plan.copied, "copied"],
        [plan.from_vae, "from the VAE"],
        [plan.with_loras, "changed by LoRAs"],
        [plan.dropped, "left out"],
    ];
    return parts.filter(([count]) => count).map(([count, what]) => `${count} ${what}`).join(", ") || "none";
}

function factList(facts) {
    const list = element("dl", "merger-facts");
    for (const [name, value] of facts) list.append(element("dt", "", name), element("dd", "", value));
    return list;
}

function mismatchFolds(plan) {
    const folds = plan.only_in_some.map(({ models, count, first }) => nameFold(`${countOf(count, "tensor")} only in ${models}`, first, count));
    if (plan.mismatched_count) {
        const lines = plan.mismatched.map(({ name, shapes }) => `${name}: ${Object.entries(shapes).map(([letter, shape]) => `${letter} ${shape.join("×")}`).join(", ")}`);
        folds.push(nameFold(`${countOf(plan.mismatched_count, "tensor")} of different shapes`, lines, plan.mismatched_count));
    }
    return folds;
}

function nameFold(title, names, count) {
    const fold = element("details", "merger-names");
    const list = element("ul", "");
    list.append(...names.map((name) => element("li", "", name)));
    if (count > names.length) list.append(element("li", "", `and ${count - names.length} more`));
    fold.append(element("summary", "", title), list);
    return fold;
}

// Rows stay the same elements while they change, so that a button that somebody presses does not go away under the pointer.
function showMerges(merges) {
    const place = scriptsPlace("modelmerger_result");
    const before = new Map(Array.from(place.querySelectorAll(".merge-row"), (row) => [row.dataset.id, row]));
    place.replaceChildren(...merges.map((merge) => updateMergeRow(before.get(merge.id) ?? makeMergeRow(merge), merge)));
}

function makeMergeRow({ id }) {
    const row = element("section", "merge-row batch-row");
    row.dataset.id = id;
    const bar = element("progress", "");
    bar.max = 1;
    row.append(element("p", "batch-title"), bar, element("p", "batch-state"), element("div", "merge-notes"), element("div", "batch-actions"));
    row.querySelector(".batch-state").setAttribute("role", "status");
    return row;
}

function updateMergeRow(row, merge) {
    row.dataset.state = merge.state;
    setTextOf(row.querySelector(".batch-title"), merge.planned.name);
    const bar = row.querySelector("progress");
    bar.hidden = !MERGER_OPEN.includes(merge.state);
    bar.value = merge.progress;
    bar.setAttribute("aria-label", `Writing ${merge.planned.name}`);
    setTextOf(row.querySelector(".batch-state"), mergeSentence(merge));
    const notes = merge.error ? [merge.error.detail] : merge.notes;
    const place = row.querySelector(".merge-notes");
    if (place.childElementCount !== notes.length) {
        place.replaceChildren(...notes.map((note) => (merge.error ? mergerProblem(note) : element("p", "merger-note", note))));
    }
    updateMergeActions(row.querySelector(".batch-actions"), merge);
    return row;
}

function mergeSentence(merge) {
    if (merge.state === "running") {
        const parts = [merge.stage, `${Math.round(merge.progress * 100)}%`];
        if (merge.eta_seconds !== null) parts.push(`${formatSeconds(merge.eta_seconds)} left`);
        return parts.filter(Boolean).join(" · ");
    }
    if (merge.state !== "done") return MERGE_STATES[merge.state];
    return `Done in ${merge.elapsed.toFixed(1)} s · ${formatSize(merge.planned.size)} · sha256 ${merge.sha256.slice(0, 10)}`;
}

function updateMergeActions(place, merge) {
    if (place.dataset.state === merge.state) return;
    place.dataset.state = merge.state;
    const actions = [];
    if (MERGER_OPEN.includes(merge.state)) actions.push(rowButton("Interrupt", () => interruptMerge(merge.id)));
    if (merge.state === "done") actions.push(rowButton("Use this checkpoint", () => useMerged(merge.checkpoint)));
    place.replaceChildren(...actions);
}

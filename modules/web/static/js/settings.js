// The Settings tab: fills in the values, marks what differs from its default and what is not applied yet, saves.

var opts = {};
const optionsChangedCallbacks = [];
const optionsAvailableCallbacks = [];

function onOptionsChanged(callback) {
    optionsChangedCallbacks.push(callback);
}

function onOptionsAvailable(callback) {
    optionsAvailableCallbacks.push(callback);
}

const readControl = {
    tick: (row) => row.querySelector("input").checked,
    number: (row) => row.querySelector("input[type=number]").valueAsNumber,
    text: (row) => row.querySelector("select, input").value,
    list: (row) => row.querySelector("input").value.split(",").map((part) => part.trim()).filter(Boolean),
    ticks: (row) => Array.from(row.querySelectorAll("input:checked"), (input) => input.value),
};

const writeControl = {
    tick: (row, value) => (row.querySelector("input").checked = Boolean(value)),
    number: (row, value) => row.querySelectorAll("input").forEach((input) => (input.value = value)),
    text: writeText,
    list: (row, value) => (row.querySelector("input").value = (value ?? []).join(", ")),
    ticks: (row, value) =>
        row.querySelectorAll("input").forEach((input) => (input.checked = (value ?? []).includes(input.value))),
};

// A value that is not among the choices (a file that is gone) is shown all the same.
function writeText(row, value) {
    const control = row.querySelector("select, input");
    if (control.tagName === "SELECT" && !Array.from(control.options).some((option) => option.value === (value ?? ""))) {
        control.add(new Option(value, value));
    }
    control.value = value ?? "";
}

function settingRows() {
    return Array.from(document.querySelectorAll("#settings .setting, #quicksettings .setting"));
}

function settingValue(row) {
    return readControl[row.dataset.kind](row);
}

function same(a, b) {
    return JSON.stringify(a ?? "") === JSON.stringify(b ?? "");
}

function unappliedRows() {
    return settingRows().filter((row) => row.classList.contains("unapplied"));
}

function markSetting(row) {
    const value = settingValue(row);
    row.classList.toggle("differs", !same(value, JSON.parse(row.dataset.default)));
    row.classList.toggle("unapplied", !same(value, opts[row.dataset.key]));
    row.classList.remove("refused");
}

function showSettingsState() {
    const count = unappliedRows().length;
    byId("settings_submit").textContent = count ? `Apply ${count} ${count === 1 ? "change" : "changes"}` : "Apply settings";
    byId("settings_discard").disabled = count === 0;
    for (const link of document.querySelectorAll("#settings_nav a")) {
        const rows = Array.from(document.querySelectorAll(`#settings_${link.dataset.section} .setting`));
        link.classList.toggle("differs", rows.some((row) => row.classList.contains("differs")));
    }
}

function fillSettings() {
    for (const row of settingRows()) {
        if (row.dataset.key in opts) writeControl[row.dataset.kind](row, opts[row.dataset.key]);
        markSetting(row);
    }
    showSettingsState();
}

async function fetchOptions() {
    opts = await (await fetch("sdapi/v1/options")).json();
    fillSettings();
}

// Files come and go while the page is open. `anew`: the server looks into the folders first.
async function fetchFileChoices(anew = false) {
    const choices = await getJson(`internal/web/setting-choices?anew=${anew}`);
    for (const [key, values] of Object.entries(choices)) {
        const row = byId(`setting_${key}`);
        const value = settingValue(row);
        row.querySelector("select").replaceChildren(...values.map((each) => new Option(each, each)));
        writeText(row, value);
    }
}

async function refreshFileChoices(button) {
    button.disabled = true;
    try {
        await fetchFileChoices(true);
    } catch (error) {
        showNotice(error.message);
    } finally {
        button.disabled = false;
        button.focus();
    }
}

function applySettings() {
    const rows = unappliedRows();
    return rows.length ? applyRows(rows) : sayInSettings("Nothing has been changed.");
}

async function applyRows(rows) {
    const values = Object.fromEntries(rows.map((row) => [row.dataset.key, settingValue(row)]));
    try {
        await saveOptions(values);
    } catch (error) {
        const row = rows.find((each) => each.dataset.key === error.field);
        row?.classList.add("refused");
        row?.scrollIntoView({ block: "center" });
        sayInSettings(error.message);
        return showNotice(error.message);
    }
    await fetchOptions();
    sayInSettings(`Saved: ${Object.keys(values).join(", ")}.`);
    executeCallbacks(optionsChangedCallbacks);
}

async function saveOptions(values) {
    const answer = await fetch("sdapi/v1/options", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(values),
    });
    if (answer.ok) return;
    const found = await answer.json();
    throw Object.assign(new Error(found.detail || answer.statusText), { field: found.field });
}

function sayInSettings(sentence) {
    byId("settings_state").textContent = sentence;
}

// One section at a time; while something is searched for, every section with a hit.
function showSettings() {
    const words = byId("settings_search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const onlyChanged = byId("settings_only_changed").checked;
    const searching = words.length > 0 || onlyChanged;
    const chosen = document.querySelector("#settings_nav a.selected")?.dataset.section;
    for (const section of document.querySelectorAll("#settings section")) {
        let hits = 0;
        for (const row of section.querySelectorAll(".setting")) {
            const fits = words.every((word) => row.dataset.words.includes(word));
            row.hidden = searching && !(fits && (!onlyChanged || row.classList.contains("differs")));
            hits += row.hidden ? 0 : 1;
        }
        section.hidden = searching ? hits === 0 : section.dataset.section !== chosen;
    }
    byId("settings_nav").classList.toggle("searching", searching);
    byId("settings_nothing").hidden = Boolean(document.querySelector("#settings section:not([hidden])"));
}

function chooseSection(link) {
    document.querySelectorAll("#settings_nav a").forEach((each) => each.classList.toggle("selected", each === link));
    byId("settings_search").value = "";
    byId("settings_only_changed").checked = false;
    showSettings();
}

function settingEdited(event) {
    const row = event.target.closest(".setting");
    if (!row) return;
    if (event.target.type === "range") row.querySelector("input[type=number]").value = event.target.value;
    if (event.target.type === "number" && row.querySelector("input[type=range]")) {
        row.querySelector("input[type=range]").value = event.target.value;
    }
    markSetting(row);
    showSettingsState();
}

function settingsClicked(event) {
    const link = event.target.closest("#settings_nav a");
    const reset = event.target.closest(".setting-reset");
    const refresh = event.target.closest(".setting-refresh");
    if (refresh) {
        refreshFileChoices(refresh);
    } else if (link) {
        event.preventDefault();
        chooseSection(link);
    } else if (reset) {
        const row = reset.closest(".setting");
        writeControl[row.dataset.kind](row, JSON.parse(row.dataset.default));
        markSetting(row);
        showSettingsState();
    }
}

onUiLoaded(async () => {
    const settings = byId("settings");
    settings.addEventListener("input", settingEdited);
    settings.addEventListener("click", settingsClicked);
    byId("settings_form").addEventListener("submit", (event) => event.preventDefault());
    byId("settings_search").addEventListener("input", showSettings);
    byId("settings_only_changed").addEventListener("change", showSettings);
    byId("settings_submit").addEventListener("click", applySettings);
    byId("settings_discard").addEventListener("click", fillSettings);
    byId("settings_restart_gradio").addEventListener("click", () => location.reload());
    chooseSection(document.querySelector("#settings_nav a"));
    await Promise.all([fetchOptions(), fetchFileChoices()]);
    executeCallbacks(optionsAvailableCallbacks);
});

// The dialogs of cards: what a person writes about a network, its preview, and the metadata in its file.

const MOST_TAGS_SHOWN = 40;

// The card that is edited: { tab, kind, name, tags }.
let editedNetwork = null;

function cardAddress(kind, name, what = "card") {
    return `easel/v1/networks/${what}?${new URLSearchParams({ kind, name })}`;
}

function editorField(name) {
    return byId(`network_${name}`);
}

async function editNetwork(tab, kind, name) {
    try {
        const card = await getJson(cardAddress(kind, name));
        editedNetwork = { tab, kind, name, tags: card.tags };
        fillNetworkEditor(card);
        openDialog("network_editor");
    } catch (error) {
        showNotice(error.message);
    }
}

function fillNetworkEditor(card) {
    byId("network_editor_title").textContent = card.label;
    sayInEditor("");
    for (const row of document.querySelectorAll("#network_editor [data-field]")) {
        const name = row.dataset.field;
        row.hidden = !card.editable.includes(name);
        editorField(name).value = name === "sd_version" ? card.version : card[name];
    }
    const closed = byId("network_editor_closed");
    closed.hidden = !card.closed_by;
    closed.textContent = `With ${card.closed_by} this can be read and not changed.`;
    for (const id of ["network_editor_save", "network_preview_chosen", "network_preview_file"]) byId(id).disabled = Boolean(card.closed_by);
    showEditorPreview(card);
    showFacts(card.facts);
    showTags();
}

function sayInEditor(sentence) {
    byId("network_editor_state").textContent = sentence;
}

function showEditorPreview(card) {
    const place = byId("network_editor_preview");
    if (!card.preview) return place.replaceChildren("No preview yet");
    const image = document.createElement("img");
    image.src = `${card.preview}&size=1024`;
    image.alt = `Preview of ${card.label}`;
    place.replaceChildren(image);
}

function showFacts(facts) {
    const rows = facts.map(({ name, value }) => {
        const row = document.createElement("tr");
        for (const [kind, text] of [["th", name], ["td", value]]) {
            const cell = document.createElement(kind);
            cell.textContent = text;
            row.append(cell);
        }
        return row;
    });
    byId("network_editor_facts").replaceChildren(...rows);
}

function activationWords() {
    return editorField("activation_text").value.split(",").map((word) => word.trim()).filter(Boolean);
}

function showTags() {
    const { tags } = editedNetwork;
    byId("network_tags_field").hidden = !tags.length;
    const buttons = tags.slice(0, MOST_TAGS_SHOWN).map(({ tag, count }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.tag = tag;
        button.textContent = tag;
        const number = document.createElement("small");
        number.textContent = count;
        button.append(number);
        return button;
    });
    byId("network_tags").replaceChildren(...buttons);
    markTags();
    byId("network_random").value = randomPrompt(tags);
}

function markTags() {
    const words = activationWords();
    for (const button of byId("network_tags").children) {
        button.setAttribute("aria-pressed", String(words.includes(button.dataset.tag)));
    }
}

function tagClicked(event) {
    const tag = event.target.closest("[data-tag]")?.dataset.tag;
    if (!tag) return;
    const words = activationWords();
    const others = words.filter((word) => word !== tag);
    editorField("activation_text").value = (others.length < words.length ? others : [...words, tag]).join(", ");
    markTags();
}

// Each tag with the frequency that it had in training, as against the most frequent; brackets stand for themselves.
function randomPrompt(tags) {
    const most = tags[0]?.count ?? 0;
    const chosen = tags.filter(({ count }) => count > Math.random() * most);
    return chosen.map(({ tag }) => tag.replace(/[(){}[\]]/g, "\\$&")).sort().join(", ");
}

function writtenText() {
    const rows = Array.from(document.querySelectorAll("#network_editor [data-field]")).filter((row) => !row.hidden);
    return Object.fromEntries(
        rows.map(({ dataset: { field } }) => {
            const { value, valueAsNumber, type } = editorField(field);
            return [field, type === "number" ? valueAsNumber || 0 : value];
        }),
    );
}

async function saveNetwork() {
    const { tab, kind, name } = editedNetwork;
    try {
        await sendJson("PUT", cardAddress(kind, name), writtenText());
        await extraNetworksRefreshSingleCard(kind, tab, name);
        closeDialog();
    } catch (error) {
        sayInEditor(error.message);
    }
}

// `source`: a Blob, or the address of a picture of this program.
async function replaceNetworkPreview(source) {
    const { tab, kind, name } = editedNetwork;
    try {
        const picture = await asDataUrl(await pictureBlob(source));
        const card = await sendJson("PUT", cardAddress(kind, name, "preview"), { picture });
        showEditorPreview(card);
        await extraNetworksRefreshSingleCard(kind, tab, name);
        sayInEditor("The preview is saved.");
    } catch (error) {
        sayInEditor(error.message);
    }
}

function replaceWithChosen() {
    const address = chosenPictureAddress(editedNetwork.tab);
    if (!address) return sayInEditor("There is no picture in this tab's gallery yet.");
    replaceNetworkPreview(address);
}

async function showNetworkMetadata(kind, name) {
    try {
        const asked = new URLSearchParams({ page: kind, item: name });
        const { metadata } = await getJson(`sd_extra_networks/metadata?${asked}`);
        byId("network_metadata_title").textContent = `Metadata of ${name}`;
        byId("network_metadata").textContent = metadata ?? "The file carries no metadata.";
        openDialog("network_metadata_dialog");
    } catch (error) {
        showNotice(error.message);
    }
}

onUiLoaded(() => {
    byId("network_editor_cancel").addEventListener("click", closeDialog);
    byId("network_editor_save").addEventListener("click", saveNetwork);
    byId("network_tags").addEventListener("click", tagClicked);
    byId("network_activation_text").addEventListener("input", markTags);
    byId("network_random_again").addEventListener("click", () => {
        byId("network_random").value = randomPrompt(editedNetwork.tags);
    });
    byId("network_preview_chosen").addEventListener("click", replaceWithChosen);
    byId("network_preview_file").addEventListener("change", ({ target }) => {
        if (target.files.length) replaceNetworkPreview(target.files[0]);
        target.value = "";
    });
    byId("network_metadata_close").addEventListener("click", closeDialog);
    byId("network_metadata_copy").addEventListener("click", () => {
        navigator.clipboard?.writeText(byId("network_metadata").textContent);
    });
});

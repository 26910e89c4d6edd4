// The browser keeps what stands in a form, so that a reload or a restart of the program loses nothing.

function formKey(tab) {
    return `easel.form.${tab}`;
}

const recalledForms = new Set();
let formIsRecalled = false;

function rememberForm(tab, names, values) {
    if (!recalledForms.has(tab)) return;
    localSet(formKey(tab), { ...namedValues(names, values), native_size: nativeSize });
}

// By tab: the fields that are typed into, and the ids of their elements.
const typedFields = {};

// `sides`: of width and height those that follow the checkpoint. The size that was its own when the form was kept is kept
// with it.
function recallForm(tab, names, values, typed, sides) {
    typedFields[tab] = typed;
    freeSides[tab] = sides;
    const stored = localGet(formKey(tab), {});
    const kept = { ...stored, ...followedSize(sides, stored, stored.native_size) };
    return names.map((name, number) => {
        const value = kept[name] ?? values[number];
        return name === "override_texts" ? overridesUpdate(value) : value;
    });
}

// The menu of settings for the next pictures is there while there are any.
function overridesUpdate(texts) {
    return { __type__: "update", value: texts, choices: texts.map((text) => [text, text]), visible: texts.length ? true : "hidden" };
}

// Called once the values stand in the form: what changes from now on is the person's doing.
function formRecalled(tab) {
    if (!recalledForms.has(tab)) beginHistories(tab);
    recalledForms.add(tab);
    formIsRecalled = GENERATION_TABS.every((each) => recalledForms.has(each));
    if (GENERATION_TABS.includes(tab)) promptsChanged(tab);
}

// Gradio stops telling of changes when one of its events met no answer, and loads the page again later. What was typed
// meanwhile is read from the page itself.
function rememberTyped() {
    for (const [tab, fields] of Object.entries(typedFields).filter(([tab]) => recalledForms.has(tab))) {
        const kept = localGet(formKey(tab), {});
        for (const [name, id] of Object.entries(fields)) {
            const field = document.querySelector(`#${id} :is(textarea, input[type=number])`);
            if (field?.value) kept[name] = field.type === "number" ? field.valueAsNumber : field.value;
        }
        localSet(formKey(tab), { ...kept, native_size: nativeSize });
    }
}

addEventListener("pagehide", () => formIsRecalled && rememberTyped());

onUiLoaded(async () => {
    takeNativeSize(await firstCheckpoint);
    [...GENERATION_TABS, "extras", "modelmerger", "modelmerger_convert"].forEach((tab) => press(`${tab}_recall`));
});

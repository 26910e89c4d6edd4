// The browser keeps what stands in a form, so that a reload or a restart of the program loses nothing.

function formKey(tab) {
    return `easel.form.${tab}`;
}

let formIsRecalled = false;

function rememberForm(tab, names, values) {
    if (!formIsRecalled) return;
    localSet(formKey(tab), Object.fromEntries(names.map((name, number) => [name, values[number]])));
}

function recallForm(tab, names, values) {
    const kept = localGet(formKey(tab), {});
    return names.map((name, number) => kept[name] ?? values[number]);
}

// Called once the values stand in the form: what changes from now on is the person's doing.
function formRecalled(tab) {
    formIsRecalled = true;
    promptsChanged(tab);
}

onUiLoaded(() => press("txt2img_recall"));

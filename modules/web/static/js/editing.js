// Parameters of a job in the form of its tab: to make them again, or to change a job that waits.

const EDITING_KEY = "easel.editing";

function setHidden(id, text) {
    setText(id, text);
    return new Promise((resolve) => setTimeout(resolve, 50));
}

// Gradio fills the form from the job's request.
async function fillFormFrom(tab, id) {
    switchToTab(`tab_${tab}`);
    showGeneration(tab);
    await setHidden(`${tab}_job_to_read`, id);
    press(`${tab}_read_job`);
}

async function sendJobToTab(tab, id) {
    await fillFormFrom(tab, id);
    if (tab === "img2img") await sendPicturesOfJob(id);
}

// What stood in the form comes back when the editing ends. A reload does not end it.
function editJob(tab, id) {
    const edited = localGet(EDITING_KEY);
    if (edited && edited.tab !== tab) giveFormBack(edited);
    const before = edited?.tab === tab ? edited.before : localGet(formKey(tab), {});
    localSet(EDITING_KEY, { tab, id, before });
    showEditingBar();
    return sendJobToTab(tab, id);
}

function showEditingBar() {
    const editing = localGet(EDITING_KEY);
    for (const tab of GENERATION_TABS) {
        byId(`${tab}_editing_bar`).classList.toggle("shown", editing?.tab === tab);
        byId(`tab_${tab}`).classList.toggle("is-editing", editing?.tab === tab);
    }
}

// `names` and `values`: the form's controls, handed over by Gradio.
async function saveEditing(tab, names, values) {
    const { id } = localGet(EDITING_KEY) ?? {};
    if (!id) return;
    try {
        const form = { tab, task: id, values: await completeForm(tab, names, values) };
        await sendJson("PUT", "internal/web/edit", form);
    } catch (error) {
        return showNotice(error.message);
    }
    showNotice("The waiting job is changed.", "info");
    staleJobs.add(id);
    endEditing();
}

function giveFormBack({ tab, before }) {
    localSet(formKey(tab), before);
    press(`${tab}_recall`);
}

function endEditing() {
    const edited = localGet(EDITING_KEY);
    if (!edited) return;
    localSet(EDITING_KEY, null);
    giveFormBack(edited);
    showEditingBar();
    switchToTab("tab_queue");
}

// A job that has begun can no longer be changed; the form stays as it is, and may be generated as a new one.
function noteEditedJob(news) {
    const editing = localGet(EDITING_KEY);
    if (editing?.id !== news.job || news.state === "waiting") return;
    localSet(EDITING_KEY, null);
    showEditingBar();
    showNotice("The job that you were editing has begun. Your changes stand in the form: Generate makes them a new job.", "info");
}

onUiLoaded(() => {
    onJobNews(noteEditedJob);
    showEditingBar();
});

// The Extras tab: the pictures to enlarge stay here; one after another is sent to the server with what the form says.

const EXTRAS_MOST = 100;

// { name, blob, url } each; `url` shows it.
let extrasPictures = [];
let extrasRun = null;

function showExtrasSize(mode) {
    byId("extras_scale_by_tab").classList.toggle("hidden-page", mode !== 0);
    byId("extras_scale_to_tab").classList.toggle("hidden-page", mode !== 1);
}

function addExtrasPictures(files) {
    const pictures = Array.from(files).filter((file) => !file.type || file.type.startsWith("image/"));
    if (pictures.length < files.length) showNotice("Files that are no pictures are left out.", "info");
    const room = Math.max(EXTRAS_MOST - extrasPictures.length, 0);
    if (pictures.length > room) showNotice(`At most ${EXTRAS_MOST} pictures are enlarged at once; the others are left out.`);
    for (const file of pictures.slice(0, room)) {
        extrasPictures.push({ name: file.name || "picture.png", blob: file, url: URL.createObjectURL(file) });
    }
    showExtrasPictures();
}

function removeExtrasPictures(these) {
    for (const { url } of these) URL.revokeObjectURL(url);
    extrasPictures = extrasPictures.filter((each) => !these.includes(each));
    showExtrasPictures();
}

function showExtrasPictures() {
    const list = byId("extras_image_batch");
    list.replaceChildren(...extrasPictures.map(extrasItem));
    const drop = list.closest(".picture-drop");
    drop.classList.toggle("filled", extrasPictures.length > 0);
    drop.classList.toggle("single", extrasPictures.length === 1);
    byId("extras_remove_all").hidden = extrasPictures.length < 2;
}

function extrasItem(picture) {
    const item = element("li", "");
    const image = element("img", "");
    image.src = picture.url;
    image.alt = picture.name;
    image.title = picture.name;
    const remove = element("button", "picture-remove", "×");
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${picture.name}`);
    remove.addEventListener("click", () => removeExtrasPictures([picture]));
    item.append(image, remove);
    return item;
}

class ExtrasRun {
    // One press of Generate over the pictures that were there then. One that fails is told, and the others go on.
    constructor(pictures, form) {
        Object.assign(this, { pictures, form });
        this.stopping = new AbortController();
        this.job = { id: randomId(), is_final: true, pictures: [], html: [], info: { infotexts: [] }, log: "" };
        this.lines = [];
        this.view = new ProgressView(byId("extras_gallery_container"), byId("extras_gallery"));
    }

    async run() {
        const started = performance.now();
        for (const [number, picture] of this.pictures.entries()) {
            if (this.stopping.signal.aborted) break;
            const place = this.pictures.length > 1 ? ` (${number + 1} of ${this.pictures.length})` : "";
            this.view.show(number / this.pictures.length, `Enlarging ${picture.name}${place}`);
            await this.enlarge(picture);
        }
        this.view.remove();
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        const made = this.job.pictures.length;
        const ended = this.stopping.signal.aborted ? "Interrupted after" : "Took";
        this.say(`${made === 1 ? "1 picture" : `${made} pictures`}. ${ended} ${seconds} s.`, "performance");
    }

    async enlarge(picture) {
        try {
            const body = { ...this.form, name: picture.name, of: this.pictures.length };
            body.picture = await asDataUrl(picture.blob);
            const headers = { "Content-Type": "application/json" };
            const request = { method: "POST", headers, body: JSON.stringify(body), signal: this.stopping.signal };
            await this.take(await askJson("internal/web/extras", request), picture);
        } catch (error) {
            if (this.stopping.signal.aborted) return;
            this.say(this.pictures.length > 1 ? `${picture.name}: ${error.message}` : error.message, "error");
        }
    }

    async take(answer, picture) {
        const url = URL.createObjectURL(await (await fetch(answer.picture)).blob());
        const stem = picture.name.replace(/\.[^.]*$/, "");
        if (!this.job.pictures.length) letGoOf(shownJobs.extras?.pictures ?? []);
        this.job.pictures.push({ url, name: answer.saved?.split(/[\\/]/).pop() ?? `${stem}.${answer.extension}` });
        this.job.html.push(answer.html);
        this.job.info.infotexts.push(answer.infotext);
        showJob("extras", this.job);
        this.say(`${picture.name}: ${answer.told}; ${answer.size.join("×")}${answer.saved ? `; saved as ${answer.saved}` : ""}.`);
        if (answer.unsaved) this.say(answer.unsaved, "error");
    }

    say(sentence, kind = "") {
        const line = element("p", kind, sentence);
        if (kind === "error") line.setAttribute("role", "alert");
        this.lines.push(line);
        scriptsPlace("html_log_extras").replaceChildren(...this.lines);
    }
}

// `names` and `values`: the form's controls, handed over by Gradio.
async function enlargePictures(names, values) {
    if (extrasRun) return showNotice("Pictures are being enlarged already; wait, or interrupt them.", "info");
    if (!extrasPictures.length) return showNotice("There is no picture to enlarge yet. Drop one, or send a result here.");
    const form = Object.fromEntries(names.map((name, number) => [name, values[number]]));
    extrasRun = new ExtrasRun([...extrasPictures], form);
    showExtrasState();
    try {
        await extrasRun.run();
    } finally {
        extrasRun = null;
        showExtrasState();
    }
}

// Addresses hold results in memory. They are let go of when others take their place, and whatever was sent has arrived.
function letGoOf(results) {
    setTimeout(() => results.forEach(({ url }) => URL.revokeObjectURL(url)), 60000);
}

function showExtrasState() {
    byId("extras_interrupt").disabled = !extrasRun;
    byId("tab_extras").classList.toggle("is-busy", Boolean(extrasRun));
}

function interruptExtras() {
    extrasRun?.stopping.abort();
}

async function openExtrasFolder() {
    try {
        await postJson("internal/web/extras/open-folder", {});
    } catch (error) {
        showNotice(error.message);
    }
}

onUiLoaded(() => {
    const drop = byId("extras_image");
    byId("extras_files").addEventListener("change", (event) => {
        addExtrasPictures(event.target.files);
        event.target.value = "";
    });
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => {
        event.preventDefault();
        addExtrasPictures(event.dataTransfer.files);
    });
    document.addEventListener("paste", (event) => {
        const file = drop.offsetParent && pictureFileOf(event.clipboardData);
        if (file) addExtrasPictures([file]);
    });
    byId("extras_remove_all").addEventListener("click", () => removeExtrasPictures(extrasPictures));
    registerPicturePlace("extras", {
        open: () => switchToTab("tab_extras"),
        // What is sent takes the place of what lies there: it is the picture that is meant.
        put: async (blob) => {
            removeExtrasPictures(extrasPictures);
            addExtrasPictures([blob instanceof File ? blob : new File([blob], "picture.png", { type: blob.type })]);
        },
        get: async () => extrasPictures[0]?.blob ?? null,
    });
    showExtrasState();
});

// How far a job is: the bar above a gallery, and the preview over it.

const POLL_MS = 300;
const PATIENCE_POLLS = 20;
const PAGE_TITLE = "Easel";

// Milliseconds between two previews; the bar moves at least every POLL_MS.
function refreshPeriod() {
    return opts.live_preview_refresh_period ?? 1000;
}

function formatSeconds(seconds) {
    const whole = Math.max(Math.round(seconds), 0);
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    if (hours) return `${hours} h ${minutes} min`;
    return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

function pause(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

class ProgressView {
    // The bar above a gallery and the preview over it.
    constructor(container, gallery) {
        this.bar = document.createElement("div");
        this.bar.className = "progressDiv";
        this.bar.setAttribute("role", "progressbar");
        this.bar.setAttribute("aria-valuemin", "0");
        this.bar.setAttribute("aria-valuemax", "100");
        this.fill = document.createElement("div");
        this.fill.className = "progress";
        this.text = document.createElement("span");
        this.text.className = "progress-text";
        this.cancel = document.createElement("button");
        this.cancel.type = "button";
        this.cancel.className = "progress-cancel";
        this.cancel.textContent = "Cancel waiting";
        this.cancel.hidden = true;
        this.bar.append(this.fill, this.text, this.cancel);
        this.preview = null;
        this.gallery = gallery;
        if (opts.show_progressbar !== false) container.prepend(this.bar);
    }

    show(share, sentence) {
        const percent = Math.round(share * 100);
        this.fill.style.width = `${share * 100}%`;
        this.text.textContent = sentence;
        this.bar.setAttribute("aria-valuenow", String(percent));
        if (opts.show_progress_in_title) document.title = `[${percent}%] ${PAGE_TITLE}`;
    }

    showPreview(address) {
        if (!this.preview) {
            this.preview = document.createElement("div");
            this.preview.className = "livePreview";
            const image = document.createElement("img");
            image.alt = "The unfinished picture";
            this.preview.append(image);
            this.gallery.append(this.preview);
        }
        this.preview.firstChild.src = address;
    }

    remove() {
        document.title = PAGE_TITLE;
        this.bar.remove();
        this.preview?.remove();
    }
}

function progressSentence(answer, waiting) {
    if (answer.queued) return answer.textinfo || "Waiting for its turn";
    const parts = [`${Math.round((answer.progress ?? 0) * 100)}%`];
    if (answer.textinfo) parts.push(answer.textinfo);
    if (answer.eta) parts.push(`${formatSeconds(answer.eta)} left`);
    if (waiting) parts.push(`${waiting} more waiting`);
    return parts.join(" · ");
}

// Follows one task until it has ended. `atEnd` gets true when the server knew the task to its end.
function requestProgress(id_task, progressContainer, gallery, atEnd, onProgress, queue = null) {
    const view = new ProgressView(progressContainer, gallery);
    const waitingCount = () => (queue ? queue.tasks.length - 1 : 0);
    view.cancel.addEventListener("click", () => queue.cancelWaiting());
    view.show(0, "Sent");
    let previewNumber = -1;
    let previewAsked = 0;
    let unknown = 0;

    async function ask() {
        const wantsPreview = performance.now() - previewAsked > refreshPeriod();
        if (wantsPreview) previewAsked = performance.now();
        const question = { id_task, id_live_preview: previewNumber, live_preview: wantsPreview };
        const answer = await postJson("internal/progress", question);
        if (answer.live_preview) view.showPreview(answer.live_preview);
        if (answer.live_preview) previewNumber = answer.id_live_preview;
        view.show(answer.progress ?? 0, progressSentence(answer, waitingCount()));
        view.cancel.hidden = waitingCount() < 1;
        onProgress?.(answer);
        return answer;
    }

    async function follow() {
        for (;;) {
            try {
                const answer = await ask();
                if (answer.completed) return true;
                unknown = answer.active || answer.queued ? 0 : unknown + 1;
                if (unknown > PATIENCE_POLLS) return false;
            } catch {
                view.show(0, "The program does not answer; trying again");
                await pause(1500);
            }
            await pause(Math.min(POLL_MS, refreshPeriod()));
        }
    }

    follow().then((known) => {
        view.remove();
        atEnd?.(known);
    });
}

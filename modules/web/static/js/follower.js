// Following one job to its end: by the page's stream of news while that flows, by asking while it does not.

const ASK_MS = 500;
const QUIET_MS = 3000;
const PATIENCE_ASKS = 20;
const PREVIEW_LEAST_MS = 250;
const PICTURES_LEAST_MS = 2000;
const AWAY = "The program does not answer; trying again";
const PAUSED = "The queue is paused; resume it on the Queue tab";
const HELD = "Left when the program ended; go on with it on the Queue tab";

class JobFollower {
    // `view` shows how far it is; `onPicture` is called when another picture is there, `atEnd` once: with true when the
    // job was known to its end.
    constructor(id, view, { waitingCount = () => 0, onPicture = null, onAnswer = null, atEnd = null }) {
        Object.assign(this, { id, view, waitingCount, onPicture, onAnswer, atEnd });
        this.pictures = 0;
        this.unknown = 0;
        this.heardAt = -Infinity;
        this.lookedAt = -Infinity;
        this.previewTag = null;
        this.turn = "";
        this.stopped = false;
        this.watch = (news) => news.job === this.id && this.hear(answerOf(news), news.pictures);
        jobNewsCallbacks.push(this.watch);
        this.run();
        this.runPreviews();
    }

    async run() {
        while (!this.stopped) {
            const quiet = newsAreFresh() ? QUIET_MS : ASK_MS - 50;
            if (programIsAway) this.view.show(null, AWAY);
            else if (performance.now() - this.heardAt > quiet) await this.ask();
            await pause(ASK_MS);
        }
    }

    async ask() {
        try {
            const answer = await postJson("internal/progress", { id_task: this.id, live_preview: false });
            this.unknown = answer.active || answer.queued || answer.completed ? 0 : this.unknown + 1;
            if (this.unknown > PATIENCE_ASKS) return this.stop(false);
            if (!this.unknown) this.hear(answer, null);
        } catch {
            this.view.show(null, AWAY);
        }
    }

    hear(answer, pictures) {
        if (this.stopped) return;
        this.heardAt = performance.now();
        if (answer.queued) answer.textinfo ||= this.turn;
        if (answer.queued) this.turn = answer.textinfo;
        if (answer.queued && queueIsPaused) answer.textinfo = PAUSED;
        if (heldJobs.includes(this.id)) answer.textinfo = HELD;
        this.answer = answer;
        this.view.show(answer.progress ?? 0, progressSentence(answer, this.waitingCount()));
        this.view.cancel.hidden = this.waitingCount() < 1;
        this.onAnswer?.(answer);
        if (answer.completed) return this.stop(true);
        if (answer.active && this.mayHavePictures(pictures)) this.onPicture?.();
    }

    // `pictures` null: how many there are was not said.
    mayHavePictures(pictures) {
        const isNew = pictures === null ? performance.now() - this.lookedAt > PICTURES_LEAST_MS : pictures > this.pictures;
        if (isNew) this.lookedAt = performance.now();
        this.pictures = pictures ?? this.pictures;
        return isNew;
    }

    // Asking for a preview is also what has previews made.
    async runPreviews() {
        while (!this.stopped) {
            const canAsk = !programIsAway && !document.hidden;
            const wanted = canAsk && opts.live_previews_enable !== false && this.answer?.active;
            if (wanted) await this.askPreview();
            await pause(Math.max(refreshPeriod(), PREVIEW_LEAST_MS));
        }
    }

    async askPreview() {
        try {
            const answer = await fetch(`easel/v1/jobs/${encodeURIComponent(this.id)}/preview?quiet=true`);
            const tag = answer.headers.get("ETag");
            if (answer.status !== 200 || tag === this.previewTag || this.stopped) return;
            this.previewTag = tag;
            this.view.showPreview(URL.createObjectURL(await answer.blob()));
        } catch {
            // The line of the progress bar says that nobody answers.
        }
    }

    stop(known = null) {
        if (this.stopped) return;
        this.stopped = true;
        jobNewsCallbacks.splice(jobNewsCallbacks.indexOf(this.watch), 1);
        this.view.remove();
        if (known !== null) this.atEnd?.(known);
    }
}

// News of the stream in the form of an answer of /internal/progress.
function answerOf(news) {
    return {
        active: news.state === "running",
        queued: news.state === "waiting",
        completed: !["running", "waiting"].includes(news.state),
        progress: news.progress,
        eta: news.eta_seconds,
        textinfo: news.state === "running" ? news.stage : "",
    };
}

// The name that extensions know. `atEnd` gets true when the server knew the task to its end.
function requestProgress(id_task, progressContainer, gallery, atEnd, onProgress) {
    const view = new ProgressView(progressContainer, gallery);
    return new JobFollower(id_task, view, { onAnswer: onProgress, atEnd });
}

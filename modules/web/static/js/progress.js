// How far a job is: the bar above a gallery, and the preview over it.

const PAGE_TITLE = "Easel";

// Milliseconds between two previews.
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
        this.show(0, "Sent");
        if (opts.show_progressbar !== false) container.prepend(this.bar);
    }

    // `share` null: as far as it was.
    show(share, sentence) {
        this.text.textContent = sentence;
        if (share === null) return;
        const percent = Math.round(share * 100);
        this.fill.style.width = `${share * 100}%`;
        this.bar.setAttribute("aria-valuenow", String(percent));
        if (opts.show_progress_in_title) document.title = `[${percent}%] ${PAGE_TITLE}`;
    }

    // `address` is an object URL, which is let go of when the next preview comes.
    showPreview(address) {
        this.preview ??= this.makePreview();
        const image = this.preview.firstChild;
        if (image.src) URL.revokeObjectURL(image.src);
        image.src = address;
    }

    makePreview() {
        const preview = document.createElement("div");
        preview.className = "livePreview";
        const image = document.createElement("img");
        image.alt = "The unfinished picture";
        preview.append(image);
        preview.addEventListener("click", () => preview.classList.remove("aside"));
        this.gallery.append(preview);
        return preview;
    }

    // Makes room for a finished picture that somebody looks at while others are still drawn.
    putPreviewAside() {
        this.preview?.classList.add("aside");
    }

    remove() {
        document.title = PAGE_TITLE;
        this.bar.remove();
        if (this.preview) URL.revokeObjectURL(this.preview.firstChild.src);
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

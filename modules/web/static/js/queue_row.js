// One job as a row of the Queue tab. Everything that comes from a job is foreign text: it is only ever put in as text.

const SHOWN_THUMBNAILS = 4;
const THUMBNAIL_SIDE = 128;
const STATE_NAMES = { waiting: "Waiting", running: "Running", done: "Done", failed: "Failed", interrupted: "Interrupted" };

// What can be asked of a job: a name for people, the place (shown, or in the menu), and the states it is for.
const JOB_ACTIONS = {
    skip: { label: "Skip", shown: true, states: ["running"] },
    interrupt: { label: "Interrupt", shown: true, states: ["running"] },
    up: { label: "Move up", icon: "up", shown: true, states: ["waiting"] },
    down: { label: "Move down", icon: "down", shown: true, states: ["waiting"] },
    edit: { label: "Edit", shown: true, states: ["waiting"] },
    cancel: { label: "Cancel", shown: true, states: ["waiting", "held"] },
    retry: { label: "Retry", shown: true, states: ["failed", "interrupted"] },
    send: { label: (job) => `Send to ${job.kind}`, shown: true, states: ["done", "failed", "interrupted"] },
    top: { label: "Move to the top", states: ["waiting"] },
    bottom: { label: "Move to the bottom", states: ["waiting"] },
    sooner: { label: "Higher priority", states: ["waiting"] },
    later: { label: "Lower priority", states: ["waiting"] },
    duplicate: { label: "Duplicate", states: ["running", "waiting", "done", "failed", "interrupted"] },
    sendBack: { label: (job) => `Send to ${job.kind}`, states: ["running", "waiting", "held"] },
    forget: { label: "Remove from the list", states: ["done", "failed", "interrupted"] },
};

function element(tag, className, text = null) {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== null) made.textContent = text;
    return made;
}

// Only what differs is touched, so that a row which is updated often keeps its focus and its selection.
function setTextOf(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

function actionButton(name, job) {
    const { label, icon } = JOB_ACTIONS[name];
    const words = typeof label === "function" ? label(job) : label;
    const button = element("button", icon ? `queue-icon icon-${icon}` : "", words);
    button.type = "button";
    button.dataset.action = name;
    if (icon) button.title = words;
    return button;
}

function makeRow(id) {
    const row = element("li", "queue-job");
    row.dataset.job = id;
    row.tabIndex = -1;
    const what = element("div", "queue-what");
    const bar = element("div", "queue-bar");
    bar.append(element("div", "queue-bar-fill"));
    bar.setAttribute("role", "progressbar");
    what.append(
        element("p", "queue-prompt"),
        element("p", "queue-facts"),
        bar,
        element("p", "queue-state"),
        element("p", "queue-error"),
        element("p", "queue-notes"),
    );
    const actions = element("div", "queue-actions");
    row.append(element("div", "queue-thumbs"), what, actions);
    return row;
}

// `place` is the list that the row stands in: running, held, waiting or past; `rank` its number there from 0.
function updateRow(row, job, place, rank) {
    const find = (name) => row.querySelector(`.queue-${name}`);
    const state = place === "past" || place === "running" ? job.state : place;
    row.dataset.state = state;
    row.draggable = place === "waiting";
    setTextOf(find("prompt"), job.request.prompt || "(no prompt)");
    find("prompt").title = job.request.prompt;
    setTextOf(find("facts"), factsOfJob(job));
    setTextOf(find("state"), stateOfJob(job, place, rank));
    setTextOf(find("error"), job.error?.detail ?? "");
    setTextOf(find("notes"), job.notes.join("\n"));
    updateBar(find("bar"), job, place);
    updateThumbs(find("thumbs"), job, place);
    updateActions(find("actions"), job, state);
    const name = `${STATE_NAMES[job.state]}: ${job.request.prompt.slice(0, 80) || "no prompt"}`;
    if (row.getAttribute("aria-label") !== name) row.setAttribute("aria-label", name);
}

function factsOfJob(job) {
    const { width, height, steps, seed } = job.request;
    const count = job.pictures_asked;
    const facts = [
        `${width}×${height}`,
        `${steps} steps`,
        count === 1 ? "1 picture" : `${count} pictures`,
        `seed ${seed}`,
        sourceOfJob(job),
    ];
    if (job.priority) facts.push(`priority ${job.priority > 0 ? "+" : ""}${job.priority}`);
    if (job.crashes) facts.push(job.crashes === 1 ? "the program ended over it once" : `the program ended over it ${job.crashes} times`);
    return facts.join(" · ");
}

function sourceOfJob(job) {
    const page = job.source.match(/^page (.*)/);
    const client = job.source.match(/^api ?(.*)/);
    if (page) return `from the tab ${page[1]}`;
    return client ? `from the API${client[1] && `, ${client[1]}`}` : `from ${job.source}`;
}

function stateOfJob(job, place, rank) {
    if (place === "running") {
        const parts = [`${Math.round(job.progress * 100)}%`, job.stage];
        if (job.eta_seconds) parts.push(`${formatSeconds(job.eta_seconds)} left`);
        return parts.filter(Boolean).join(" · ");
    }
    if (place === "waiting") {
        const turn = rank === 0 ? "Next" : `${rank} before it`;
        return job.eta_seconds ? `${turn} · done in about ${formatSeconds(job.eta_seconds)}` : turn;
    }
    if (place === "held") return `Held · ${job.pictures.length} of ${job.pictures_asked} pictures are there`;
    return pastState(job);
}

function pastState(job) {
    const parts = [STATE_NAMES[job.state]];
    if (job.started && job.finished) parts.push(`${formatSeconds((Date.parse(job.finished) - Date.parse(job.started)) / 1000)}`);
    if (job.finished) parts.push(timeOfDay(new Date(job.finished)));
    return parts.join(" · ");
}

function timeOfDay(moment) {
    const isToday = moment.toDateString() === new Date().toDateString();
    const time = { hour: "2-digit", minute: "2-digit" };
    return moment.toLocaleString([], isToday ? time : { day: "numeric", month: "short", ...time });
}

function updateBar(bar, job, place) {
    bar.hidden = place !== "running";
    const percent = Math.round(job.progress * 100);
    bar.firstChild.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", String(percent));
}

// The newest pictures; while a job runs, the preview in front of them.
function updateThumbs(place, job, list) {
    const pictures = job.pictures.slice(-SHOWN_THUMBNAILS);
    const wanted = pictures.map((picture) => picture.url);
    const key = JSON.stringify([wanted, list === "running", job.pictures.length]);
    if (place.dataset.key === key) return;
    const preview = place.querySelector(".queue-preview");
    place.dataset.key = key;
    place.replaceChildren(...pictures.map((picture) => thumbnail(job, picture)));
    if (list === "running") place.prepend(preview ?? element("img", "queue-preview"));
    const more = job.pictures.length - pictures.length;
    if (more > 0) place.append(element("span", "queue-more-pictures", `+${more}`));
}

// Pictures may be deleted, and jobs forgotten, at any time: that is no error of the page.
function quietAddress(picture) {
    return `${picture.url.slice(1)}?quiet=true`;
}

function thumbnail(job, picture) {
    const button = element("button", "queue-thumb");
    button.type = "button";
    button.dataset.picture = String(job.pictures.indexOf(picture));
    button.title = "See it at full size";
    const image = element("img", "");
    image.loading = "lazy";
    image.alt = picture.is_grid ? "Grid" : `Picture ${picture.index + 1}`;
    image.addEventListener("error", () => {
        button.disabled = true;
        button.title = "This picture is no longer where it was saved";
    });
    image.src = `${quietAddress(picture)}&size=${THUMBNAIL_SIDE}`;
    button.append(image);
    return button;
}

function updateActions(place, job, state) {
    if (place.dataset.state === state) return;
    const hadFocus = place.contains(document.activeElement);
    place.dataset.state = state;
    const names = Object.keys(JOB_ACTIONS).filter((name) => JOB_ACTIONS[name].states.includes(state));
    const menu = element("details", "queue-menu");
    const summary = element("summary", "queue-icon icon-more", "More");
    summary.title = "More";
    const items = element("div", "queue-menu-items");
    items.append(...names.filter((name) => !JOB_ACTIONS[name].shown).map((name) => actionButton(name, job)));
    menu.append(summary, items);
    place.replaceChildren(...names.filter((name) => JOB_ACTIONS[name].shown).map((name) => actionButton(name, job)), menu);
    if (hadFocus) place.closest(".queue-job").focus();
}

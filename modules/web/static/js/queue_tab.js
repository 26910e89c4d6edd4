// The Queue tab. The server's answers are kept by id; what changes is fetched anew, and rows are patched, never rebuilt,
// so that hundreds of jobs cost no more than those that can be seen.

const PAST_PAGE = 20;
const WAITING_PAGE = 50;
const REFRESH_MS = 250;
const FORECAST_MS = 5000;
const FORECAST_ROWS = 8;
const MOST_BY_ID = 100;
const MOST_AT_ONCE = 500;

const queueJobs = new Map();
const staleJobs = new Set();
// Sentences about files that ended the program, each said once a page.
const saidOfFiles = new Set();
let queueOrder = { paused: false, running: [], waiting: [], held: [], most: 0 };
// Grows with every move of this page, and counts those that have not arrived.
let orderVersion = 0;
let movesUnderWay = 0;
let pastIds = [];
let pastNext = null;
let waitingShown = WAITING_PAGE;
let pastShown = PAST_PAGE;
let refreshTimer = null;
let refreshing = Promise.resolve();
let pastIsStale = true;

function jobAddress(id, action = "") {
    return `easel/v1/jobs/${encodeURIComponent(id)}${action && `/${action}`}`;
}

function previewAddress(id) {
    return `${jobAddress(id, "preview")}?quiet=true`;
}

function queueIsOpen() {
    return !byId("tab_queue").classList.contains("hidden-page");
}

// Several wishes at once are one look; a look that is under way is ended first.
function refreshQueueSoon() {
    if (!queueIsOpen()) return refreshCount();
    refreshTimer ??= setTimeout(() => {
        refreshTimer = null;
        refreshing = refreshing.then(refreshQueue);
    }, REFRESH_MS);
}

async function refreshQueue() {
    try {
        const version = orderVersion;
        const order = await getJson("easel/v1/queue");
        if (movesUnderWay || version !== orderVersion) return; // the end of the move looks again
        takeOrder(order);
        await fetchUnfinished();
        if (pastIsStale) await fetchPast();
        showQueue();
    } catch (error) {
        pastIsStale = true;
        if (!error.isAway) showNotice(error.message);
    }
}

// What has left its place is looked at anew.
function takeOrder(order) {
    const before = [...queueOrder.waiting, ...queueOrder.held, ...queueOrder.running];
    const now = new Set([...order.waiting, ...order.held, ...order.running]);
    before.filter((id) => !now.has(id)).forEach((id) => staleJobs.add(id));
    queueOrder = order;
    (order.left_alone || []).filter((sentence) => !saidOfFiles.has(sentence)).forEach((sentence) => {
        saidOfFiles.add(sentence);
        showNotice(sentence, "info");
    });
}

function unfinishedIds() {
    return [...queueOrder.running, ...queueOrder.held, ...queueOrder.waiting.slice(0, waitingShown)];
}

async function fetchUnfinished() {
    const wanted = unfinishedIds().filter((id) => !queueJobs.has(id) || staleJobs.has(id));
    for (let at = 0; at < wanted.length; at += MOST_BY_ID) await fetchJobs(wanted.slice(at, at + MOST_BY_ID));
    wanted.forEach((id) => staleJobs.delete(id));
}

// A job that was forgotten since the order was told is not in the answer.
async function fetchJobs(ids) {
    const { jobs } = await getJson(`easel/v1/jobs?${ids.map((id) => `id=${encodeURIComponent(id)}`).join("&")}`);
    ids.forEach((id) => queueJobs.delete(id));
    jobs.forEach((job) => queueJobs.set(job.id, job));
}

// All that are shown at once, so that no answer can be one page of an older list.
async function fetchPast() {
    const states = ["done", "failed", "interrupted"].map((state) => `state=${state}`).join("&");
    const ids = [];
    pastIsStale = false;
    pastNext = null;
    do {
        const limit = Math.min(pastShown - ids.length, MOST_AT_ONCE);
        const before = pastNext ? `&before=${encodeURIComponent(pastNext)}` : "";
        const page = await getJson(`easel/v1/jobs?${states}&limit=${limit}${before}`);
        page.jobs.forEach((job) => queueJobs.set(job.id, job));
        ids.push(...page.jobs.map((job) => job.id));
        pastNext = page.next;
    } while (pastNext && ids.length < pastShown);
    pastIds = ids;
    forgetUnshownJobs();
}

function forgetUnshownJobs() {
    const shown = new Set([...unfinishedIds(), ...pastIds]);
    for (const id of queueJobs.keys()) if (!shown.has(id)) queueJobs.delete(id);
    for (const id of staleJobs) if (!shown.has(id)) staleJobs.delete(id);
}

function showQueue() {
    const { running, waiting, held, paused, most } = queueOrder;
    patchList("running", running);
    patchList("held", held);
    patchList("waiting", waiting.slice(0, waitingShown));
    patchList("past", pastIds);
    byId("queue_held").hidden = held.length === 0;
    byId("queue_held_line").hidden = held.length === 0;
    const jobs = held.length === 1 ? "1 job was" : `${held.length} jobs were`;
    setTextOf(byId("queue_held_line").querySelector("p"), `${jobs} left when the program ended.`);
    setTextOf(byId("queue_summary"), summaryOfQueue(running, waiting, paused, most));
    setTextOf(byId("queue_pause"), paused ? "Resume the queue" : "Pause the queue");
    byId("queue_pause").classList.toggle("primary", paused);
    byId("queue_clear").disabled = pastIds.length === 0;
    showMore("waiting", waiting.length - waitingShown, "Show more that wait");
    showMore("past", pastNext ? 1 : 0, "Show older jobs");
    showCount(running.length + waiting.length + held.length);
}

function summaryOfQueue(running, waiting, paused, most) {
    const runs = running.length ? `${running.length} running` : "Nothing is running";
    return `${paused ? "The queue is paused. " : ""}${runs}, ${waiting.length} waiting; at most ${most} may wait.`;
}

function showMore(name, count, label) {
    const button = byId(`queue_${name}_more`);
    button.hidden = count < 1;
    setTextOf(button, label);
}

// The number beside the tab's name: jobs that run, wait or are held.
function showCount(count) {
    byId("tab_queue-button").dataset.count = count ? String(count) : "";
}

async function refreshCount() {
    showCount(queueOrder.running.length + queueOrder.waiting.length + queueOrder.held.length);
}

function patchList(name, ids) {
    const list = byId(`queue_${name}`).querySelector("ul");
    const rows = new Map(Array.from(list.children, (row) => [row.dataset.job, row]));
    const known = ids.filter((id) => queueJobs.has(id));
    const focused = document.activeElement;
    known.forEach((id, rank) => {
        const row = rows.get(id) ?? makeRow(id);
        rows.delete(id);
        updateRow(row, queueJobs.get(id), name, rank);
        if (list.children[rank] !== row) list.insertBefore(row, list.children[rank] ?? null);
    });
    rows.forEach((row) => row.remove());
    if (list.contains(focused) && document.activeElement !== focused) focused.focus();
    const empty = byId(`queue_${name}`).querySelector(".queue-empty");
    empty.hidden = known.length > 0 || !empty.textContent;
}

// Progress comes often: it goes straight into the row, without a question to the server.
function noteNews(news, kind) {
    const job = queueJobs.get(news.job);
    if (kind === "state") {
        pastIsStale ||= !["waiting", "running"].includes(news.state);
        followOrder(news);
    }
    if (kind === "state" || kind === "picture") {
        staleJobs.add(news.job);
        return refreshQueueSoon();
    }
    if (!job || !queueIsOpen()) return;
    const { progress, eta_seconds, stage, notes } = news;
    Object.assign(job, { progress, eta_seconds, stage, notes });
    const row = document.querySelector(`#queue_running [data-job="${CSS.escape(news.job)}"]`);
    if (row) updateRow(row, job, "running", 0);
    if (row && news.preview !== null) showQueuePreview(row, news);
}

// Keeps the number beside the tab right while the tab itself is not looked at.
function followOrder(news) {
    for (const list of [queueOrder.running, queueOrder.waiting]) {
        const place = list.indexOf(news.job);
        if (place >= 0) list.splice(place, 1);
    }
    if (news.state === "running") queueOrder.running.push(news.job);
    if (news.state === "waiting" && !news.held) queueOrder.waiting.push(news.job);
}

function showQueuePreview(row, news) {
    const image = row.querySelector(".queue-preview");
    if (!image || image.dataset.number === String(news.preview)) return;
    image.dataset.number = String(news.preview);
    image.alt = "The unfinished picture";
    image.src = `${previewAddress(news.job)}&number=${news.preview}`;
}

let keepsQueueFresh = false;

// Asking for a preview has them made; forecasts of the next in turn are asked for now and then. While nobody looks nothing
// is done.
async function keepQueueFresh() {
    if (keepsQueueFresh) return;
    keepsQueueFresh = true;
    while (queueIsOpen() && !document.hidden) {
        await pause(FORECAST_MS / 2);
        for (const id of queueOrder.running) fetch(previewAddress(id)).catch(() => null);
        queueOrder.waiting.slice(0, FORECAST_ROWS).forEach((id) => staleJobs.add(id));
        if (!newsAreFresh()) pastIsStale = true;
        if (!newsAreFresh()) queueOrder.running.forEach((id) => staleJobs.add(id));
        if (queueOrder.waiting.length || !newsAreFresh()) refreshQueueSoon();
        await pause(FORECAST_MS / 2);
    }
    keepsQueueFresh = false;
}

function takeQueueNews(order) {
    if (!queueIsOpen()) takeOrder(order);
    pastIsStale = true;
    refreshQueueSoon();
}

onUiLoaded(() => {
    onJobNews(noteNews);
    onQueueNews(takeQueueNews);
    onUiTabChange(() => queueIsOpen() && refreshQueueSoon());
    byId("queue_waiting_more").addEventListener("click", () => {
        waitingShown += 100;
        refreshQueueSoon();
    });
    byId("queue_past_more").addEventListener("click", () => {
        pastShown += PAST_PAGE;
        pastIsStale = true;
        refreshQueueSoon();
    });
    onUiTabChange(keepQueueFresh);
    document.addEventListener("visibilitychange", keepQueueFresh);
    keepQueueFresh();
});

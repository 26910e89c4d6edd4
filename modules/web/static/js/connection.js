// News of the queue, for as long as the page is looked at: one stream of server-sent events for the whole page. While it
// is broken, or the page is hidden, `newsAreFresh()` is false and whoever needs to know asks by itself.

const STREAM_ADDRESS = "easel/v1/events";
const STREAM_AGAIN_MS = 1500;
const NEWS_KINDS = ["state", "progress", "preview", "picture", "note"];

const jobNewsCallbacks = [];
const queueNewsCallbacks = [];
const connectionCallbacks = [];
const settingsNewsCallbacks = [];

// Ids of the jobs that the program's last run left and that wait for a word.
let heldJobs = [];
let queueIsPaused = false;

let stream = null;
let streamTimer = null;
let streamIsOpen = false;
let programIsAway = false;

// Called with what is told about a job: job, state, held, progress, eta_seconds, stage, pictures, preview, notes; and with
// the kind of the event.
function onJobNews(callback) {
    jobNewsCallbacks.push(callback);
}

// Called with the order of the work: paused, running, waiting, held.
function onQueueNews(callback) {
    queueNewsCallbacks.push(callback);
}

// Called when settings have changed, by whomever, with the setting of the checkpoint.
function onSettingsNews(callback) {
    settingsNewsCallbacks.push(callback);
}

// Called with true when news begin to flow (anything may have happened before), with false when nobody answers any more.
function onConnection(callback) {
    connectionCallbacks.push(callback);
}

function newsAreFresh() {
    return streamIsOpen;
}

function openStream() {
    closeStream();
    if (document.hidden) return;
    stream = new EventSource(STREAM_ADDRESS);
    stream.addEventListener("open", () => {
        streamIsOpen = true;
        setAway(false);
        tellAll(connectionCallbacks, true);
    });
    stream.addEventListener("error", streamBroke);
    for (const kind of NEWS_KINDS) {
        stream.addEventListener(kind, (event) => tellJobNews(JSON.parse(event.data), kind));
    }
    stream.addEventListener("queue", (event) => tellQueueNews(JSON.parse(event.data)));
    stream.addEventListener("settings", (event) => tellAll(settingsNewsCallbacks, JSON.parse(event.data)));
}

function closeStream() {
    clearTimeout(streamTimer);
    streamIsOpen = false;
    stream?.close();
    stream = null;
}

// Browsers give up after some answers and wait long after others: here each break is followed by a new attempt.
async function streamBroke() {
    closeStream();
    streamTimer = setTimeout(openStream, STREAM_AGAIN_MS);
    setAway(!(await programAnswers()));
}

async function programAnswers() {
    try {
        const answer = await fetch("internal/ping", { cache: "no-store" });
        if (answer.status === 401) location.reload(); // to the page that asks for the password
        return answer.status < 500;
    } catch {
        return false;
    }
}

function setAway(isAway) {
    if (programIsAway === isAway) return;
    programIsAway = isAway;
    showAway();
    if (isAway) tellAll(connectionCallbacks, false);
}

function showAway() {
    const line = byId("connection_line");
    line.classList.toggle("shown", programIsAway);
    line.textContent = programIsAway
        ? "The program does not answer. The page goes on as soon as it is back; what you have typed stays."
        : "";
}

// Of a job that is forgotten by now, the order of the work is told instead.
function tellJobNews(news, kind) {
    if (!news.job) return tellQueueNews(news);
    for (const callback of jobNewsCallbacks) callback(news, kind);
}

function tellQueueNews(news) {
    heldJobs = news.held;
    queueIsPaused = news.paused;
    tellAll(queueNewsCallbacks, news);
}

function tellAll(callbacks, news) {
    for (const callback of callbacks) callback(news);
}

document.addEventListener("visibilitychange", openStream);

onUiLoaded(() => {
    const line = document.createElement("div");
    line.id = "connection_line";
    line.setAttribute("role", "status");
    document.querySelector(".gradio-container").append(line);
    openStream();
});

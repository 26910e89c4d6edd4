// What a person does on the Queue tab: the buttons of a job, moving it by mouse, by menu or by keys, the buttons above.

const WRITES = { skip: "skip", interrupt: "interrupt", cancel: "cancel", retry: "retry", duplicate: "duplicate" };
const DONE_SENTENCES = {
    skip: "It goes on with its next batch.",
    interrupt: "It ends after its current step.",
    cancel: "Taken back.",
    retry: "Queued once more.",
    duplicate: "Queued once more.",
    forget: "Removed from the list.",
};

function sayInQueue(sentence) {
    byId("queue_live").textContent = sentence;
}

async function actOnJob(id, action) {
    const tab = queueJobs.get(id)?.kind;
    if (action === "edit") return editJob(tab, id);
    if (action === "send" || action === "sendBack") return sendJobToTab(tab, id);
    if (["up", "down", "top", "bottom"].includes(action)) return moveJob(id, action);
    if (action === "sooner" || action === "later") return changePriority(id, action === "sooner" ? 1 : -1);
    if (action === "forget") await sendJson("DELETE", jobAddress(id));
    else await postJson(jobAddress(id, WRITES[action]), {});
    sayInQueue(DONE_SENTENCES[action]);
    staleJobs.add(id);
    pastIsStale = true;
    refreshQueueSoon();
}

async function changePriority(id, change) {
    const priority = (queueJobs.get(id)?.priority ?? 0) + change;
    await postJson(jobAddress(id, "priority"), { priority });
    staleJobs.add(id);
    sayInQueue(`Its priority is ${priority}.`);
    refreshQueueSoon();
}

// The job that `id` has to stand before after a move; null: none, it is the last.
function followerAfter(id, move) {
    const { waiting } = queueOrder;
    const place = waiting.indexOf(id);
    if (move === "top") return waiting[0];
    if (move === "up") return waiting[Math.max(place - 1, 0)];
    if (move === "down") return waiting[place + 2] ?? null;
    return null;
}

async function moveJob(id, move) {
    const before = followerAfter(id, move);
    if (before === id) return;
    await putBefore(id, before);
}

let lastMove = Promise.resolve();

// Shown at once, and sent one after another. Until the last has arrived, no answer about the order counts: it may be old.
async function putBefore(id, before) {
    const rest = queueOrder.waiting.filter((each) => each !== id);
    const place = before ? rest.indexOf(before) : rest.length;
    queueOrder.waiting = [...rest.slice(0, place), id, ...rest.slice(place)];
    movesUnderWay += 1;
    orderVersion += 1;
    showQueue();
    sayInQueue(`Now number ${place + 1} of those that wait.`);
    const move = lastMove.then(() => postJson(jobAddress(id, "move"), { before }));
    lastMove = move.catch(() => null);
    try {
        await move;
    } finally {
        movesUnderWay -= 1;
        orderVersion += 1;
        staleJobs.add(id);
        refreshQueueSoon();
    }
}

// Whatever the server refuses is said, and the list shows again how things are.
async function trying(action) {
    try {
        await action();
    } catch (error) {
        showNotice(error.message);
        refreshQueueSoon();
    }
}

function queueClicked(event) {
    const button = event.target.closest("button");
    const id = event.target.closest(".queue-job")?.dataset.job;
    if (!button) return;
    button.closest(".queue-menu")?.removeAttribute("open");
    if (button.dataset.action) trying(() => actOnJob(id, button.dataset.action));
    if (button.dataset.picture) showQueuePictures(id, Number(button.dataset.picture));
    if (button.dataset.queue) trying(() => askQueue(button.dataset.queue));
}

function showQueuePictures(id, number) {
    const { pictures } = queueJobs.get(id);
    const files = pictures.map((each) => ({ src: quietAddress(each), name: each.path?.split(/[\\/]/).pop() ?? "" }));
    openLightbox(files, number);
}

async function askQueue(what) {
    takeQueueNews(await postJson(`easel/v1/queue/${what}`, {}));
}

async function clearPast() {
    if (!confirm("Remove all past jobs from the list? Pictures that were saved stay.")) return;
    await sendJson("DELETE", "easel/v1/jobs");
    sayInQueue("The list of past jobs is empty.");
    pastIsStale = true;
    refreshQueueSoon();
}

function closeQueueMenu() {
    const menu = document.querySelector(".queue-menu[open]");
    menu?.removeAttribute("open");
    menu?.querySelector("summary").focus();
}

// Alt with an arrow moves the job that has the focus, as in the prompts; arrows alone go from job to job.
function queueKey(event) {
    const row = event.target.closest(".queue-job");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") closeQueueMenu();
    if (!row || !step || event.target.closest(".queue-menu[open]")) return;
    event.preventDefault();
    if (!event.altKey) return (step < 0 ? row.previousElementSibling : row.nextElementSibling)?.focus();
    if (row.dataset.state === "waiting") trying(() => moveJob(row.dataset.job, step < 0 ? "up" : "down"));
}

let draggedJob = null;

function dragStarted(event) {
    const row = event.target.closest?.('.queue-job[draggable="true"]');
    if (!row) return;
    draggedJob = row.dataset.job;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", draggedJob);
    row.classList.add("dragged");
}

// The row that the dragged one would stand before, by the middle of the rows; null: after the last.
function rowUnder(y) {
    const rows = Array.from(document.querySelectorAll("#queue_waiting .queue-job:not(.dragged)"));
    return rows.find((row) => y < row.getBoundingClientRect().top + row.offsetHeight / 2) ?? null;
}

function draggedOver(event) {
    if (!draggedJob || !event.target.closest?.("#queue_waiting")) return;
    event.preventDefault();
    markDropPlace(rowUnder(event.clientY));
}

function markDropPlace(row) {
    for (const marked of document.querySelectorAll(".drop-before")) marked.classList.remove("drop-before");
    row?.classList.add("drop-before");
}

function dropped(event) {
    if (!draggedJob || !event.target.closest?.("#queue_waiting")) return;
    event.preventDefault();
    const id = draggedJob;
    const before = rowUnder(event.clientY)?.dataset.job ?? queueOrder.waiting[waitingShown] ?? null;
    trying(() => putBefore(id, before));
}

function dragEnded() {
    markDropPlace(null);
    document.querySelector(".queue-job.dragged")?.classList.remove("dragged");
    draggedJob = null;
}

onUiLoaded(() => {
    const queue = byId("queue");
    queue.addEventListener("click", queueClicked);
    queue.addEventListener("keydown", queueKey);
    queue.addEventListener("dragstart", dragStarted);
    queue.addEventListener("dragover", draggedOver);
    queue.addEventListener("drop", dropped);
    queue.addEventListener("dragend", dragEnded);
    byId("queue_pause").addEventListener("click", () => trying(() => askQueue(queueOrder.paused ? "resume" : "pause")));
    byId("queue_clear").addEventListener("click", () => trying(clearPast));
});

document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".queue-menu[open]")) {
        if (!menu.contains(event.target)) menu.removeAttribute("open");
    }
});

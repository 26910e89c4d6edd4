// The tasks of a tab: sent to the queue, followed, and their pictures fetched. The server holds the jobs, so a page that
// is reloaded finds them again, and one whose server is away sends and follows as soon as it is back.

const AWAY_MS = 1500;

class TaskQueue {
    // The tasks of one tab that have not ended yet: the first is followed, the others wait.
    constructor(tab) {
        this.tab = tab;
        this.tasks = [];
        this.sending = Promise.resolve();
        this.follower = null;
        this.newestShown = 0;
        this.others = new Set();
    }

    // One after another, so that they arrive in the order in which the button was pressed. `values`: a promise, since
    // pictures may have to be read first; it says null when there is nothing to send.
    send(task, values) {
        this.sending = this.sending.then(() => this.sendNow(task, values));
    }

    async sendNow(task, values) {
        const form = { tab: this.tab, task };
        try {
            form.values = await values;
            if (!form.values) return;
            await untilAnswered(() => postJson("internal/web/submit", form), () => this.add(form.task));
            this.add(form.task);
        } catch (error) {
            this.drop(form.task);
            this.tellError(error);
        }
    }

    add(id) {
        if (!this.tasks.includes(id)) this.tasks.push(id);
        this.followNext();
    }

    drop(id) {
        this.tasks = this.tasks.filter((task) => task !== id);
        this.showState();
    }

    followNext() {
        this.showState();
        const next = this.tasks[0];
        if (this.follower?.id === next) return;
        this.follower?.stop();
        this.follower = next ? this.follow(next) : null;
    }

    follow(id) {
        const view = new ProgressView(byId(`${this.tab}_gallery_container`), byId(`${this.tab}_gallery`));
        view.cancel.addEventListener("click", () => this.cancelWaiting());
        return new JobFollower(id, view, {
            waitingCount: () => this.tasks.length - 1,
            onPicture: () => this.show(id),
            atEnd: (known) => this.ended(id, known),
        });
    }

    async ended(id, known) {
        if (known && (await this.show(id))) this.tellFailure();
        else showNotice("The program no longer knows this job. It may have been forgotten after newer ones.");
        this.drop(id);
        this.followNext();
    }

    // The job that runs is the one to follow, in whatever order they were sent.
    prefer(id) {
        if (!this.tasks.includes(id) || this.follower?.stopped || this.follower?.answer?.active) return;
        this.tasks = [id, ...this.tasks.filter((task) => task !== id)];
        this.followNext();
    }

    // Shows what a job has made, and says whether it is still known. Of several answers on their way the one that was
    // asked for last counts.
    async show(id) {
        const turn = ++this.newestShown;
        try {
            const job = await untilAnswered(() => getJson(`internal/web/shown?task=${encodeURIComponent(id)}`));
            if (!job) return false;
            if (turn !== this.newestShown) return true;
            if (job.pictures.length) showJob(this.tab, job);
            else if (job.is_final) sayBelow(this.tab, job.log);
        } catch (error) {
            this.tellError(error);
        }
        return true;
    }

    tellError(error) {
        const line = document.createElement("p");
        line.className = "error";
        line.setAttribute("role", "alert");
        line.textContent = error.message;
        line.append(...offerButtons(this.tab, error));
        scriptsPlace(`html_log_${this.tab}`).replaceChildren(line);
        showNotice(error.message);
    }

    tellFailure() {
        const error = document.querySelector(`#html_log_${this.tab} .error`);
        if (error) showNotice(error.textContent);
    }

    async cancelWaiting() {
        await postJson("internal/web/cancel", this.tasks.splice(1));
        this.showState();
    }

    showState() {
        const busy = this.tasks.length > 0;
        byId(`tab_${this.tab}`).classList.toggle("is-busy", busy);
        for (const name of ["interrupt", "skip"]) {
            const button = byId(`${this.tab}_${name}`);
            button.disabled = !busy;
            if (name === "interrupt") button.textContent = "Interrupt";
        }
        const generate = byId(`${this.tab}_generate`);
        const waiting = Math.max(this.tasks.length - 1, 0);
        generate.dataset.waiting = waiting ? `${waiting} waiting` : "";
        generate.title = busy ? "Queue another one (Ctrl+Enter)" : "Make pictures (Ctrl+Enter)";
    }
}

const taskQueues = {};

// Asks again and again while the program is away; what it refuses is thrown.
async function untilAnswered(ask, whileAway = null) {
    for (;;) {
        try {
            return await ask();
        } catch (error) {
            if (!error.isAway) throw error;
            whileAway?.();
            await pause(AWAY_MS);
        }
    }
}

// By tab: what is sent beside the values of the controls, and what may be done in place of sending them; see img2img.js.
const formPictures = {};
const formDetours = {};

function namedValues(names, values) {
    return Object.fromEntries(names.map((name, number) => [name, values[number]]));
}

async function completeForm(tab, names, values) {
    return { ...namedValues(names, values), ...(await formPictures[tab]?.()) };
}

// `names` and `values`: the form's controls, handed over by Gradio.
function sendForm(tab, names, values) {
    if (formDetours[tab]?.(names, values)) return;
    byId(`html_log_${tab}`).querySelector(".error")?.remove();
    const complete = completeForm(tab, names, values);
    complete.catch(() => {}); // it is told when its turn has come
    taskQueues[tab].send(randomId(), complete);
    if (innerWidth <= 600) byId(`${tab}_results`).scrollIntoView({ behavior: "smooth" });
}

async function interruptTask(tab) {
    const id = taskQueues[tab].tasks[0];
    byId(`${tab}_interrupt`).textContent = "Interrupting…";
    await askJob(id, "interrupt");
}

async function skipTask(tab) {
    await askJob(taskQueues[tab].tasks[0], "skip");
}

// What is to happen to a job; with no id, to the one that runs.
async function askJob(id, action) {
    try {
        await postJson(id ? `easel/v1/jobs/${encodeURIComponent(id)}/${action}` : `sdapi/v1/${action}`, {});
    } catch (error) {
        showNotice(error.message);
    }
}

// Takes in what was sent from this tab, be it in this browser or in another, and what it has made.
async function restoreTasks(tab) {
    const queue = taskQueues[tab];
    const found = await untilAnswered(() => getJson(`internal/web/jobs?tab=${tab}`));
    if (found.latest && !queue.tasks.length && shownJobs[tab]?.task !== found.latest) await queue.show(found.latest);
    found.open.forEach((id) => queue.add(id));
    return found.open;
}

const restoreTimers = {};

function restoreSoon(tab, id) {
    taskQueues[tab].others.add(id);
    clearTimeout(restoreTimers[tab]);
    restoreTimers[tab] = setTimeout(() => restoreTasks(tab), 300);
}

function followTasks(tab) {
    const queue = (taskQueues[tab] = new TaskQueue(tab));
    queue.showState();
    restoreTasks(tab);
    onJobNews((news, kind) => {
        if (kind !== "state") return;
        if (news.state === "running") queue.prefer(news.job);
        if (!queue.tasks.includes(news.job) && !queue.others.has(news.job)) restoreSoon(tab, news.job);
    });
    onConnection((isBack) => isBack && restoreTasks(tab));
}

onUiLoaded(() => GENERATION_TABS.forEach(followTasks));

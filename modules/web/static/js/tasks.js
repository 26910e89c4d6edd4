// The tasks of a tab: sent to the queue, followed, and their pictures fetched. The server holds the jobs, so a page that
// is reloaded finds them again, and one whose server is away sends and follows as soon as it is back.

const AWAY_MS = 1500;

class TaskQueue {
    // The tasks of one tab that have not ended yet: the first is followed, the others wait.
    constructor(tab) {
        this.tab = tab;
        this.tasks = [];
        this.sending = Promise.resolve();
        this.following = false;
        this.newestShown = 0;
    }

    // One after another, so that they arrive in the order in which the button was pressed.
    send(form) {
        this.sending = this.sending.then(() => this.sendNow(form));
    }

    async sendNow(form) {
        try {
            await untilAnswered(() => postJson("internal/web/submit", form), () => this.add(form.task));
            this.add(form.task);
        } catch (error) {
            this.drop(form.task);
            this.tellError(error.message);
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
        if (this.following || !this.tasks.length) return;
        this.following = true;
        const container = byId(`${this.tab}_gallery_container`);
        const gallery = byId(`${this.tab}_gallery`);
        requestProgress(this.tasks[0], container, gallery, (known) => this.ended(known), null, this);
    }

    async ended(known) {
        const id = this.tasks[0];
        if (known) await this.show(id);
        if (known) this.tellFailure();
        else if (id) showNotice("The program no longer knows this job. It may have been forgotten after newer ones.");
        this.tasks.shift();
        this.following = false;
        this.followNext();
    }

    // Shows what a job has made. Of several answers on their way the one that was asked for last counts.
    async show(id) {
        const turn = ++this.newestShown;
        try {
            const job = await untilAnswered(() => getJson(`internal/web/shown?task=${encodeURIComponent(id)}`));
            if (turn !== this.newestShown) return;
            if (job.pictures.length) showJob(this.tab, job);
            else sayBelow(this.tab, job.log);
        } catch (error) {
            this.tellError(error.message);
        }
    }

    tellError(sentence) {
        const line = document.createElement("p");
        line.className = "error";
        line.setAttribute("role", "alert");
        line.textContent = sentence;
        scriptsPlace(`html_log_${this.tab}`).replaceChildren(line);
        showNotice(sentence);
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

function sendForm(tab, names, values) {
    const form = { tab, task: randomId(), values: Object.fromEntries(names.map((name, number) => [name, values[number]])) };
    byId(`html_log_${tab}`).querySelector(".error")?.remove();
    taskQueues[tab].send(form);
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

async function restoreTasks(tab) {
    const queue = taskQueues[tab];
    const found = await untilAnswered(() => getJson(`internal/web/jobs?tab=${tab}`));
    if (found.latest) await queue.show(found.latest);
    found.open.forEach((id) => queue.add(id));
}

onUiLoaded(() => {
    taskQueues.txt2img = new TaskQueue("txt2img");
    taskQueues.txt2img.showState();
    restoreTasks("txt2img");
});

// Verify: the server makes a picture again from what it carries, and says whether it is the same.

let verifying = null;

function bytesToBase64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
}

function verdictLine(id) {
    return document.querySelector(`#${id} .scripts-place`);
}

function showVerdict(id, kind, sentence, details = []) {
    const line = element("p", "verdict", sentence);
    line.dataset.kind = kind;
    line.setAttribute("role", "status");
    const list = element("ul", "verdict-details");
    list.append(...details.map((detail) => element("li", "", detail)));
    verdictLine(id).replaceChildren(line, ...(details.length ? [list] : []));
}

function detailsOf(verdict) {
    const differences = verdict.differences.map(({ what, then, now }) => `${what} was ${then} and is ${now}`);
    return [...verdict.notes, ...differences];
}

async function askVerdict(id, question) {
    verifying?.abort();
    const own = (verifying = new AbortController());
    showVerdict(id, "asked", "Making the picture again to compare it. It goes before what waits and after what runs.");
    try {
        const body = JSON.stringify(await question());
        const headers = { "Content-Type": "application/json" };
        const verdict = await askJson("easel/v1/verify", { method: "POST", headers, body, signal: own.signal });
        showVerdict(id, verdict.kind, verdict.sentence, detailsOf(verdict));
    } catch (error) {
        if (!own.signal.aborted) showVerdict(id, "cannot", error.message);
    }
}

// The picture that is chosen in the gallery, by its job.
function verifyChosen(tab) {
    const address = shownJobs[tab]?.pictures[selectedPicture(tab)]?.url;
    if (!address) return showNotice("There is no picture in the gallery yet.");
    const [job, , name] = new URL(address, document.baseURI).pathname.split("/").slice(-3).map(decodeURIComponent);
    askVerdict(`${tab}_verdict`, () => ({ job, name }));
}

// The file that was dropped on PNG Info, as it was sent.
function verifyDropped() {
    const image = document.querySelector("#pnginfo_image img");
    if (!image) return showNotice("There is no picture yet: drop one first.");
    askVerdict("pnginfo_verdict", async () => {
        const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
        return { picture: bytesToBase64(bytes) };
    });
}

// A verdict is about one picture: it leaves with it.
function forgetVerdict(id) {
    verifying?.abort();
    verdictLine(id).replaceChildren();
}

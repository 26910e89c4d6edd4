// Pictures that the browser keeps over a reload. They are too large for its store of values (`localSet`), so they have a
// database of their own. A browser that keeps nothing, as in a private window, is no error: the page then forgets.

const KEPT_PICTURES = "easel.pictures";

function openKeptPictures() {
    return new Promise((resolve, reject) => {
        const opening = indexedDB.open(KEPT_PICTURES, 1);
        opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore(KEPT_PICTURES));
        opening.addEventListener("success", () => resolve(opening.result));
        opening.addEventListener("error", () => reject(opening.error));
    });
}

async function withKeptPictures(mode, ask) {
    let database;
    try {
        database = await openKeptPictures();
        const request = ask(database.transaction(KEPT_PICTURES, mode).objectStore(KEPT_PICTURES));
        return await new Promise((resolve, reject) => {
            request.addEventListener("success", () => resolve(request.result));
            request.addEventListener("error", () => reject(request.error));
        });
    } catch (error) {
        console.warn("The browser keeps no pictures for this page:", error);
        return null;
    } finally {
        database?.close();
    }
}

// `picture`: a Blob, or null to forget what was kept.
function keepPicture(key, picture) {
    return withKeptPictures("readwrite", (store) => (picture ? store.put(picture, key) : store.delete(key)));
}

// The Blob that was kept, or null.
async function keptPicture(key) {
    return (await withKeptPictures("readonly", (store) => store.get(key))) ?? null;
}

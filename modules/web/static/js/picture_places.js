// The places on the page that hold a picture, by name: a picture is sent to one of them, or asked of it.
//
// A place is an object { open(), put(blob), get() }: `open` shows its tab, `put` takes a picture in and is done when it
// stands there, `get` gives the picture (a Blob) or null.

const picturePlaces = {};

function registerPicturePlace(name, place) {
    picturePlaces[name] = place;
}

// Names of the places there are, of `names` or of all.
function knownPicturePlaces(names = Object.keys(picturePlaces)) {
    return names.filter((name) => name in picturePlaces);
}

// `source`: a Blob, or the address of a picture of this program.
async function pictureBlob(source) {
    if (source instanceof Blob) return source;
    const answer = await fetch(source).catch(() => null);
    if (!answer) throw new Error("The picture cannot be fetched. Look whether the program still runs.");
    if (!answer.ok || answer.status === 204) throw new Error("The picture is no longer there. Its job may have been forgotten after newer ones.");
    return answer.blob();
}

// Whether the picture has arrived. Why it has not is said on the page.
async function sendPicture(name, source) {
    const place = picturePlaces[name];
    if (!place || !source) {
        showNotice(place ? "There is no picture to send yet." : `There is no place for pictures named ${name}.`);
        return false;
    }
    try {
        const picture = await pictureBlob(source);
        place.open();
        await place.put(picture);
        return true;
    } catch (error) {
        showNotice(error.message);
        return false;
    }
}

async function pictureOf(name) {
    return (await picturePlaces[name]?.get()) ?? null;
}

function asDataUrl(blob) {
    return new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.addEventListener("load", () => resolve(reader.result));
        reader.addEventListener("error", () => reject(new Error("The file can no longer be read. Choose it again.")));
        reader.readAsDataURL(blob);
    });
}

// The picture among what was dropped or pasted, or null.
function pictureFileOf(transfer) {
    return Array.from(transfer?.files ?? []).find((file) => file.type.startsWith("image/")) ?? null;
}

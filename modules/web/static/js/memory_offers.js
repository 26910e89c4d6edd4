// What the page offers beside a sentence which says that the memory is short: a button that mends the request.

// Of what would just fit: other programs take memory meanwhile.
const OFFERED_SHARE = 0.9;

// The wells of the open sub-tab, each with the pixels that it is to be scaled down to. A mask that is painted weighs as
// much as its picture.
function wellsToShrink(pixels) {
    const wells = SUBTAB_PLACES[get_img2img_tab_index()].map((name) => pictureWells[name]).filter((well) => well?.held);
    const count = ({ held: { size } }) => size[0] * size[1];
    const given = wells.reduce((sum, well) => sum + count(well) * (well.isMask || well.held.drawing ? 2 : 1), 0);
    const share = (OFFERED_SHARE * pixels) / given;
    return share < 1 ? wells.map((well) => [well, Math.floor(count(well) * share)]) : [];
}

function shrinkOffer(pixels) {
    const wells = wellsToShrink(pixels);
    if (!wells.length) return null;
    const sizes = wells.map(([well, most]) => shrunkSize(well.held.size, most).join(" × "));
    const act = async () => {
        for (const [well, most] of wells) await well.shrink(most);
    };
    return { label: `Scale down to ${sizes.join(" and ")}`, act };
}

function sizeOffer(tab, { width, height }) {
    const isTyped = tab !== "img2img" || (sizeIsTyped() && currentPicturePlace() !== "outpaint");
    if (!width || !isTyped) return null;
    const act = () => {
        setText(`${tab}_width`, width);
        setText(`${tab}_height`, height);
    };
    return { label: `Take ${width} × ${height}`, act };
}

function sizeIsTyped() {
    return !byId("img2img_tab_resize_to").classList.contains("hidden-page");
}

// Buttons for what `error` says of the memory; once one is pressed the sentence is done with.
function offerButtons(tab, { memory }) {
    if (!memory) return [];
    const offer = memory.given_pixels && tab === "img2img" ? shrinkOffer(memory.given_pixels) : sizeOffer(tab, memory);
    if (!offer) return [];
    const button = element("button", "offer", offer.label);
    button.type = "button";
    button.addEventListener("click", async () => {
        try {
            await offer.act();
            byId(`html_log_${tab}`).querySelector(".error")?.remove();
        } catch (error) {
            showNotice(error.message);
        }
    });
    return [button];
}

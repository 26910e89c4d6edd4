// Layers over the page: dialogs and the picture at full size. While one is open the focus stays in it, Escape closes it,
// and the focus then goes back to where it was. Of several the one that was opened last counts.

const layers = [];

function topLayer() {
    return layers.at(-1);
}

// `close` is called by Escape, and calls `closeLayer`. `first` gets the focus.
function openLayer(element, close, first = focusStops(element)[0] ?? element) {
    const opened = layers.find((layer) => layer.element === element);
    if (!opened) layers.push({ element, close, opener: document.activeElement });
    first.focus();
}

function closeLayer(element) {
    const place = layers.findIndex((layer) => layer.element === element);
    if (place < 0) return;
    const [{ opener }] = layers.splice(place, 1);
    const back = opener?.isConnected && opener !== document.body ? opener : get_uiCurrentTab();
    back?.focus({ preventScroll: true });
}

const FOCUS_STOPS = 'a[href], button, input, select, textarea, summary, [contenteditable="true"], [tabindex]';

// What Tab stops at inside `element`, in order.
function focusStops(element) {
    return Array.from(element.querySelectorAll(FOCUS_STOPS)).filter(
        (stop) => !stop.disabled && stop.tabIndex >= 0 && !stop.closest("[inert]") && stop.getClientRects().length,
    );
}

// From the last stop to the first, and back; anywhere else the browser knows the way.
function keepTabInside(element, event) {
    const stops = focusStops(element);
    const place = stops.indexOf(document.activeElement);
    const isAtEnd = event.shiftKey ? place <= 0 : place < 0 || place === stops.length - 1;
    if (!isAtEnd) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
}

document.addEventListener(
    "keydown",
    (event) => {
        const layer = topLayer();
        if (!layer) return;
        if (event.key === "Tab") keepTabInside(layer.element, event);
        if (event.key !== "Escape") return;
        layer.close();
        event.preventDefault();
        event.stopImmediatePropagation();
    },
    true,
);

// Scripts and Gradio move the focus too; messages lie above every layer.
document.addEventListener("focusin", (event) => {
    const layer = topLayer();
    if (!layer || layer.element.contains(event.target) || event.target.closest("#notices")) return;
    (focusStops(layer.element)[0] ?? layer.element).focus({ preventScroll: true });
});

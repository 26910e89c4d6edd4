// Gradio's menus open their list at any key, and so at Tab, when the focus has gone on already: it would stay open. The
// list, which browsers let be scrolled with keys, is no stop on the way either.
document.addEventListener(
    "keydown",
    (event) => {
        if (event.key !== "Tab" || !event.target.closest?.(".wrap-inner")) return;
        byId(event.target.getAttribute("aria-controls"))?.setAttribute("tabindex", "-1");
        event.stopPropagation();
    },
    true,
);

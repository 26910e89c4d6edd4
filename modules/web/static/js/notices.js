// Short messages at the corner of the page. Errors stay until they are dismissed or eight seconds have passed.

function showNotice(sentence, kind = "error") {
    let stack = byId("notices");
    if (!stack) {
        stack = document.createElement("div");
        stack.id = "notices";
        stack.setAttribute("aria-live", "polite");
        document.querySelector(".gradio-container").append(stack);
    }
    const notice = document.createElement("div");
    notice.className = `notice ${kind}`;
    notice.setAttribute("role", kind === "error" ? "alert" : "status");
    const text = document.createElement("span");
    text.textContent = sentence;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Dismiss");
    close.addEventListener("click", () => notice.remove());
    notice.append(text, close);
    stack.append(notice);
    setTimeout(() => notice.remove(), 8000);
}

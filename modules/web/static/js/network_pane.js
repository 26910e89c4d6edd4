// One pane of cards: it is asked for when it is first opened, a page at a time as it is scrolled.

const CARDS_OF_PAGE = 100;
const SEARCH_AFTER_MS = 200;
const UNREAD_AGAIN_MS = 1000;
const LARGEST_PAGE = 1000;

class NetworkPane {
    constructor(element) {
        this.element = element;
        this.tab = element.dataset.tab;
        this.kind = element.dataset.kind;
        this.cards = element.querySelector(".extra-network-cards");
        this.tree = element.querySelector(".network-tree");
        this.folder = "";
        this.isDescending = false;
        this.everyVersion = false;
        this.isStale = true;
        this.asked = 0;
        this.shown = 0;
        this.total = 0;
        this.bind();
    }

    part(name) {
        return this.element.querySelector(`.network-${name}`);
    }

    bind() {
        let timer = null;
        const search = this.part("search");
        search.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(() => this.load(), SEARCH_AFTER_MS);
        });
        search.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
        this.part("sort").querySelector("select").addEventListener("change", () => this.load());
        this.part("direction").addEventListener("click", () => this.turn(!this.isDescending));
        this.tree.addEventListener("click", (event) => this.folderClicked(event));
        this.part("folders").addEventListener("click", () => this.showTree(this.tree.hidden));
        this.part("refresh").addEventListener("click", () => this.refresh());
        this.part("versions").addEventListener("click", () => {
            this.everyVersion = !this.everyVersion;
            this.load();
        });
        this.cards.addEventListener("click", (event) => cardPressed(this, event));
        this.cards.addEventListener("scroll", () => this.loadMoreSoon(), { passive: true });
    }

    // As the settings have it, until somebody says otherwise.
    takeDefaults() {
        const field = opts.extra_networks_card_order_field;
        const order = Array.from(this.part("sort").querySelectorAll("option")).find((each) => each.textContent === field);
        if (order) this.part("sort").querySelector("select").value = order.value;
        this.isDescending = opts.extra_networks_card_order === "Descending";
        this.showDirection();
        this.tree.style.width = `${opts.extra_networks_tree_view_default_width}px`;
        this.showTree(opts.extra_networks_tree_view_default_enabled);
    }

    showTree(isShown) {
        this.tree.hidden = !isShown;
        this.part("folders").setAttribute("aria-pressed", String(isShown));
        if (!isShown && this.folder) this.chooseFolder("");
    }

    turn(isDescending) {
        this.isDescending = isDescending;
        this.showDirection();
        this.load();
    }

    showDirection() {
        const button = this.part("direction");
        button.classList.toggle("icon-up", !this.isDescending);
        button.classList.toggle("icon-down", this.isDescending);
        button.title = this.isDescending ? "Descending: turn round" : "Ascending: turn round";
        button.setAttribute("aria-label", button.title);
    }

    address(page, size, anew) {
        const asked = {
            kind: this.kind,
            search: this.part("search").value,
            folder: this.folder,
            sort: this.part("sort").querySelector("select").value,
            descending: this.isDescending,
            every_version: this.everyVersion,
            page,
            page_size: size,
            anew,
        };
        return `internal/web/networks?${new URLSearchParams(asked)}`;
    }

    open() {
        if (this.isStale) this.load();
        else this.mark();
    }

    refresh() {
        return this.load({ anew: true, keepsPlace: true });
    }

    // What is asked for now counts, not what was asked for before and comes later.
    async ask(page, size, anew = false) {
        const number = ++this.asked;
        this.element.setAttribute("aria-busy", "true");
        try {
            const found = await getJson(this.address(page, size, anew));
            return number === this.asked ? found : null;
        } catch (error) {
            if (number === this.asked) this.say(error.message);
            return null;
        } finally {
            if (number === this.asked) this.element.removeAttribute("aria-busy");
        }
    }

    async load({ anew = false, keepsPlace = false } = {}) {
        this.isStale = false;
        const scrolled = this.cards.scrollTop;
        const size = keepsPlace ? Math.min(Math.max(this.shown, CARDS_OF_PAGE), LARGEST_PAGE) : CARDS_OF_PAGE;
        const found = await this.ask(0, size, anew);
        if (!found) return;
        this.cards.innerHTML = found.html;
        this.cards.scrollTop = keepsPlace ? scrolled : 0;
        this.shown = found.shown;
        this.take(found);
    }

    async loadMore() {
        if (this.shown >= this.total || this.element.hasAttribute("aria-busy")) return;
        const page = Math.floor(this.shown / CARDS_OF_PAGE);
        const found = await this.ask(page, CARDS_OF_PAGE);
        if (!found) return;
        // Pages are cut anew when files came or went: a card that is there already is not shown twice.
        const known = new Set(Array.from(this.cards.children, (card) => card.dataset.name));
        const fresh = document.createElement("template");
        fresh.innerHTML = found.html;
        this.cards.append(...Array.from(fresh.content.children).filter((card) => !known.has(card.dataset.name)));
        this.shown = page * CARDS_OF_PAGE + found.shown;
        this.take(found);
    }

    loadMoreSoon() {
        const { scrollTop, clientHeight, scrollHeight } = this.cards;
        if (clientHeight && scrollHeight - scrollTop - clientHeight < clientHeight) this.loadMore();
    }

    take(found) {
        this.total = found.total;
        this.showFolders(found.folders);
        this.showVersions(found.other_versions);
        this.showCount(found);
        this.mark();
        clearTimeout(this.again);
        if (found.unread) this.again = setTimeout(() => this.load({ keepsPlace: true }), UNREAD_AGAIN_MS);
        this.loadMoreSoon();
    }

    say(sentence) {
        this.part("count").textContent = sentence;
    }

    showCount({ total, unread, roots }) {
        const reading = unread ? `; ${unread} files are still being read` : "";
        this.say(`${total} ${total === 1 ? "card" : "cards"}${reading}`);
        if (total) return;
        const isSearched = this.part("search").value.trim() || this.folder;
        const empty = document.createElement("p");
        empty.className = "network-empty";
        empty.textContent = isSearched ? "Nothing fits the search." : `There is nothing here. Put files into: ${roots.join(", ")}`;
        this.cards.replaceChildren(empty);
    }

    showVersions(count) {
        const button = this.part("versions");
        button.hidden = !count && !this.everyVersion;
        button.textContent = this.everyVersion ? "Hide those for other models" : `${count} for other models: show`;
    }

    showFolders(folders) {
        const slash = opts.extra_networks_dir_button_function ? "/" : "";
        const whole = folderButton("", "All", 0);
        const rows = folders.map(({ path, count }) => {
            const parts = path.split("/");
            return folderButton(path, slash + parts[parts.length - 1], parts.length, count);
        });
        const focused = this.tree.contains(document.activeElement) && document.activeElement.dataset.folder;
        this.tree.replaceChildren(whole, ...rows);
        for (const row of this.tree.children) {
            row.setAttribute("aria-pressed", String(row.dataset.folder === this.folder));
            if (focused === row.dataset.folder) row.focus();
        }
    }

    folderClicked(event) {
        const row = event.target.closest("[data-folder]");
        if (row) this.chooseFolder(row.dataset.folder === this.folder ? "" : row.dataset.folder);
    }

    chooseFolder(folder) {
        this.folder = folder;
        this.load();
    }

    // Cards whose text stands in a prompt, and the checkpoint in use, are shown as pressed.
    mark() {
        const checkpoint = checkpointInUse();
        for (const card of this.cards.querySelectorAll(".card")) {
            const { kind, name, label, prompt, anywhere } = card.dataset;
            const isUsed = kind === "checkpoints" ? [name, label].includes(checkpoint) : cardIsUsed(this.tab, prompt, anywhere);
            card.classList.toggle("used", isUsed);
            card.querySelector(".card-use").setAttribute("aria-pressed", String(isUsed));
        }
    }

    isOpen() {
        return Boolean(this.element.offsetParent);
    }
}

function folderButton(path, name, depth, count) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.folder = path;
    button.title = path || "All folders";
    button.style.paddingInlineStart = `${8 + 12 * Math.max(depth - 1, 0)}px`;
    const label = document.createElement("span");
    label.textContent = name;
    button.append(label);
    if (count !== undefined) {
        const number = document.createElement("small");
        number.textContent = count;
        button.append(number);
    }
    return button;
}

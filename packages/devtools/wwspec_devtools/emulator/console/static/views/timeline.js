// View `timeline`: every flow as one line, with its entries below it when it is open, and one entry beside the list.
// @ts-check
import { fill, h, update, visible } from "../dom.js";
import { isTyping } from "../keys.js";
import { duration } from "../parts.js";
import { record } from "../record.js";
import { go, hashOf, here } from "../route.js";
import { t } from "../texts.js";
import { FilterBar, filtersOf, withFilters } from "../timeline/filters.js";
import { TimelineList } from "../timeline/list.js";
import { readQuery } from "../timeline/query.js";
import { TextSearch } from "../timeline/text-search.js";
import { FlowItem, FoldItem } from "../timeline/items.js";
import { LANES } from "../timeline/flow-summary.js";

/**
 * @typedef {import("../route.js").Place} Place
 * @typedef {import("../timeline/items.js").Item} Item
 */

const NARROW = matchMedia("(max-width: 760px)");

class Timeline {
    #place;
    #search = new TextSearch((isDone) => this.#found(isDone));
    #list = new TimelineList((item) => this.choose(item));
    #status = h("span", { class: "dim counts", role: "status", "aria-live": "off" });
    #messages = h("p", { class: "hits", role: "status", hidden: true });
    #bar;
    #close = h("button", { type: "button", class: "quiet close", "aria-label": t("close"), title: `${t("close")} (Esc)`, onclick: () => this.escape() }, "×");
    #entry = h("div");
    #detail = h("aside", { class: "detail", "aria-label": t("timeline.detail"), hidden: true }, this.#close, this.#entry);
    #split = h("div", { class: "split" }, this.#list.element, this.#detail);
    /** @type {() => void} */
    #endEntry = () => {};
    #shownEntry = "";

    /**
     * @param {HTMLElement} main
     * @param {Place} place
     */
    constructor(main, place) {
        this.#place = place;
        this.#bar = new FilterBar(filtersOf(place.query), (filters) => this.#goWith(filters), [this.#status]);
        this.#list.onchange = (rows) => this.#changed(rows);
        this.#list.onclear = () => this.#bar.clear();
        main.appendChild(h("div", { class: "timeline" }, h("h1", {}, t("nav.timeline")), this.#bar.element, this.#messages, legend(this.#bar.ways), this.#split));
        this.#list.start();
        this.#filter();
        this.#showEntry();
    }

    /** @param {Place} place */
    move(place) {
        const before = this.#place;
        this.#place = place;
        if (JSON.stringify(filtersOf(before.query)) !== JSON.stringify(filtersOf(place.query))) this.#filter();
        if (before.id !== place.id) this.#showEntry();
        return true;
    }

    end() {
        this.#shownEntry = "";
        this.#endEntry();
        this.#search.end();
        this.#bar.end();
        this.#list.end();
    }

    /**
     * Open what a line shows: an entry beside the list, a flow of several entries in place.
     * @param {Item} item
     */
    choose(item) {
        if (item instanceof FoldItem) {
            this.#list.toggle(item);
            return;
        }
        if (item instanceof FlowItem && item.flow.rows.length > 1) {
            this.#list.toggle(item);
            if (!item.open || NARROW.matches) return;
        }
        this.#go(item);
    }

    /** @param {number} step Select the next or the previous line. */
    step(step) {
        this.#list.step(step);
        this.#follow();
    }

    /** @param {"first" | "last"} end */
    toEnd(end) {
        this.#list.toEnd(end);
        this.#follow();
    }

    /** Leave the field, the replay, the entry, or the flow: the first that can be left. */
    escape() {
        const at = document.activeElement;
        if (this.#bar.leave()) this.#list.focus();
        else if (isTyping(at)) /** @type {HTMLElement} */ (at).blur();
        else if (this.#place.part !== "") go(hashOf("timeline", this.#place.id, this.#place.query));
        else if (this.#place.id !== "") {
            go(hashOf("timeline", "", this.#place.query));
            this.#list.focus();
        } else this.#list.close();
    }

    focusSearch() {
        if (NARROW.matches && this.#place.id !== "") this.escape();
        this.#bar.focus();
    }

    /** Let the entry beside the list be that of the selected line. */
    #follow() {
        const item = this.#list.selected;
        if (item && !(item instanceof FoldItem) && this.#place.id !== "") this.#go(item);
    }

    /** @param {import("../timeline/filters.js").Filters} filters */
    #goWith(filters) {
        const { id, query, part } = here();
        go(hashOf("timeline", id, withFilters(query, filters), part), { replace: true });
    }

    /** @param {Exclude<Item, FoldItem>} item */
    #go(item) {
        const { id, query } = this.#place;
        go(hashOf("timeline", item.number, query), { replace: id !== "" });
    }

    #filter() {
        const filters = filtersOf(this.#place.query);
        this.#bar.show(filters);
        this.#search.search(readQuery(filters.q).texts);
        this.#showMessages();
        this.#filterList();
        this.#count();
    }

    /** @param {boolean} isDone */
    #found(isDone) {
        this.#list.setSearching(!isDone);
        if (isDone) this.#filterList();
        this.#showMessages();
        this.#count();
    }

    /** Name the messages that have the text, and the view that lists them. */
    #showMessages() {
        const { text, count } = this.#search.messages;
        this.#messages.hidden = count === 0;
        update(this.#messages, count > 0 && h("a", { href: hashOf("events", "", { list: "messages", text }) }, t("timeline.messages", { count, text: visible(text) })));
    }

    #filterList() {
        const { sort, scale } = filtersOf(this.#place.query);
        this.#list.filter(this.#condition(), { isSlowestFirst: sort === "slowest", isOneScale: scale !== "own" });
    }

    /** @returns {import("../timeline/query.js").Condition | null} */
    #condition() {
        return readQuery(filtersOf(this.#place.query).q).condition?.(this.#search.found) ?? null;
    }

    /** @param {ReadonlyArray<import("../record.js").Row> | null} rows Of the flows that changed; null when all did. */
    #changed(rows) {
        if (rows === null) this.#search.again();
        if (rows?.length) this.#search.renew(rows.reduce((least, row) => Math.min(least, row.number), Infinity));
        this.#count();
    }

    #count() {
        const { shownFlows } = this.#list;
        const flows = record.flows.size;
        const isSome = this.#condition() !== null;
        const counts = isSome ? t("timeline.count.some", { shown: shownFlows, flows }) : t("timeline.count", { flows, entries: record.rows.size });
        const dropped = record.dropped > 0 && h("span", { class: "chip", title: t("timeline.dropped", { count: record.dropped }) }, t("timeline.dropped.short", { count: record.dropped }));
        const missed = record.missed > 0 && h("span", { class: "chip warn", title: t("timeline.missed.why") }, t("timeline.missed", { count: record.missed }));
        const { longest } = this.#list;
        const scale = longest > 0 && h("span", { class: "chip", title: t("timeline.scale.about") }, t("timeline.scale.width", { longest: duration(longest) }));
        update(this.#status, counts, scale, dropped, missed);
    }

    #showEntry() {
        const { id } = this.#place;
        if (id === this.#shownEntry) return;
        this.#shownEntry = id;
        this.#endEntry();
        this.#endEntry = () => {};
        fill(this.#entry);
        this.#split.classList.toggle("open", id !== "");
        this.#detail.hidden = id === "";
        this.#detail.scrollTop = 0;
        if (id === "") return;
        if (!/^[1-9]\d{0,14}$/.test(id)) {
            fill(this.#entry, h("p", { class: "empty", role: "alert" }, t("entry.unknown", { id: visible(id) })));
            return;
        }
        void this.#loadEntry(id);
        this.#list.select(Number(id));
    }

    /** @param {string} id */
    async #loadEntry(id) {
        const { showEntry } = await import("./entry.js");
        if (id !== this.#shownEntry) return;
        this.#endEntry();
        this.#endEntry = showEntry(this.#entry, Number(id));
    }
}

/**
 * Return what the colours are, and how the list is shown.
 * @param {HTMLElement} ways
 */
function legend(ways) {
    const lanes = LANES.map((lane) => h("li", { class: `lane-${lane}`, title: t(`timeline.lane.${lane}`) }, h("span", {}, t(`timeline.short.${lane}`))));
    return h("div", { class: "legend" }, h("ul", { "aria-label": t("timeline.lanes") }, lanes), ways);
}

/** @type {Timeline | null} */
let shown = null;

/** @type {import("../app.js").View} */
export const view = {
    show(main, place) {
        const timeline = new Timeline(main, place);
        shown = timeline;
        return () => {
            timeline.end();
            shown = null;
        };
    },
    move: (place) => shown?.move(place) ?? false,
    keys: {
        "/": () => shown?.focusSearch(),
        j: () => shown?.step(1),
        k: () => shown?.step(-1),
        g: () => shown?.toEnd("first"),
        G: () => shown?.toEnd("last"),
        Escape: () => shown?.escape(),
    },
};

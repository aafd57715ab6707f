// The list of the timeline. It takes in what changed once a frame, and goes with its end while the reader is there.
// @ts-check
import { everyFrame, h } from "../dom.js";
import { FlowItems } from "./flow-items.js";
import { FlowRow } from "./flow-row.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import { EmptyTimeline } from "./empty.js";
import { Follower } from "./follower.js";
import { EntryItem, FlowItem, FoldItem } from "./items.js";
import "../virtual-list.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("./items.js").Item} Item
 */

const WIDE = 720; // pixels from which on a line has one row of text
const HEIGHT = { wide: 34, narrow: 54 };

/** @type {WeakMap<HTMLElement, FlowRow>} */
const drawn = new WeakMap();

export class TimelineList {
    #items = new FlowItems(record.flows);
    #list = /** @type {import("../virtual-list.js").VirtualList} */ (document.createElement("virtual-list"));
    #empty = new EmptyTimeline(() => this.onclear());
    #follower = new Follower(this.#list, () => this.toEnd("last"));
    element = h("div", { class: "listing" }, this.#list, this.#empty.element, this.#follower.button);
    /** @type {(rows: Row[] | null) => void} Called after a change with the rows of the flows that changed. */
    onchange = () => {};
    /** @type {() => void} Clears the filters. */
    onclear = () => {};
    /** @type {Item | null} */
    selected = null;
    /** Number of the entry to be selected once it comes. */
    #awaited = 0;
    /** @type {Set<number> | null} Flows that changed since the last frame; null for all. */
    #changed = null;
    #draw = everyFrame(() => this.#take());
    #resized = new ResizeObserver(() => this.#fit());

    /** @param {(item: Item) => void} choose Called for the line that the reader opens. */
    constructor(choose) {
        this.choose = choose;
        const list = this.#list;
        list.roles = { list: "tree", row: "treeitem" };
        list.setAttribute("aria-label", t("timeline.list"));
        list.make = (item) => {
            const row = new FlowRow();
            drawn.set(row.element, row);
            row.show(item, this.#isWanted(item), this.#items.longest);
            return row.element;
        };
        list.renew = (element, item) => drawn.get(element)?.show(item, this.#isWanted(item), this.#items.longest);
        list.addEventListener("click", (event) => this.#click(event));
        list.addEventListener("keydown", (event) => this.#key(event));
    }

    /** Show what is recorded, and what comes. */
    start() {
        record.addEventListener("rows", this.#note);
        record.addEventListener("program", this.#showEmpty);
        this.#resized.observe(this.element);
        this.#fit();
        this.#take();
    }

    end() {
        record.removeEventListener("rows", this.#note);
        record.removeEventListener("program", this.#showEmpty);
        this.#resized.disconnect();
    }

    get shownFlows() {
        return this.#items.shownFlows;
    }

    /**
     * @param {import("./query.js").Condition | null} condition
     * @param {import("./flow-items.js").Ways} ways
     */
    filter(condition, ways) {
        const { isSlowestFirst: was } = this.#items.ways;
        const isOther = ways.isSlowestFirst !== was;
        this.#items.ways = ways;
        this.#follower.isPossible = !ways.isSlowestFirst;
        if (isOther && !was) this.#follower.stay();
        this.#keepPlace(() => this.#items.filter(condition));
        if (isOther && was) this.#follower.follow();
        else if (isOther) this.#list.scrollTop = 0;
        this.#list.redraw();
    }

    /** How long the slowest flow took that all bars are measured by; 0 while each flow has a scale of its own. */
    get longest() {
        return this.#items.longest;
    }

    /** @param {boolean} isSearching */
    setSearching(isSearching) {
        this.#empty.isSearching = isSearching;
        this.#showEmpty();
    }

    /** @param {FlowItem | FoldItem} item */
    toggle(item) {
        this.#follower.stay();
        this.#items.setOpen(item, !item.open);
        this.#list.changed(item);
        if (this.selected instanceof EntryItem && this.selected.of === item) this.selected = item;
        this.#show();
    }

    /** Close the flow of the selected line. */
    close() {
        const item = this.selected instanceof EntryItem ? this.selected.of : this.selected;
        if (item?.open) this.toggle(item);
    }

    /** @param {number} number Select the line of an entry, and open its flow; wait for it when it is not there yet. */
    select(number) {
        if (this.selected && !(this.selected instanceof FoldItem) && this.selected.number === number) return;
        this.#awaited = number;
        const row = record.rows.get(number);
        const flow = row && this.#items.flow(row.flow);
        if (!flow) return;
        this.#awaited = 0;
        this.#follower.stay();
        this.#items.open(row);
        this.#list.changed(flow);
        this.selected = this.#items.items[this.#items.indexOf(row)] ?? null;
        this.#show();
        this.#list.revealSelected(this.#items.items.indexOf(flow));
    }

    /** @param {number} step */
    step(step) {
        this.focus();
        const { items } = this.#items;
        const at = this.selected ? items.indexOf(this.selected) : step > 0 ? -1 : items.length;
        this.#selectAt(Math.max(0, Math.min(items.length - 1, at + step)));
    }

    /** @param {"first" | "last"} end */
    toEnd(end) {
        this.focus();
        this.#selectAt(end === "first" ? 0 : this.#items.items.length - 1);
        if (end === "last") this.#follower.follow();
        else this.#follower.stay();
    }

    focus() {
        this.#list.focus({ preventScroll: true });
    }

    /** @param {Event} event */
    #note = (event) => {
        const flows = /** @type {CustomEvent<Set<number> | null>} */ (event).detail;
        if (flows === null) this.#changed = null;
        else if (this.#changed) for (const number of flows) this.#changed.add(number);
        this.#draw();
    };

    /** Take in what changed. */
    #take() {
        const flows = this.#changed;
        const { longest } = this.#items;
        this.#changed = new Set();
        this.#keepPlace(() => {
            if (flows === null) this.#items.fillAnew();
            else for (const item of this.#items.take(flows)) this.#list.changed(item);
        });
        if (flows === null || longest !== this.#items.longest) this.#list.redraw();
        this.onchange(flows && [...flows].flatMap((number) => record.flows.get(number)?.rows ?? []));
        if (this.#awaited) this.select(this.#awaited);
    }

    /**
     * Change the lines; what the reader sees stays in its place.
     * @param {() => void} change
     */
    #keepPlace(change) {
        const list = this.#list;
        const top = Math.floor(list.scrollTop / list.rowHeight);
        const seen = this.#items.items[top];
        change();
        const now = seen ? this.#items.items.indexOf(seen) : -1;
        this.#show();
        if (this.#follower.isFollowing) list.toEnd();
        else if (now >= 0 && now !== top) list.shift(now - top);
        list.draw();
    }

    #show() {
        const { items } = this.#items;
        this.#list.rows = items;
        this.#list.selected = this.selected ? items.indexOf(this.selected) : -1;
        this.#showEmpty();
        this.#follower.show();
    }

    #showEmpty = () => {
        const isEmpty = this.#items.items.length === 0;
        this.#empty.show(isEmpty);
        this.#list.hidden = isEmpty;
    };

    /** @param {number} index */
    #selectAt(index) {
        this.selected = this.#items.items[index] ?? null;
        this.#list.selected = index;
        this.#list.revealSelected();
    }

    /** @param {Item} item */
    #isWanted(item) {
        return !(item instanceof EntryItem) || this.#items.isWanted(item.row);
    }

    /** @param {MouseEvent} event */
    #click(event) {
        const element = /** @type {Element} */ (event.target).closest(".row");
        const item = element && this.#items.items[Number(element.getAttribute("aria-posinset")) - 1];
        if (!item) return;
        this.selected = item;
        this.#list.selected = this.#items.items.indexOf(item);
        this.choose(item);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const item = this.selected;
        const flow = item instanceof EntryItem ? item.of : item;
        /** @type {Record<string, () => void>} */
        const keys = {
            ArrowDown: () => this.step(1),
            ArrowUp: () => this.step(-1),
            Home: () => this.toEnd("first"),
            End: () => this.toEnd("last"),
            Enter: () => item && this.choose(item),
            ArrowRight: () => flow && !flow.open && this.toggle(flow),
            ArrowLeft: () => this.close(),
        };
        const run = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (!run) return;
        event.preventDefault();
        run();
    }

    /** Give lines one row of text or two, and keep the selected one in sight. */
    #fit() {
        const isNarrow = this.element.clientWidth < WIDE;
        this.element.classList.toggle("narrow", isNarrow);
        const height = isNarrow ? HEIGHT.narrow : HEIGHT.wide;
        const list = this.#list;
        const top = list.scrollTop / list.rowHeight;
        list.rowHeight = height;
        list.draw();
        if (this.#follower.isFollowing) list.toEnd();
        else list.scrollTop = top * height;
        if (this.selected && !this.#follower.isFollowing) this.#list.revealSelected();
    }
}

// The lines of the timeline: one for each flow that fits the filters, and below an open flow one for each of its
// entries. Changes are taken in one by one; a line stays the same object for as long as it is there.
// @ts-check
import { summaryOf } from "./flow-summary.js";
import { nested } from "./flow-tree.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("../record.js").Flow} Flow
 * @typedef {import("./flow-summary.js").Summary} Summary
 * @typedef {(row: Row) => boolean} Condition
 */

/** The line of a flow. */
export class FlowItem {
    shown = false;
    open = false;
    /** @type {EntryItem[]} Lines of its entries, each below the one that caused it; filled while it is open. */
    entries = [];
    /** @type {Summary | null} */
    #summary = null;

    /** @param {Flow} flow */
    constructor(flow) {
        this.flow = flow;
    }

    /** Number of its first entry. */
    get number() {
        return /** @type {Row} */ (this.flow.rows[0]).number;
    }

    /** What is said of it; worked out when it is in sight. */
    get summary() {
        this.#summary ??= summaryOf(this.flow.rows);
        return this.#summary;
    }

    /** Make the lines of its entries, and keep those that are there. */
    setEntries() {
        const before = new Map(this.entries.map((entry) => [entry.row.number, entry]));
        this.entries = nested(this.flow.rows).map(({ row, depth }) => {
            const entry = before.get(row.number) ?? new EntryItem(this, row, depth);
            entry.row = row;
            entry.depth = depth;
            return entry;
        });
    }

    /** Take in that entries came, changed or went. */
    renew() {
        this.#summary = null;
        if (this.open) this.setEntries();
    }
}

/** The line of an entry in an open flow. */
export class EntryItem {
    /**
     * @param {FlowItem} of
     * @param {Row} row
     * @param {number} depth
     */
    constructor(of, row, depth) {
        this.of = of;
        this.row = row;
        this.depth = depth;
    }

    get number() {
        return this.row.number;
    }
}

/** @typedef {FlowItem | EntryItem} Item */

/** The lines, kept up to date with a record's flows. */
export class FlowItems {
    /** @type {Item[]} What is listed. */
    items = [];
    /** How many flows fit the filters. */
    shownFlows = 0;
    /** @type {Condition | null} What the filters ask of an entry; null for nothing. */
    #condition = null;
    /** @type {Map<number, FlowItem>} */
    #byFlow = new Map();
    /** @type {FlowItem[]} By number. */
    #order = [];

    /** @param {ReadonlyMap<number, Flow>} flows Of the record. */
    constructor(flows) {
        this.flows = flows;
    }

    /** @param {Condition | null} condition Show the flows of which an entry fits it. */
    filter(condition) {
        this.#condition = condition;
        for (const item of this.#order) item.shown = this.#fits(item.flow);
        this.#list();
    }

    /**
     * Tell whether an entry is one of those that were asked for.
     * @param {Row} row
     */
    isWanted(row) {
        return this.#condition === null || this.#condition(row);
    }

    /** Forget all and take in every flow. */
    fillAnew() {
        const open = new Set(this.#order.filter((item) => item.open).map((item) => item.flow.number));
        this.#byFlow.clear();
        this.#order = [];
        for (const flow of this.flows.values()) this.#add(flow).open = open.has(flow.number);
        for (const item of this.#order) item.renew();
        this.#list();
    }

    /**
     * Take in the flows that changed.
     * @param {Iterable<number>} numbers
     * @returns {Item[]} Lines that say something else than before.
     */
    take(numbers) {
        /** @type {Item[]} */
        const changed = [];
        let moved = false;
        /** @type {FlowItem[]} */
        const added = [];
        for (const number of numbers) {
            const flow = this.flows.get(number);
            const item = this.#byFlow.get(number);
            if (flow === undefined) {
                moved ||= item?.shown === true;
                this.#byFlow.delete(number);
                if (item) item.shown = false;
            } else if (item === undefined) {
                added.push(this.#add(flow));
            } else {
                moved = this.#renew(item, flow) || moved;
                changed.push(item, ...item.entries);
            }
        }
        if (this.#byFlow.size < this.#order.length) this.#order = this.#order.filter((item) => this.#byFlow.get(item.flow.number) === item);
        if (moved || !this.#append(added)) this.#list();
        return changed;
    }

    /**
     * Return the line of a flow.
     * @param {number} number
     */
    flow(number) {
        return this.#byFlow.get(number);
    }

    /**
     * Return the index of the line that shows an entry: its own, or that of its closed flow; -1 when none does.
     * @param {Row | undefined} row
     */
    indexOf(row) {
        const item = row && this.#byFlow.get(row.flow);
        if (!item) return -1;
        const entry = item.open ? item.entries.find((each) => each.row.number === row.number) : undefined;
        return this.items.indexOf(entry ?? item);
    }

    /**
     * Open or close a flow.
     * @param {FlowItem} item
     * @param {boolean} open
     */
    setOpen(item, open) {
        if (item.open === open || (open && item.flow.rows.length < 2)) return;
        item.open = open;
        item.entries = [];
        if (open) item.setEntries();
        this.#list();
    }

    /**
     * @param {Flow} flow
     * @returns {FlowItem}
     */
    #add(flow) {
        const item = new FlowItem(flow);
        item.shown = this.#fits(flow);
        this.#byFlow.set(flow.number, item);
        let place = this.#order.length;
        while (place > 0 && /** @type {FlowItem} */ (this.#order[place - 1]).flow.number > flow.number) place -= 1;
        if (place === this.#order.length) this.#order.push(item);
        else this.#order.splice(place, 0, item);
        return item;
    }

    /**
     * @param {FlowItem} item
     * @param {Flow} flow
     * @returns {boolean} Whether lines come or go.
     */
    #renew(item, flow) {
        const before = item.entries.length;
        const wasShown = item.shown;
        item.flow = flow;
        item.renew();
        item.shown = this.#fits(flow);
        return item.shown !== wasShown || (item.shown && (item.entries.length !== before || item.open));
    }

    /** @param {Flow} flow */
    #fits(flow) {
        return this.#condition === null || flow.rows.some(this.#condition);
    }

    /**
     * Put new lines at the end.
     * @param {FlowItem[]} added
     * @returns {boolean} False when one belongs before others; nothing is put then.
     */
    #append(added) {
        const shown = added.filter((item) => item.shown).sort((a, b) => a.flow.number - b.flow.number);
        const [first] = shown;
        const last = this.items.at(-1);
        if (first && last && flowNumber(last) > first.flow.number) return false;
        this.items.push(...shown);
        this.shownFlows += shown.length;
        return true;
    }

    #list() {
        /** @type {Item[]} */
        const items = [];
        this.shownFlows = 0;
        for (const item of this.#order) {
            if (!item.shown) continue;
            this.shownFlows += 1;
            items.push(item);
            for (const entry of item.entries) items.push(entry);
        }
        this.items = items;
    }
}

/** @param {Item} item */
function flowNumber(item) {
    return item instanceof FlowItem ? item.flow.number : item.of.flow.number;
}

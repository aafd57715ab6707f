// The lines of the timeline: one for each flow that fits the filters, and below an open flow one for each of its
// entries. Changes are taken in one by one; a line stays the same object for as long as it is there. While no filter is
// set, quiet lines behind each other are folded into one.
// @ts-check
import { FlowItem, flowNumber, FoldItem, quietRun } from "./items.js";
import { isToken } from "./quiet.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("../record.js").Flow} Flow
 * @typedef {import("./items.js").Item} Item
 * @typedef {import("./query.js").Condition} Condition
 * @typedef {{isSlowestFirst: boolean, isOneScale: boolean}} Ways How flows are listed.
 */

const FEWEST_FOLDED = 2;

/** The lines, kept up to date with a record's flows. */
export class FlowItems {
    /** @type {Item[]} What is listed. */
    items = [];
    /** How many flows fit the filters. */
    shownFlows = 0;
    /** The time that the slowest flow took, when all flows have one scale; else 0. */
    longest = 0;
    /** @type {Ways} */
    ways = { isSlowestFirst: false, isOneScale: true };
    /** @type {Map<number, FoldItem>} By the number of the first entry. */
    #folds = new Map();
    /** @type {Item[]} Folds, and calls with tokens, that say something else than before. */
    #refolded = [];
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
        let moved = this.ways.isSlowestFirst;
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
                this.#measure(item);
            }
        }
        if (this.#byFlow.size < this.#order.length) this.#order = this.#order.filter((item) => this.#byFlow.get(item.flow.number) === item);
        if (moved || !this.#append(added)) this.#list();
        return [...changed, ...this.#refolded.splice(0)];
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
        const item = row && this.#itemOf(row);
        if (!item) return -1;
        const line = (item.open && item.entries.find((each) => each.row.number === row.number)) || item;
        const fold = this.#foldOf(line);
        return this.items.indexOf(fold && !fold.open ? fold : line);
    }

    /**
     * Open the flow of an entry, and the fold that it is in.
     * @param {Row} row
     */
    open(row) {
        const item = this.#itemOf(row);
        if (item) this.setOpen(item, true);
        const line = item?.entries.find((each) => each.row.number === row.number) ?? item;
        const fold = line && this.#foldOf(line);
        if (fold) this.setOpen(fold, true);
    }

    /**
     * Open or close a flow or a fold.
     * @param {FlowItem | FoldItem} item
     * @param {boolean} open
     */
    setOpen(item, open) {
        if (item.open === open || (open && item instanceof FlowItem && item.flow.rows.length < 2)) return;
        item.open = open;
        if (item instanceof FlowItem) {
            item.entries = [];
            if (open) item.setEntries();
        }
        this.#list();
    }

    /**
     * Return the flow in which an entry is listed: its own, or the call for which its token was fetched.
     * @param {Row} row
     */
    #itemOf(row) {
        const item = this.#byFlow.get(row.flow);
        return this.#order.find((each) => item !== undefined && each.tokens.includes(item)) ?? item;
    }

    /** @param {Item} line */
    #foldOf(line) {
        return [...this.#folds.values()].find((fold) => line !== fold && fold.lines.some((each) => each === line));
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
        const { shown: wasShown, isQuiet: wasQuiet } = item;
        item.flow = flow;
        item.renew();
        item.shown = this.#fits(flow);
        return item.shown !== wasShown || item.isQuiet !== wasQuiet || (item.shown && (item.entries.length !== before || item.open));
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
        if (shown.some((item) => item.isQuiet)) return false;
        const [first] = shown;
        const last = this.items.at(-1);
        if (first && last && (flowNumber(last) > first.flow.number || last instanceof FoldItem || (last instanceof FlowItem && last.isToken))) return false;
        this.items.push(...shown);
        this.shownFlows += shown.length;
        for (const item of shown) this.#measure(item);
        return true;
    }

    /** @param {FlowItem} item Bars of one scale are measured by the slowest flow that is shown. */
    #measure(item) {
        if (this.ways.isOneScale && item.shown) this.longest = Math.max(this.longest, item.took);
    }

    #list() {
        /** @type {Item[]} */
        const items = [];
        this.shownFlows = this.longest = 0;
        const isFolded = this.#condition === null && !this.ways.isSlowestFirst;
        const shown = this.#withTokens(this.#order.filter((item) => item.shown), isFolded);
        for (const item of shown) this.#measure(item);
        if (this.ways.isSlowestFirst) shown.sort((one, other) => other.took - one.took);
        for (const item of shown) {
            this.shownFlows += 1;
            items.push(item);
            for (const entry of item.entries) items.push(entry);
        }
        this.items = isFolded ? this.#folded(items) : items;
    }

    /**
     * Fold the fetch of a token into the call behind it.
     * @param {FlowItem[]} flows
     * @param {boolean} isFolded
     * @returns {FlowItem[]} Those that have a line of their own.
     */
    #withTokens(flows, isFolded) {
        /** @type {FlowItem[]} */
        let tokens = [];
        /** @type {FlowItem[]} */
        const listed = [];
        for (const item of flows) {
            if (isFolded && item.isToken) {
                tokens.push(item);
                continue;
            }
            const isCall = item.flow.rows[0]?.kind === "app" && !isToken(item.flow.rows[0]);
            if (!isCall) listed.push(...tokens);
            const mine = isCall ? tokens : [];
            if (mine.length !== item.tokens.length || mine.some((each, index) => each !== item.tokens[index])) {
                item.tokens = mine;
                if (item.open) item.setEntries();
                this.#refolded.push(item);
            }
            listed.push(item);
            tokens = [];
        }
        return [...listed, ...tokens];
    }

    /**
     * Return the lines with folds for the quiet ones.
     * @param {Item[]} items
     * @returns {Item[]}
     */
    #folded(items) {
        /** @type {Map<number, FoldItem>} */
        const folds = new Map();
        /** @type {Item[]} */
        const folded = [];
        for (let at = 0; at < items.length; ) {
            const run = quietRun(items, at);
            at += Math.max(run.length, 1);
            if (run.length < FEWEST_FOLDED) {
                folded.push(/** @type {Item} */ (items[at - 1]));
                continue;
            }
            const { number } = /** @type {Item} */ (run[0]);
            const fold = this.#folds.get(number) ?? new FoldItem();
            if (fold.lines.length !== run.length) this.#refolded.push(fold);
            fold.lines = run;
            folds.set(number, fold);
            folded.push(fold, ...(fold.open ? run : []));
        }
        this.#folds = folds;
        return folded;
    }
}

// The lines of the timeline: of a flow, of an entry in an open flow, and of quiet lines that are folded into one.
// @ts-check
import { summaryOf } from "./flow-summary.js";
import { nested } from "./flow-tree.js";
import { isQuiet, isToken } from "./quiet.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("../record.js").Flow} Flow
 * @typedef {import("./flow-summary.js").Summary} Summary
 * @typedef {FlowItem | EntryItem | FoldItem} Item
 */

/** The line of a flow. */
export class FlowItem {
    shown = false;
    open = false;
    /** @type {EntryItem[]} Lines of its entries, each below the one that caused it; filled while it is open. */
    entries = [];
    /** @type {FlowItem[]} What is folded into it: the tokens that were fetched for it. */
    tokens = [];
    /** @type {Summary | null} */
    #summary = null;
    /** @type {number | null} */
    #took = null;
    /** @type {boolean | null} */
    #isQuiet = null;

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

    /** How long it took, in milliseconds; asked of all flows, also those out of sight, so it needs no summary. */
    get took() {
        this.#took ??= tookOf(this.flow.rows);
        return this.#took;
    }

    get isQuiet() {
        this.#isQuiet ??= this.flow.rows.every(isQuiet);
        return !this.open && this.#isQuiet;
    }

    /** Whether it only fetches tokens, which belong to the next call. */
    get isToken() {
        return this.isQuiet && this.flow.rows.every(isToken);
    }

    /** Make the lines of its entries, those of its tokens first, and keep those that are there. */
    setEntries() {
        const before = new Map(this.entries.map((entry) => [entry.row.number, entry]));
        const tokens = this.tokens.flatMap(({ flow }) => flow.rows).map((row) => ({ row, depth: 0 }));
        this.entries = [...tokens, ...nested(this.flow.rows)].map(({ row, depth }) => {
            const entry = before.get(row.number) ?? new EntryItem(this, row, depth);
            entry.row = row;
            entry.depth = depth;
            return entry;
        });
    }

    /** Take in that entries came, changed or went. */
    renew() {
        this.#summary = null;
        this.#took = null;
        this.#isQuiet = null;
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

/** The line of several quiet lines behind each other; they are below it when it is open. */
export class FoldItem {
    open = false;
    /** @type {(FlowItem | EntryItem)[]} */
    lines = [];

    /** Number of its first entry. */
    get number() {
        return /** @type {FlowItem | EntryItem} */ (this.lines[0]).number;
    }

    /** @returns {Row[]} */
    get rows() {
        return this.lines.flatMap((line) => (line instanceof FlowItem ? line.flow.rows : [line.row]));
    }

    get depth() {
        const [first] = this.lines;
        return first instanceof EntryItem ? first.depth + 1 : 0;
    }
}

/**
 * @param {Row[]} rows
 * @returns {number} Milliseconds from the first beginning to the last end; a move of the clock takes none.
 */
function tookOf(rows) {
    let [start, end] = [Infinity, 0];
    for (const { offset_ms, duration_ms } of rows) {
        start = Math.min(start, offset_ms);
        end = Math.max(end, offset_ms + (duration_ms ?? 0));
    }
    return rows[0]?.kind === "clock" ? 0 : end - start;
}

/**
 * Return the quiet lines behind each other that begin at an index: flows, or entries of one flow and one depth.
 * @param {Item[]} items
 * @param {number} at
 * @returns {(FlowItem | EntryItem)[]}
 */
export function quietRun(items, at) {
    const first = items[at];
    /** @type {(FlowItem | EntryItem)[]} */
    const run = [];
    for (let next = first; next instanceof FlowItem || next instanceof EntryItem; next = items[at + run.length]) {
        const fits = next instanceof FlowItem ? first instanceof FlowItem && next.isQuiet : first instanceof EntryItem && isQuiet(next.row) && next.of === first.of && next.depth === first.depth;
        if (!fits) break;
        run.push(next);
    }
    return run;
}

/**
 * Return the number of the flow of a line, the last one of a fold.
 * @param {Item} item
 * @returns {number}
 */
export function flowNumber(item) {
    if (item instanceof FoldItem) return flowNumber(/** @type {Item} */ (item.lines.at(-1)));
    return item instanceof FlowItem ? item.flow.number : item.of.flow.number;
}

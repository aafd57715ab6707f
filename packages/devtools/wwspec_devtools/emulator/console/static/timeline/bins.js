// The record cut into equal parts of time: how many entries began in each, how many failed, and how long they took.
// @ts-check

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("./query.js").Condition} Condition
 *
 * @typedef {object} Figures
 * @property {number} count
 * @property {number} failed
 * @property {number | null} p50 Milliseconds in which half of those that have ended were done; null when none has.
 * @property {number | null} p99
 *
 * @typedef {object} Part
 * @property {number} at Where it begins: real milliseconds since the session began.
 * @property {number} time The same moment of the emulator's clock.
 * @property {number} first Number of its first entry that fits; 0 for none.
 *
 * @typedef {Part & Figures} Bin
 * @typedef {{span: number, width: number, bins: Bin[], all: Figures}} Cut `span`: milliseconds from the first entry to the last.
 */

const MOST = 60; // bins, or one more
const DAY = 86_400_000;
const WIDTHS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200].map((seconds) => seconds * 1000);

/**
 * Cut all of a record; only entries that fit are counted, and no move of the clock, which is no call.
 * @param {ReadonlyMap<number, Row>} rows
 * @param {Condition | null} condition
 * @returns {Cut | null} null for a record without entries.
 */
export function cut(rows, condition) {
    if (rows.size === 0) return null;
    let [from, to] = [Infinity, -Infinity];
    for (const { offset_ms } of rows.values()) {
        from = Math.min(from, offset_ms);
        to = Math.max(to, offset_ms);
    }
    const width = WIDTHS.find((each) => to - from < each * MOST) ?? Math.ceil((to - from) / MOST / DAY) * DAY;
    const start = Math.floor(from / width) * width; // so that bins stay what they are while the record grows
    /** @type {{all: Row[], fitting: Row[]}[]} */
    const parts = Array.from({ length: Math.floor((to - start) / width) + 1 }, () => ({ all: [], fitting: [] }));
    for (const row of rows.values()) {
        const part = parts[Math.floor((row.offset_ms - start) / width)];
        part?.all.push(row);
        if (row.kind !== "clock" && (condition === null || condition(row))) part?.fitting.push(row);
    }
    let ahead = 0; // of the real time since the session began
    const bins = parts.map(({ all, fitting }, index) => {
        const at = start + index * width;
        if (all[0]) ahead = all[0].time_ms - all[0].offset_ms;
        const first = fitting.reduce((least, { number }) => Math.min(least, number), Infinity);
        return { at, time: at + ahead, first: fitting.length ? first : 0, ...figuresOf(fitting) };
    });
    return { span: to - from, width, bins, all: figuresOf(parts.flatMap(({ fitting }) => fitting)) };
}

/**
 * @param {Row[]} rows
 * @returns {Figures}
 */
function figuresOf(rows) {
    const took = Float64Array.from(rows.flatMap(({ duration_ms }) => duration_ms ?? [])).sort();
    const within = (/** @type {number} */ share) => took[Math.ceil(share * took.length) - 1] ?? null;
    return { count: rows.length, failed: rows.filter((row) => row.failed).length, p50: within(0.5), p99: within(0.99) };
}

// What the row of a flow says: how long it took, how it ended and why, and where its bars are.
// @ts-check

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {"app" | "wecom" | "program" | "sdk"} Lane
 *
 * @typedef {object} Summary
 * @property {Row} head The first entry.
 * @property {number} start Real milliseconds since the session began.
 * @property {number} end
 * @property {Row["verdict"]} verdict
 * @property {Row[]} failures Entries that say why it did not end well, the cause first, each reason once.
 * @property {string[]} faults
 */

/** @type {readonly Lane[]} From the top. */
export const LANES = ["app", "wecom", "program", "sdk"];

/** @type {Readonly<Record<Row["kind"], Lane>>} Who acts in an entry. */
export const LANE_OF = { app: "app", event: "wecom", callback: "wecom", clock: "wecom", call: "program", sdk: "sdk" };

/** Size of a waterfall in its own units. */
export const WATERFALL = { width: 1000, height: 24, track: 6, bar: 5, narrowest: 8, end: 14 };

const MOST_BARS = 400; // of one flow; more cannot be told apart

/** @type {readonly Row["verdict"][]} Verdicts that one entry gives to its whole flow, the first one before the others. */
const SPREADING = ["failed", "dropped", "under way", "postponed"];

/**
 * Return what is said of a flow.
 * @param {Row[]} rows
 * @returns {Summary}
 */
export function summaryOf(rows) {
    const head = /** @type {Row} */ (rows[0]);
    let [start, end] = [head.offset_ms, head.offset_ms];
    /** @type {Map<string, Row>} */
    const failures = new Map();
    const verdicts = new Set();
    for (const row of [...rows].reverse()) {
        start = Math.min(start, row.offset_ms);
        end = Math.max(end, row.offset_ms + (row.duration_ms ?? 0));
        verdicts.add(row.verdict);
        const [reason] = row.reason;
        if (reason !== "" && SPREADING.includes(row.verdict) && !failures.has(reason)) failures.set(reason, row);
    }
    const verdict = SPREADING.find((each) => verdicts.has(each)) ?? (rows.length > 1 ? "ok" : head.verdict);
    return { head, start, end, verdict, failures: [...failures.values()], faults: [...new Set(rows.flatMap((row) => row.faults))] };
}

/**
 * Return the bars of entries as paths of an SVG element, one for each lane, and one for the ends of those that failed.
 * @param {Iterable<Row>} rows
 * @param {{start: number, end: number}} span
 * @returns {Record<Lane | "failed", string>}
 */
export function barsOf(rows, { start, end }) {
    const paths = { app: "", wecom: "", program: "", sdk: "", failed: "" };
    const scale = WATERFALL.width / Math.max(end - start, 0.001);
    let count = 0;
    for (const row of rows) {
        if (++count > MOST_BARS) break;
        const lane = LANE_OF[row.kind];
        const wide = Math.max(((row.duration_ms ?? end - row.offset_ms) || 0) * scale, WATERFALL.narrowest);
        const left = Math.max(0, Math.min((row.offset_ms - start) * scale, WATERFALL.width - wide));
        const top = LANES.indexOf(lane) * WATERFALL.track;
        paths[lane] += bar(left, top, wide);
        const red = Math.min(wide, WATERFALL.end);
        if (row.failed) paths.failed += bar(left + wide - red, top, red);
    }
    return paths;
}

/**
 * @param {number} left
 * @param {number} top
 * @param {number} wide
 */
function bar(left, top, wide) {
    return `M${left.toFixed(1)} ${top}h${wide.toFixed(1)}v${WATERFALL.bar}h${(-wide).toFixed(1)}z`;
}

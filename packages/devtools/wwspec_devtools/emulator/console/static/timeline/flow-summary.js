// What the row of a flow says: how long it took, what went wrong and who says so, and where its bars are.
// @ts-check
import { t } from "../texts.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {"app" | "wecom" | "program" | "sdk"} Lane
 *
 * @typedef {object} Problem
 * @property {Row} row Where it was seen.
 * @property {"app" | "wecom" | "program" | "sdk" | "contract" | "fault"} who Who says so; `contract` for a misfit.
 * @property {string} code Errcode, outcome, path of the misfit, or the fault's id.
 * @property {string} more A longer text; empty for none.
 *
 * @typedef {object} Summary
 * @property {Row} head The first entry.
 * @property {number} start Real milliseconds since the session began.
 * @property {number} end
 * @property {boolean} running Whether an entry is still under way.
 * @property {boolean} failed
 * @property {Problem[]} problems The cause first, each once.
 */

/** @type {readonly Lane[]} From the top. */
export const LANES = ["app", "wecom", "program", "sdk"];

/** @type {Readonly<Record<Row["kind"], Lane>>} Who acts in an entry. */
export const LANE_OF = { app: "app", event: "wecom", callback: "wecom", clock: "wecom", call: "program", sdk: "sdk" };

/** Size of a waterfall in its own units. */
export const WATERFALL = { width: 1000, height: 24, track: 6, bar: 5, narrowest: 8, end: 14 };

const MOST_BARS = 400; // of one flow; more cannot be told apart

/**
 * Return what is said of a flow.
 * @param {Row[]} rows
 * @returns {Summary}
 */
export function summaryOf(rows) {
    const head = /** @type {Row} */ (rows[0]);
    const summary = { head, start: head.offset_ms, end: head.offset_ms, running: false, failed: false, problems: /** @type {Problem[]} */ ([]) };
    /** @type {Set<string>} */
    const seen = new Set();
    for (const row of [...rows].reverse()) {
        summary.start = Math.min(summary.start, row.offset_ms);
        summary.end = Math.max(summary.end, row.offset_ms + (row.duration_ms ?? 0));
        summary.running ||= row.duration_ms === null;
        summary.failed ||= row.failed;
        for (const problem of problemsOf(row)) {
            const key = `${problem.who} ${problem.code}`;
            if (!seen.has(key)) summary.problems.push(problem);
            seen.add(key);
        }
    }
    return summary;
}

/**
 * Return what went wrong in one entry.
 * @param {Row} row
 * @returns {Problem[]}
 */
export function problemsOf(row) {
    /** @type {Problem[]} */
    const found = [];
    const add = (/** @type {Problem["who"]} */ who, /** @type {string} */ code, more = "") => found.push({ row, who, code, more });
    if (row.failed) {
        const platform = row.errcode !== null && row.errcode !== 0;
        const program = row.program_errcode !== null && row.program_errcode !== 0;
        if (program) add("program", String(row.program_errcode));
        if (platform) add(row.kind === "sdk" ? "sdk" : "wecom", String(row.errcode));
        const misfits = [row.contract?.request, row.contract?.reply].filter((verdict) => verdict && !verdict.fits);
        for (const verdict of misfits) add("contract", verdict?.path ?? "$", verdict?.problem ?? "");
        if (found.length === 0) add(row.kind === "callback" || row.kind === "app" ? "app" : "program", row.code === "failed" ? t("entry.code.failed") : row.outcome);
    }
    for (const fault of row.faults) add("fault", fault);
    return found;
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

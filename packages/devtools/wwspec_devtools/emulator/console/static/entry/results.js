// What came of replays: a line for each, with its outcome and duration.
// @ts-check
import { h } from "../dom.js";
import { duration, verdictChip } from "../parts.js";
import { t } from "../texts.js";
import { entryLink } from "./links.js";

/** @typedef {import("../record.js").Row} Row */

/**
 * @param {Row[]} rows
 * @param {number} compared Number of the entry whose reply is compared at first.
 * @param {(number: number) => Promise<void>} compare
 * @returns {HTMLElement}
 */
export function results(rows, compared, compare) {
    const lines = rows.map((row) => {
        const chosen = h("input", { type: "radio", name: "compared", checked: row.number === compared, "aria-label": t("replay.compare.this", { number: row.number }) });
        chosen.addEventListener("change", () => void compare(row.number));
        return h("tr", {}, rows.length > 1 && h("td", {}, chosen), h("td", {}, entryLink(row.number, t("replay.open", { number: row.number }))), h("td", {}, verdictChip(row)), h("td", { class: "number" }, duration(row.duration_ms)));
    });
    const heads = [...(rows.length > 1 ? [t("replay.compare.head")] : []), t("replay.number"), t("replay.outcome")].map((text) => h("th", { scope: "col" }, text));
    const table = h("table", {}, h("thead", {}, h("tr", {}, heads, h("th", { scope: "col", class: "number" }, t("replay.duration")))), h("tbody", {}, lines));
    return h("section", { class: "sent", "aria-label": t("replay.results") }, h("h3", {}, t("replay.results")), rows.length > 1 && h("p", { role: "status" }, summary(rows)), h("div", { class: "scroll", tabindex: 0 }, table));
}

/** @param {Row[]} rows */
function summary(rows) {
    const durations = rows.map((row) => row.duration_ms ?? 0).sort((one, other) => one - other);
    const at = (/** @type {number} */ part) => duration(durations[Math.floor((durations.length - 1) * part)]);
    return t("replay.summary", { count: rows.length, failed: rows.filter((row) => row.failed).length, least: at(0), median: at(0.5), most: at(1) });
}

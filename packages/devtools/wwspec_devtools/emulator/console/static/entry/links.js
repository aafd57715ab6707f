// Links to entries.
// @ts-check
import { h, visible } from "../dom.js";
import { duration, verdictChip } from "../parts.js";
import { record } from "../record.js";
import { hashOf, here } from "../route.js";
import { inLanguage, t } from "../texts.js";
import { LANE_OF } from "../timeline/flow-summary.js";
import { descendants } from "./related.js";

/** @typedef {import("../record.js").Row} Row */

const FIRST = 40; // entries that are listed at first
const LONGEST_NAME = 80;

/** @param {Row["kind"]} kind */
export function kindName(kind) {
    return h("span", { class: `lane-${LANE_OF[kind]}` }, t(`entry.kind.${kind}`));
}

/**
 * Return a link to an entry; the filters and the tab stay.
 * @param {number} number
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function entryLink(number, text = "") {
    const row = record.rows.get(number);
    return h("a", { href: hashOf("timeline", number, here().query) }, text || `#${number}${row ? ` ${shortened(row.name)}` : ""}`);
}

/**
 * Return a name that somebody else chose, at most so long that a line can hold it.
 * @param {string} name
 */
export function shortened(name) {
    return visible(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}

/**
 * Return what an entry caused, all the way down, each with its outcome and duration.
 * @param {import("../record.js").Entry} entry
 * @param {boolean} [isWhole]
 * @returns {HTMLElement | null}
 */
export function causedList(entry, isWhole = false) {
    const rows = descendants(entry);
    const others = entry.children.filter((number) => !record.rows.has(number)); // not here yet: the record is paused
    if (rows.length + others.length === 0) return null;
    const depths = new Map([[entry.number, 0]]);
    const lines = ordered(entry.number, rows).slice(0, isWhole ? rows.length : FIRST).map((row) => {
        const depth = (depths.get(row.parent ?? 0) ?? 0) + 1;
        depths.set(row.number, depth);
        const line = h("li", {}, entryLink(row.number), kindName(row.kind), verdictChip(row), h("span", { class: "reason dim" }, visible(inLanguage(row.reason))), h("span", { class: "number" }, duration(row.duration_ms)));
        line.style.paddingLeft = `${Math.min(depth - 1, 6) * 18}px`;
        return line;
    });
    const list = h("ul", { class: "caused", "aria-label": t("entry.children") }, lines, others.map((number) => h("li", {}, entryLink(number))));
    if (rows.length <= lines.length) return list;
    const showAll = (/** @type {Event} */ { currentTarget }) => {
        /** @type {HTMLElement} */ (currentTarget).parentElement?.replaceWith(causedList(entry, true) ?? "");
    };
    return h("div", {}, list, h("button", { type: "button", class: "link", onclick: showAll }, t("entry.children.more", { count: rows.length })));
}

/**
 * Return rows so that each one is behind its parent.
 * @param {number} root
 * @param {Row[]} rows
 * @returns {Row[]}
 */
function ordered(root, rows) {
    /** @type {Map<number | null, Row[]>} */
    const below = new Map();
    for (const row of rows) {
        const siblings = below.get(row.parent);
        if (siblings === undefined) below.set(row.parent, [row]);
        else siblings.push(row);
    }
    /** @type {Row[]} */
    const found = [];
    const left = [...(below.get(root) ?? [])].reverse();
    for (let row = left.pop(); row !== undefined; row = left.pop()) {
        found.push(row);
        left.push(...[...(below.get(row.number) ?? [])].reverse());
    }
    return found;
}

// The replies of two entries, compared: what differs, and both as trees with the differences highlighted.
// @ts-check
import { h, visible } from "../dom.js";
import { differences } from "../json/diff.js";
import { JsonNumber, readJson } from "../json/text.js";
import { t } from "../texts.js";
import { longText, treeOf } from "./bodies.js";
import { entryLink } from "./links.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../json/diff.js").Difference} Difference
 */

const MOST = 200;
const SHORT = 120; // characters of a value in the list
const KINDS = /** @type {const} */ (["changed", "added", "removed"]);
const SIGNS = { changed: "~", added: "+", removed: "−" };

/**
 * @param {Entry} before
 * @param {Entry} after
 * @returns {HTMLElement}
 */
export function comparison(before, after) {
    const [one, other] = [before, after].map(({ text }) => readJson(text.reply) ?? text.reply);
    const title = t("replay.replies", { before: before.number, after: after.number });
    const found = differences(one, other, MOST);
    return h(
        "section",
        { class: "comparison", "aria-label": title },
        h("h3", {}, title),
        h("p", { role: "status" }, h("span", { class: `chip ${found.length ? "warn" : "ok"}` }, summary(found)), " ", found.length >= MOST && t("replay.differences.more", { count: MOST })),
        found.length > 0 && list(found, before.number, after.number),
        h("div", { class: "sides" }, side(before, one, found, "removed"), side(after, other, found, "added")),
    );
}

/** @param {Difference[]} found */
function summary(found) {
    if (found.length === 0) return t("replay.same");
    if (found.length === 1) return t("replay.one", { kind: t(`replay.${found[0]?.kind}`) });
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, found.filter((each) => each.kind === kind).length]));
    return t("replay.differences", { count: found.length, ...counts });
}

/**
 * @param {Difference[]} found
 * @param {number} one Number of the first entry.
 * @param {number} other
 */
function list(found, one, other) {
    const rows = found.map(({ path, pathAfter, kind, before, after }) =>
        h("tr", {}, h("td", {}, h("span", { class: `sign ${kind}`, title: t(`replay.${kind}`) }, h("span", { "aria-hidden": "true" }, SIGNS[kind]), h("span", { class: "visually-hidden" }, t(`replay.${kind}`)))), h("td", { class: "mono" }, visible(path === pathAfter || kind !== "changed" ? path : `${path} → ${pathAfter}`)), value(before), value(after)),
    );
    const kind = h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("replay.kind")));
    const heads = [kind, ...[t("replay.path"), `#${one}`, `#${other}`].map((text) => h("th", { scope: "col" }, text))];
    return h("div", { class: "scroll", tabindex: 0 }, h("table", { class: "differences" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
}

/** @param {unknown} shown */
function value(shown) {
    return h("td", { class: "mono" }, shown === undefined ? "" : visible(shortened(shown)));
}

/** @param {unknown} shown */
function shortened(shown) {
    if (Array.isArray(shown)) return `[${shown.length}]`;
    if (shown instanceof JsonNumber) return shown.source;
    if (shown !== null && typeof shown === "object") return `{${Object.keys(shown).length}}`;
    const text = JSON.stringify(shown);
    return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
}

/**
 * @param {Entry} entry
 * @param {unknown} reply
 * @param {Difference[]} found
 * @param {"added" | "removed"} own Which kind only this side has.
 */
function side(entry, reply, found, own) {
    const marks = new Map(found.filter(({ kind }) => kind === own || kind === "changed").map(({ path, pathAfter, kind }) => [own === "added" ? pathAfter : path, t(`replay.${kind}`)]));
    const body = typeof reply === "string" ? longText(reply) : treeOf(reply, marks, marks.size ? 1 : undefined);
    return h("section", { "aria-label": `#${entry.number}` }, h("header", {}, h("h3", {}, entryLink(entry.number, `#${entry.number}`))), body);
}

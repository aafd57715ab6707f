// Request and reply side by side: as trees, as texts, as they travelled, and what HTTP says.
// @ts-check
import { h, visible } from "../dom.js";
import "../json/tree.js";
import { formatJson } from "../json/format.js";
import { readJson } from "../json/text.js";
import { copyButton } from "../parts.js";
import { inLanguage, t } from "../texts.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {"request" | "reply"} Side
 */

const SIDES = /** @type {const} */ (["request", "reply"]);
const FIRST_CHARACTERS = 20_000; // of a long text
const REPORT = "program_async_job_call_back";

/**
 * Return both bodies as trees, with what misses the contract highlighted.
 * @param {Entry} entry
 */
export function trees(entry) {
    return sides(entry, entry.text, (side) => {
        const value = readJson(entry.text[side]);
        if (value === undefined) return notice(entry, side, entry.text[side]);
        const verdict = entry.contract?.[side];
        const marks = verdict && !verdict.fits ? new Map([[markedPath(entry, side, verdict.path ?? "$"), inLanguage(verdict.problem ?? ["", ""])]]) : new Map();
        return treeOf(value, marks);
    });
}

/** @param {Entry} entry */
export function texts(entry) {
    return sides(entry, entry.text, (side) => {
        const text = entry.text[side];
        const value = readJson(text);
        return value === undefined ? notice(entry, side, text) : longText(formatJson(text));
    });
}

/** @param {Entry} entry */
export function asSent(entry) {
    return [
        h("p", { class: "dim" }, t(entry.sealed ? "entry.sealed" : "entry.unsealed")),
        sides(entry, entry.raw, (side) => (isShown(entry.raw[side]) ? longText(entry.raw[side]) : notice(entry, side, entry.raw[side]))),
    ];
}

/** @param {Entry} entry */
export function http(entry) {
    if (entry.http === null) return h("p", { class: "dim" }, t("entry.no.http"));
    const { method, path, status, request_headers, reply_headers } = entry.http;
    return [
        h("p", { class: "http-line" }, h("code", {}, h("strong", {}, method), " ", visible(path)), h("span", { class: "chip" }, status === null ? t("entry.no.status") : t("entry.status", { status }))),
        ...headers(t("entry.headers.request"), request_headers),
        ...headers(t("entry.headers.reply"), reply_headers),
    ];
}

/**
 * Return a tree of a value.
 * @param {unknown} value
 * @param {ReadonlyMap<string, string>} [marks]
 * @param {number} [openDepth] Levels that are open at first.
 */
export function treeOf(value, marks = new Map(), openDepth = undefined) {
    const tree = /** @type {import("../json/tree.js").JsonTree} */ (document.createElement("json-tree"));
    if (openDepth !== undefined) tree.openDepth = openDepth;
    tree.value = value;
    tree.marks = marks;
    return tree;
}

/**
 * @param {Entry} entry
 * @param {Record<Side, string>} copied
 * @param {(side: Side) => HTMLElement} show
 */
function sides(entry, copied, show) {
    const parts = SIDES.map((side) => {
        const bytes = entry[side === "request" ? "request_bytes" : "reply_bytes"];
        const head = h("header", {}, h("h3", {}, t(`entry.${side}`)), h("span", { class: "dim number" }, t("entry.bytes", { count: bytes.toLocaleString("en") })), h("span", { class: "grow" }), copied[side] !== "" && copyButton(copied[side]));
        return h("section", { "aria-label": t(`entry.${side}`) }, head, show(side));
    });
    return h("div", { class: "sides" }, parts);
}

/**
 * Return the path of a tree at which a misfit is: contracts are of the JSON that travels as text in some APIs.
 * @param {Entry} entry
 * @param {Side} side
 * @param {string} path
 */
function markedPath({ kind, name }, side, path) {
    const field = kind === "app" ? (side === "request" ? "request_data" : "response_data") : kind === "sdk" && name === REPORT ? "result" : "";
    return field ? `$.${field}()${path.slice(1)}` : path;
}

/** @param {string} text What the emulator gives for a body that it does not show. */
function isShown(text) {
    return text !== "" && !/^not (JSON|kept), \d+ (characters|bytes)$/.test(text);
}

/**
 * Say why a body is not shown.
 * @param {Entry} entry
 * @param {Side} side
 * @param {string} text
 */
function notice(entry, side, text) {
    const [, kind, count = ""] = /^not (JSON|kept), (\d+) (?:characters|bytes)$/.exec(text) ?? [];
    const isWaiting = side === "reply" && entry.duration_ms === null;
    if (kind !== undefined) return h("p", { class: "dim" }, t(kind === "JSON" ? "entry.not.json" : "entry.not.kept", { count }));
    return text === "" ? h("p", { class: "dim" }, t(isWaiting ? "entry.not.yet" : "entry.nothing")) : longText(text);
}

/**
 * Return a text, the beginning of it when it is long.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function longText(text) {
    const shown = h("pre", { tabindex: 0, dir: "ltr" }, visible(text.slice(0, FIRST_CHARACTERS)));
    if (text.length <= FIRST_CHARACTERS) return shown;
    const all = h("button", { type: "button", class: "link" }, t("entry.characters", { count: text.length.toLocaleString("en") }));
    all.addEventListener("click", () => {
        shown.textContent = visible(text);
        all.remove();
    });
    return h("div", {}, shown, all);
}

/**
 * @param {string} title
 * @param {[string, string][]} rows
 */
function headers(title, rows) {
    const lines = rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, visible(name)), h("td", { class: "mono" }, visible(value))));
    return [h("h3", {}, title), lines.length ? h("table", { class: "headers" }, h("tbody", {}, lines)) : h("p", { class: "dim" }, t("entry.no.headers"))];
}

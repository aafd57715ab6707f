// Why an exchange ended as it did: what the program tells of each attempt. Its texts are anybody's: they go in as text.
// @ts-check
import { fill, h, visible } from "../dom.js";
import { CUSTOM, EDITORS, address, choose, chosen, isPattern, pattern } from "../editor.js";
import { duration, field } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import { entryLink } from "./links.js";
import { descendants } from "./related.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../record.js").Trace} Trace
 * @typedef {import("../record.js").Frame} Frame
 */

const PARTS = /** @type {const} */ (["queue", "check", "sdk", "handler"]);
const CHIPS = { ok: "ok", failed: "bad", postponed: "warn" };
const SHOWN_FOLDERS = 2; // of a path, with the file's name

/**
 * Return the number of the entry that has the traces of an entry: the program's call for an app's request, else itself.
 * @param {Entry} entry
 */
export function tracedNumber(entry) {
    const call = entry.kind === "app" && descendants(entry).find((row) => row.kind === "call" && row.parent === entry.number);
    return call ? call.number : entry.number;
}

/**
 * @param {number} number
 * @returns {Promise<Trace[]>}
 */
export function tracesOf(number) {
    return record.entry(number).then(({ traces }) => traces, () => []); // it may not be kept any longer
}

/**
 * Return what the program tells of an entry.
 * @param {Entry} entry
 * @param {Trace[]} traces
 * @returns {HTMLElement}
 */
export function why(entry, traces) {
    const attempts = h("div", {});
    const ordered = traces.toSorted((one, other) => Number(one.kind === "job") - Number(other.kind === "job")); // a run may be traced before its request
    const show = () => fill(attempts, traces.length === 1 ? traces.map(details) : ordered.map((trace, index) => attempt(trace, index === traces.length - 1)));
    show();
    const number = tracedNumber(entry);
    const source = number !== entry.number && h("p", { class: "dim" }, entryLink(number, t("why.of", { number })));
    const hasFrames = traces.some(({ failure }) => failure !== null && failure.frames.length > 0);
    return h("div", { class: "why" }, source, attempts, hasFrames && editorChoice(show));
}

/**
 * @param {Trace} trace
 * @param {boolean} isOpen
 */
function attempt(trace, isOpen) {
    const { failure, milliseconds, next_run, outcome } = trace;
    const head = h(
        "summary",
        {},
        h("strong", {}, name(trace)),
        h("span", { class: `chip ${CHIPS[outcome]}` }, t(trace.kind === "job" && outcome === "failed" ? "why.failed.good" : `why.${outcome}`)),
        h("span", { class: "number" }, duration(milliseconds.total)),
        failure !== null && h("span", { class: "reason" }, `${visible(failure.name)}: ${visible(failure.text)}`),
        next_run !== null && h("span", { class: "dim" }, t("why.next", { seconds: next_run.toFixed(1) })),
    );
    return h("details", { class: "attempt", open: isOpen }, head, details(trace));
}

/** @param {Trace} trace */
function name({ kind, attempt, attempts }) {
    if (kind !== "job") return t("why.request");
    return attempts === null ? t("why.attempt", { attempt }) : t("why.attempt.of", { attempt, attempts });
}

/** @param {Trace} trace */
function details(trace) {
    const { errcode, errmsg, failure, pid, trace_id } = trace;
    const said = errcode !== 0 && failure === null && h("p", { class: "dim" }, visible(`${errcode}: ${errmsg}`));
    return h(
        "div",
        { class: "details" },
        failure !== null && h("p", { class: "problem", "aria-label": t("why.error") }, h("strong", {}, visible(failure.name)), failure.text !== "" && `: ${visible(failure.text)}`),
        said,
        h("div", { class: "sides" }, failure !== null && failure.frames.length > 0 && traceback(failure.frames), lines(trace)),
        waterfall(trace),
        pid > 0 && h("p", { class: "dim" }, t("why.process", { pid })),
        trace_id && h("p", { class: "dim mono" }, visible(`trace_id ${trace_id}`)),
    );
}

/** @param {Frame[]} frames */
function traceback(frames) {
    const inner = [...frames].reverse();
    const own = inner.filter((frame) => frame.own);
    const all = own.length < inner.length && h("details", {}, h("summary", {}, t("why.frames.all", { count: inner.length })), h("ol", { class: "frames" }, inner.map(place)));
    return h("section", { "aria-label": t("why.frames") }, h("h3", {}, t("why.frames")), own.length > 0 && h("ol", { class: "frames" }, own.map(place)), all);
}

/** @param {Frame} frame */
function place({ file, line, function: name, code, own }) {
    const text = `${visible(file.split(/[\\/]/).slice(-SHOWN_FOLDERS).join("/"))}:${line}`;
    const href = address(file, line);
    const isPage = /^https?:/.test(href);
    const at = href === "" ? h("span", { class: "mono", title: visible(file) }, text) : h("a", { class: "mono", href, title: visible(file), target: isPage && "_blank", rel: "noreferrer" }, text);
    return h("li", { class: own ? "" : "dim" }, at, " ", h("span", { class: "mono" }, visible(name)), code !== "" && h("pre", {}, visible(code)));
}

/** @param {Trace} trace */
function lines({ lines, lines_left_out }) {
    const heads = ["at", "level", "text"].map((name) => h("th", { scope: "col" }, t(`why.lines.${name}`)));
    const rows = lines.map(({ at, level, text }) =>
        h("tr", { class: /^(WARNING|ERROR|CRITICAL)$/.test(level) ? level.toLowerCase() : "" }, h("td", { class: "number" }, duration(at)), h("td", {}, visible(level)), h("td", { class: "mono" }, visible(text))),
    );
    return h(
        "section",
        { "aria-label": t("why.lines") },
        h("h3", {}, t("why.lines")),
        rows.length > 0 ? h("table", { class: "lines" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)) : h("p", { class: "dim" }, t("why.lines.none")),
        lines_left_out > 0 && h("p", { class: "dim" }, t("why.lines.left", { count: lines_left_out })),
    );
}

/** @param {Trace} trace */
function waterfall({ milliseconds }) {
    const parts = PARTS.map((part) => ({ part, value: milliseconds[part] ?? 0 })).filter(({ value }) => value > 0);
    const whole = Math.max(milliseconds.total, parts.reduce((sum, { value }) => sum + value, 0)) || 1; // SDK calls at the same time are added up
    let before = 0;
    const rows = parts.map(({ part, value }) => {
        const bar = h("span", { class: `bar ${part}` });
        bar.style.marginLeft = `${(before / whole) * 100}%`;
        bar.style.width = `${(value / whole) * 100}%`;
        before += value;
        return h("tr", {}, h("th", { scope: "row" }, t(`why.time.${part}`)), h("td", { class: "number" }, duration(value)), h("td", { class: "track" }, bar));
    });
    const total = h("tr", {}, h("th", { scope: "row" }, t("why.time.total")), h("td", { class: "number" }, duration(milliseconds.total)), h("td"));
    return h("section", { "aria-label": t("why.time") }, h("h3", {}, t("why.time")), h("table", { class: "waterfall" }, h("tbody", {}, rows, total)));
}

/** @param {() => void} show Shows the links anew. */
function editorChoice(show) {
    const isCustom = chosen() === CUSTOM;
    const options = [...Object.keys(EDITORS), CUSTOM].map((name) => h("option", { value: name, selected: name === chosen() }, t(`why.editor.${name}`)));
    const input = h("input", { type: "text", spellcheck: "false", value: isCustom ? pattern() : "" });
    const error = h("p", { role: "alert" });
    const custom = h("div", { hidden: !isCustom }, field(t("why.editor.pattern"), input), error);
    const select = h("select", {}, options);
    select.addEventListener("change", () => {
        custom.hidden = select.value !== CUSTOM;
        if (select.value !== CUSTOM) choose(select.value);
        show();
    });
    input.addEventListener("input", () => {
        const isRefused = !isPattern(input.value);
        input.setAttribute("aria-invalid", String(isRefused));
        error.textContent = isRefused ? t("why.editor.refused") : "";
        if (!isRefused) choose(input.value);
        show();
    });
    return h("div", { class: "editor" }, field(t("why.editor"), select), custom);
}

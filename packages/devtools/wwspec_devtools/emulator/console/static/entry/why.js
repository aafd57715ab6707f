// Why an exchange ended as it did: what the program tells of each attempt, or how the app took a callback. Their texts are anybody's: they go in as text.
// @ts-check
import { ask } from "../api.js";
import { docText, fill, h, visible } from "../dom.js";
import { CUSTOM, EDITORS, address, choose, chosen, isPattern, pattern } from "../editor.js";
import { duration, field, say, verdictChip } from "../parts.js";
import { record } from "../record.js";
import { inLanguage, t } from "../texts.js";
import { entryLink } from "./links.js";
import { descendants } from "./related.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../record.js").Trace} Trace
 * @typedef {import("../record.js").Frame} Frame
 */

const PARTS = /** @type {const} */ (["queue", "check", "sdk", "handler"]);
const SHOWN_FOLDERS = 2; // of a path elsewhere, with the file's name
const LONGEST = 100; // characters of a request or a reply

/**
 * Return the number of the entry that the traces of an entry are about: the program's call for an app's request, else itself.
 * @param {Entry} entry
 */
export function tracedNumber(entry) {
    const call = entry.kind === "app" && descendants(entry).find((row) => row.kind === "call" && row.parent === entry.number);
    return call ? call.number : entry.number;
}

/**
 * Return why an entry ended as it did, in the order of `wwspec zone show`: the cause first.
 * @param {Entry} entry
 * @param {Trace[]} traces
 * @returns {HTMLElement}
 */
export function why(entry, traces) {
    const attempts = h("div", {});
    const latest = traces.toSorted((one, other) => Number(other.kind === "job") - Number(one.kind === "job") || other.attempt - one.attempt);
    const groups = alike(latest);
    const show = () => fill(attempts, groups.map((group, index) => (groups.length === 1 && group.length === 1 ? details(entry, group[0], true) : attempt(entry, group, index === 0))));
    show();
    const number = tracedNumber(entry);
    const source = number !== entry.number && traces.length > 0 && h("p", { class: "dim" }, entryLink(number, t("why.of", { number })));
    const hasFrames = traces.some(({ failure }) => failure !== null && failure.frames.length > 0);
    return h(
        "div",
        { class: "why" },
        entry.attempt !== null && callback(entry, entry.attempt),
        labelled([["value", entry.value !== "" && h("code", {}, visible(entry.value))], ["declared", entry.declared !== "" && h("code", {}, visible(entry.declared))], ["fix", entry.fix !== null && docText(inLanguage(entry.fix))]]),
        traces.length === 0 && entry.attempt === null && bodies(entry),
        source,
        attempts,
        hasFrames && editorChoice(show),
    );
}

/**
 * Return attempts in groups: those behind each other that failed in the same way.
 * @param {Trace[]} traces
 * @returns {[Trace, ...Trace[]][]}
 */
function alike(traces) {
    /** @type {[Trace, ...Trace[]][]} */
    const groups = [];
    const way = (/** @type {Trace | undefined} */ trace) => trace?.failure && `${trace.kind} ${trace.failure.name} ${trace.failure.text}`;
    for (const trace of traces) {
        const group = groups.at(-1);
        if (group !== undefined && way(trace) && way(group[0]) === way(trace)) group.push(trace);
        else groups.push([trace]);
    }
    return groups;
}

/**
 * Return what came of the last try to bring a callback to the app.
 * @param {Entry} entry
 * @param {NonNullable<Entry["attempt"]>} attempt
 */
function callback(entry, { method, url, status, body, seconds }) {
    const first = record.rows.get(entry.flow);
    const { notify_id = "" } = /** @type {{notify_id?: string}} */ (entry.request ?? {});
    const of_commands = entry.name !== "program_notify";
    const verify = async () => {
        const { verified, reason } = await ask("POST", "verify-callback", { of_commands });
        say(verified ? t("why.verified") : t("failed", { reason }), verified ? "ok" : "bad");
    };
    const button = entry.failed && h("button", { type: "button", class: "small", title: of_commands ? "wwspec zone push-ticket" : "wwspec zone verify-callback", onclick: verify }, t("why.verify"));
    return labelled([
        ["to", [h("code", {}, visible(`${method} ${url}`)), " ", button, method === "GET" && h("div", { class: "dim" }, t("why.unverified"))]],
        ["answer", status === null ? t("entry.no.headers") : h("code", {}, visible(`${status} ${body}`))],
        ["tries", `${entry.attempts}, ${t("why.last")} ${duration(seconds * 1000)}`],
        ["event", first !== undefined && first.number !== entry.number && [entryLink(first.number), " ", first.failed && t("why.event.failed")]],
        ["stored", entry.failed && notify_id !== "" && t("why.kept", { notify_id: visible(notify_id) })],
    ]);
}

/** @param {Entry} entry */
function bodies({ text }) {
    const short = (/** @type {string} */ body) => body !== "" && h("code", {}, visible(body.length > LONGEST ? `${body.slice(0, LONGEST)}…` : body));
    return labelled([["asked", short(text.request)], ["got", short(text.reply)]]);
}

/**
 * @param {[string, import("../dom.js").Child | import("../dom.js").Child[]][]} rows
 * @returns {HTMLElement}
 */
function labelled(rows) {
    return h("dl", { class: "said" }, rows.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, t(`why.${name}`)), h("dd", {}, value))));
}

/**
 * @param {Entry} entry
 * @param {[Trace, ...Trace[]]} group Attempts that are alike, the latest first.
 * @param {boolean} isFirst
 */
function attempt(entry, group, isFirst) {
    const [{ failure, milliseconds, next_run, outcome }] = group;
    const head = h(
        "summary",
        {},
        group.length > 1 && failure !== null && h("strong", {}, `${group.length} × ${visible(failure.name)}`),
        h(group.length > 1 ? "span" : "strong", {}, name(group[0])),
        verdictChip({ verdict: outcome }),
        h("span", { class: "number" }, duration(milliseconds.total)),
        failure !== null && h("span", { class: "reason" }, `${visible(failure.name)}: ${visible(failure.text)}`),
        next_run !== null && h("span", { class: "dim" }, t("why.next", { seconds: next_run.toFixed(1) })),
    );
    const earlier = group.slice(1).map((trace) => h("li", {}, name(trace), " ", verdictChip({ verdict: trace.outcome }), " ", duration(trace.milliseconds.total)));
    return h("details", { class: "attempt", open: isFirst }, head, details(entry, group[0], isFirst), earlier.length > 0 && h("ol", { class: "earlier", "aria-label": t("why.earlier") }, earlier));
}

/** @param {Trace} trace */
function name({ kind, attempt, attempts }) {
    if (kind !== "job") return t("entry.request");
    return attempts === null ? t("why.attempt", { attempt }) : t("why.attempt.of", { attempt, attempts });
}

/**
 * @param {Entry} entry
 * @param {Trace} trace
 * @param {boolean} isFirst Whether it is the one of which the entry's heading says why it failed.
 */
function details(entry, trace, isFirst) {
    const { errcode, errmsg, failure, pid, trace_id } = trace;
    const isLong = failure !== null && /\n|^.{200}/.test(failure.text);
    return h(
        "div",
        { class: "details" },
        isLong && h("p", { class: "problem" }, visible(failure.text)),
        errcode !== 0 && failure === null && h("p", { class: "dim" }, visible(`${errcode}: ${errmsg}`)),
        failure !== null && failure.frames.length > 0 && traceback(trace, failure.frames, isFirst && entry.declared !== "" ? "why.handler" : "why.frames"),
        isFirst && bodies(entry),
        lines(trace),
        waterfall(trace),
        h("p", { class: "dim mono" }, [pid > 0 && t("why.process", { pid }), trace_id && `trace_id ${visible(trace_id)}`].filter(Boolean).join(" · ")),
    );
}

/**
 * @param {Trace} trace
 * @param {Frame[]} frames
 * @param {string} title Key of its text.
 */
function traceback({ folder }, frames, title) {
    const inner = [...frames].reverse();
    const place = (/** @type {Frame} */ frame) => line(frame, folder);
    const own = inner.filter((frame) => frame.own);
    const all = own.length < inner.length && h("details", {}, h("summary", {}, t("why.frames.all", { count: inner.length })), h("ol", { class: "frames" }, inner.map(place)));
    return h("section", { "aria-label": t(title) }, h("h3", {}, t(title)), own.length > 0 && h("ol", { class: "frames" }, own.map(place)), all);
}

/**
 * @param {Frame} frame
 * @param {string} folder Where the program runs: files below it are shown from there.
 */
function line({ file, line, function: name, code, own }, folder) {
    const text = `${visible(file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file.split(/[\\/]/).slice(-SHOWN_FOLDERS).join("/"))}:${line}`;
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

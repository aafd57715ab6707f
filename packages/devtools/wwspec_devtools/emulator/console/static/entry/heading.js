// The head of an entry: what it is, how it ended, what is wrong with it, and the facts.
// @ts-check
import { h, visible } from "../dom.js";
import { readJson } from "../json/text.js";
import { dateAndTime, duration } from "../parts.js";
import { record } from "../record.js";
import { language, t } from "../texts.js";
import { phrase } from "../texts/phrases.js";
import { endChip, entryLink, kindName, shortened } from "./links.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../record.js").Fault} Fault
 */

const SHOWN_REPLAYS = 10;
const MISFITS = [790013, 790014, 790015, 790016]; // say what the verdict says

/**
 * @param {Entry} entry
 * @param {import("../dom.js").Child[]} actions At the end of the line.
 */
export function title(entry, actions) {
    return h(
        "div",
        { class: "title" },
        h("h2", { id: "entry-title", tabindex: -1 }, h("span", { class: "number dim" }, `#${entry.number}`), " ", shortened(entry.name)),
        entry.ability !== "" && entry.ability !== entry.name && h("span", { class: "dim" }, shortened(entry.ability)),
        kindName(entry.kind),
        endChip(entry),
        entry.call?.is_async && h("span", { class: "chip" }, t("entry.async")),
        fitting(entry),
        h("div", { class: "buttons" }, actions),
    );
}

/** @param {Entry} entry */
function fitting({ contract }) {
    const [request, reply] = [contract?.request?.fits, contract?.reply?.fits];
    const sides = request && reply ? "both" : request ? "request" : reply ? "reply" : "";
    return sides !== "" && h("span", { class: "chip ok only-wide" }, t(`entry.fits.${sides}`));
}

/**
 * Say what is wrong, in words.
 * @param {Entry} entry
 * @returns {HTMLElement[]}
 */
export function problems(entry) {
    const { advice, contract, errcode, program_errcode, outcome, failed } = entry;
    /** @type {import("../dom.js").Child[][]} */
    const lines = [];
    for (const side of /** @type {const} */ (["request", "reply"])) {
        const verdict = contract?.[side];
        if (verdict && !verdict.fits) lines.push([t(`entry.misfit.${side}`, { path: visible(verdict.path ?? "$"), problem: visible(phrase(verdict.problem ?? "")) })]);
    }
    if (errcode && (lines.length === 0 || !MISFITS.includes(errcode))) lines.push(refusal(entry, entry.kind === "sdk" && errcode < -1 ? "sdk" : "platform", errcode));
    if (program_errcode) lines.push(refusal(entry, "program", program_errcode));
    if (advice && lines.length > 0) lines.push([visible(inLanguage(advice))]);
    if (entry.code === "failed") lines.push([t("entry.failed.code")]);
    if (failed && lines.length === 0) lines.push([t("entry.failed.other", { outcome: visible(outcome) })]);
    const hits = entry.hits.map((fault) => h("p", { class: "problem warn" }, t(fault.effect === "answer" ? "entry.by_hand" : "entry.hit", { id: fault.id, what: visible(described(fault)) })));
    return [...lines.map((line) => h("p", { class: "problem" }, line)), ...hits];
}

/**
 * Return who refused with which errcode, why, and a link to the table of errcodes, when it is in there.
 * @param {Entry} entry
 * @param {"platform" | "program" | "sdk"} who
 * @param {number} errcode
 * @returns {import("../dom.js").Child[]}
 */
function refusal(entry, who, errcode) {
    const cause = entry.causes?.[errcode];
    const reason = errmsgOf(entry, who === "program") || (cause ? inLanguage(cause) : t("entry.failed.silent"));
    const link = h("a", { href: `errcodes?lang=${language()}#e${errcode}`, target: "_blank" }, t("entry.errcode"));
    return [t(`entry.failed.${who}`, { errcode, errmsg: visible(reason) }), ...(cause ? [" ", link] : [])];
}

/** @param {readonly [string, string]} texts In English and Chinese. */
function inLanguage(texts) {
    return texts[language() === "zh" ? 1 : 0];
}

/** @param {Fault} fault */
function described({ on, effect, api, value }) {
    return [on, api, effect, Number(value) !== 0 && value].filter(Boolean).join(" ");
}

/**
 * Return the errmsg of a reply: the platform's, or the program's own.
 * @param {Entry} entry
 * @param {boolean} isProgram
 * @returns {string}
 */
function errmsgOf(entry, isProgram) {
    const reply = readJson(isProgram && entry.kind === "sdk" ? entry.text.request : entry.text.reply);
    const inner = isProgram && (entry.kind === "app" || entry.kind === "sdk") ? readJson(String(member(reply, "response_data") ?? member(reply, "result") ?? "")) : reply;
    if (!isProgram && entry.kind !== "app" && entry.kind !== "sdk") return "";
    return String(member(inner, "errmsg") ?? "");
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown}
 */
function member(value, name) {
    return value !== null && typeof value === "object" ? Reflect.get(value, name) : undefined;
}

/** @param {Entry} entry */
export function facts(entry) {
    const replays = [...record.rows.values()].filter((row) => row.replay_of === entry.number).slice(-SHOWN_REPLAYS);
    const links = replays.flatMap((row, index) => [index > 0 && " ", entryLink(row.number, `#${row.number}`)]);
    /** @type {[string, (import("../dom.js").Child) | (import("../dom.js").Child)[]][]} */
    const rows = [
        ["parent", entry.parent !== null && entryLink(entry.parent)],
        ["flow", entry.flow !== entry.number && entry.flow !== entry.parent && entryLink(entry.flow)],
        ["replay.of", entry.replay_of !== null && entryLink(entry.replay_of)],
        ["replays", links.length > 0 && h("span", {}, links)],
        ["duration", duration(entry.duration_ms)],
        ["time", `${dateAndTime(entry.time_ms)}.${String(entry.time_ms % 1000).padStart(3, "0")}`],
        ["offset", duration(entry.offset_ms)],
        ["corp", visible(entry.corpid)],
        ["agent", entry.agentid],
        ["pid", entry.pid],
        ["machine", entry.machine],
    ];
    const named = [["notify_id", entry.call?.notify_id], ["request_id", entry.call?.request_id]];
    const parts = [
        ...rows.map(([key, value]) => ({ label: t(`entry.${key}`), value })),
        ...named.map(([label, value]) => ({ label, value: value && h("code", {}, visible(value)) })),
    ];
    const lines = parts.filter(({ value }) => value !== "" && value !== null && value !== undefined && value !== false);
    return h("dl", { class: "facts", "aria-label": t("entry.facts") }, lines.map(({ label, value }) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
}

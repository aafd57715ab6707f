// The head of an entry: what it is, how it ended and why, and the facts.
// @ts-check
import { h, visible } from "../dom.js";
import { dateAndTime, duration, verdictChip } from "../parts.js";
import { record } from "../record.js";
import { inLanguage, language, t } from "../texts.js";
import { entryLink, kindName, shortened } from "./links.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../record.js").Fault} Fault
 */

const SHOWN_REPLAYS = 10;

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
        verdictChip(entry),
        entry.call?.is_async && h("span", { class: "chip" }, t("entry.async")),
        fitting(entry),
        h("div", { class: "buttons" }, actions),
    );
}

/**
 * Return the chip of what fits the contract; a failure has none, whatever fits there.
 * @param {Entry} entry
 */
function fitting({ contract, verdict }) {
    const [request, reply] = [contract?.request?.fits, contract?.reply?.fits];
    const sides = request && reply ? "both" : request ? "request" : reply ? "reply" : "";
    return sides !== "" && verdict === "ok" && h("span", { class: "chip ok only-wide" }, t(`entry.fits.${sides}`));
}

/**
 * Say why it did not end well, and which faults hit it.
 * @param {Entry} entry
 * @returns {HTMLElement[]}
 */
export function problems(entry) {
    const { causes = {}, failed, hits, reason, traces } = entry;
    const errcodes = traces.every(({ outcome }) => outcome === "ok") ? Object.keys(causes) : []; // else the program says more than the table
    const links = errcodes.map((errcode) => h("a", { href: `errcodes?lang=${language()}#e${errcode}`, target: "_blank" }, t("entry.errcode", { errcode })));
    const lines = [];
    if (inLanguage(reason) !== "") lines.push(h("p", { class: failed ? "problem" : "problem warn" }, h("strong", {}, visible(inLanguage(reason))), links.flatMap((link) => [" ", link])));
    for (const fault of hits) lines.push(h("p", { class: "problem warn" }, t(fault.effect === "answer" ? "entry.by_hand" : "entry.hit", { id: fault.id, what: visible(described(fault)) })));
    return lines;
}

/** @param {Fault} fault */
function described({ on, effect, api, value }) {
    return [on, api, effect, Number(value) !== 0 && value].filter(Boolean).join(" ");
}

/**
 * Return the facts; folded for a failure, where the cause is what counts.
 * @param {Entry} entry
 */
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
    const list = h("dl", { class: "facts", "aria-label": t("entry.facts") }, lines.map(({ label, value }) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
    return h("details", { open: !entry.failed }, h("summary", { class: "dim" }, t("entry.facts")), list);
}

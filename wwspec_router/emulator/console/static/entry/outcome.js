// How an exchange that somebody starts from outside ended, and what is needed for it to end like that again.
// @ts-check
import { readJson } from "../json/text.js";
import { record } from "../record.js";
import { abilityCall, causes, descendants } from "./related.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../record.js").Fault} Fault
 *
 * @typedef {object} Outcome
 * @property {number} errcode The platform's.
 * @property {number} programErrcode The program's own.
 * @property {string} reply JSON text of the program's reply; empty when there was none.
 */

const WAITING = 710642;
const UNREACHABLE = [710674, 710675, 710676, 710677];
const REPORT = "program_async_job_call_back";

/**
 * Return how a call of an ability, an event or an API ended.
 * @param {Entry} entry From `origin`.
 * @returns {Promise<Outcome>}
 */
export async function outcomeOf(entry) {
    const own = { errcode: entry.errcode ?? 0, programErrcode: entry.program_errcode ?? 0 };
    if (abilityCall(entry)?.isAsync && own.errcode === 0) return (await resultOf(entry)) ?? { ...own, reply: "" };
    if (entry.kind !== "app") return { ...own, errcode: refusal(entry) || own.errcode, reply: entry.text.reply };
    return { ...own, reply: abilityCall(entry) === null ? entry.text.reply : text(readJson(entry.text.reply), "response_data") };
}

/**
 * Return what came of an asynchronous call: the result that the app fetched, else the one that was reported.
 * @param {Entry} entry
 * @returns {Promise<Outcome | null>}
 */
async function resultOf(entry) {
    const later = descendants(entry);
    const fetched = later.findLast((row) => row.name === "async_program_result" && row.errcode !== null && row.errcode !== WAITING);
    const chosen = fetched ?? later.findLast((row) => row.name === REPORT && row.errcode === 0);
    if (chosen === undefined) return null;
    const found = await record.entry(chosen.number);
    const value = readJson(fetched ? found.text.reply : found.text.request);
    return { errcode: found.errcode ?? 0, programErrcode: found.program_errcode ?? 0, reply: text(value, fetched ? "response_data" : "result") };
}

/**
 * Return the errcode with which the platform refuses what a replay has sent, since contracts are not applied to that.
 * @param {Entry} entry
 * @returns {number} 0 when it does not.
 */
function refusal({ kind, contract, text: { request, reply } }) {
    if (kind !== "call" || contract === null) return 0;
    if (contract.request?.fits === false) return readJson(request) === undefined ? 790015 : 790016;
    if (contract.reply?.fits === false) return readJson(reply) === undefined ? 790013 : 790014;
    return 0;
}

/** @typedef {{fault: Fault, count: number}} Hit */

/**
 * Return the faults that hit an exchange and what it caused, each with how often. A program that could not be called
 * counts as one, so that the exchange ends in the same way.
 * @param {Entry} entry
 * @param {Outcome} outcome
 * @returns {Promise<Hit[]>}
 */
export async function hitsOf(entry, outcome) {
    const rows = descendants(entry).filter((row) => row.faults.length > 0);
    const entries = [entry, ...(await Promise.all(rows.map((row) => record.entry(row.number))))];
    /** @type {Map<string, Hit>} */
    const found = new Map();
    for (const fault of entries.flatMap((each) => each.hits)) {
        const hit = found.get(fault.id) ?? { fault, count: 0 };
        hit.count += 1;
        found.set(fault.id, hit);
    }
    if (found.size === 0 && UNREACHABLE.includes(outcome.errcode)) {
        return [{ fault: { id: "", on: "program", effect: "errcode", api: "", value: outcome.errcode }, count: 1 }];
    }
    return [...found.values()];
}

/**
 * Return what an app had been notified of when it made a call with a notify_id: an event, or a call that notified it.
 * @param {Entry} entry
 * @returns {Promise<Entry | null>}
 */
export async function notifier(entry) {
    const callback = causes(entry).find((row) => row.kind === "callback");
    const cause = callback && causes(callback).find((row) => row.kind === "event" || (row.kind === "call" && row.ability !== ""));
    return cause ? record.entry(cause.number) : null;
}

/**
 * Tell whether the program asked the platform for something: what it answers is then made of the emulator's data.
 * @param {Row} entry
 * @returns {boolean}
 */
export function usesPlatform(entry) {
    return descendants(entry).some((row) => row.kind === "sdk" && row.name !== REPORT && row.name !== "spec_notify_app");
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string} A member that is a string; else empty.
 */
function text(value, name) {
    const member = value !== null && typeof value === "object" ? Reflect.get(value, name) : "";
    return typeof member === "string" ? member : "";
}

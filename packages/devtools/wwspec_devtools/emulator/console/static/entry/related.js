// What belongs to an entry: its causes, what it caused, and the entry that a copy or a replay of it is about.
// @ts-check
import { record } from "../record.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("../record.js").Entry} Entry
 */

const CALLS = new Set(["sync_call_program", "async_program_task"]);
const RESULT = "async_program_result";

/**
 * Return the rows that an entry caused, all the way down, in the order in which they began.
 * @param {Row} entry
 * @returns {Row[]}
 */
export function descendants(entry) {
    const numbers = new Set([entry.number]);
    const rows = record.flows.get(entry.flow)?.rows ?? [];
    return [...rows]
        .sort((one, other) => one.number - other.number)
        .filter((row) => row.parent !== null && numbers.has(row.parent) && numbers.add(row.number));
}

/**
 * Return the rows that led to an entry, the nearest first, as far as they are kept.
 * @param {Row} entry
 * @returns {Row[]}
 */
function causes(entry) {
    /** @type {Row[]} */
    const found = [];
    for (let parent = entry.parent; parent !== null; ) {
        const row = record.rows.get(parent);
        if (row === undefined || found.includes(row)) break;
        found.push(row);
        parent = row.parent;
    }
    return found;
}

/** @param {Row} row Whether an app asked for an ability by it. */
function isAbilityCall(row) {
    return row.kind === "app" && CALLS.has(row.name);
}

/**
 * Return the entry that somebody starts from outside so that this one happens: an app's call rather than the call of
 * the program, and either rather than an SDK call.
 * @param {Entry} entry
 * @returns {Promise<Entry>}
 */
export async function origin(entry) {
    const way = [entry, ...causes(entry)];
    const isInner = entry.kind === "sdk" || entry.kind === "callback" || entry.name === RESULT;
    const from = isInner ? way.find((row) => row.kind === "call" || row.kind === "event" || isAbilityCall(row)) : entry;
    if (from === undefined) return entry;
    const parent = way[way.indexOf(from) + 1];
    const chosen = from.kind === "call" && parent !== undefined && isAbilityCall(parent) ? parent : from;
    return chosen.number === entry.number ? entry : record.entry(chosen.number);
}

/**
 * Return the number of the call or event that a replay of an entry sends; 0 when there is none.
 * @param {Row} entry
 * @returns {number}
 */
export function replayable(entry) {
    const near = entry.kind === "app" ? descendants(entry).filter((row) => row.parent === entry.number) : causes(entry);
    return [entry, ...near].find((row) => row.replayable)?.number ?? 0;
}

/**
 * @typedef {object} AbilityCall What an app asks of an ability.
 * @property {string} ability
 * @property {string} data JSON text.
 * @property {string} notifyId
 * @property {boolean} isAsync
 */

/**
 * Return the ability's call that an entry is; null for others.
 * @param {Entry} entry
 * @returns {AbilityCall | null}
 */
export function abilityCall(entry) {
    if (entry.kind === "call" && entry.call !== null) {
        return { ability: entry.ability || entry.name, data: entry.text.request, notifyId: entry.call.notify_id, isAsync: entry.call.is_async };
    }
    const request = /** @type {Record<string, unknown> | null} */ (entry.request);
    if (!isAbilityCall(entry) || request === null || typeof request !== "object") return null;
    const text = (/** @type {string} */ name) => (typeof request[name] === "string" ? /** @type {string} */ (request[name]) : "");
    return { ability: text("ability_id"), data: text("request_data"), notifyId: text("notify_id"), isAsync: entry.name === "async_program_task" };
}

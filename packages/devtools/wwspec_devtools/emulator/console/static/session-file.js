// Reads a session file, which somebody else may have made or changed: whole, or not at all.
// @ts-check
import { t } from "./texts.js";

const VERSION = 3;
const LATEST = 8.64e15; // milliseconds that a date can hold
const KINDS = ["app", "call", "event", "sdk", "callback", "clock"];

/**
 * @typedef {(value: any, path: string) => string} Check Returns the path of the first value that does not fit; empty when
 *   all do.
 */

/**
 * @param {(value: any) => boolean} test
 * @returns {Check}
 */
const is = (test) => (value, path) => (test(value) ? "" : path);

/**
 * @param {Check} check
 * @returns {Check}
 */
const orNull = (check) => (value, path) => (value === null ? "" : check(value, path));

/**
 * @param {Check} check
 * @returns {Check}
 */
const optional = (check) => (value, path) => (value === undefined ? "" : check(value, path));

/**
 * @param {Check} check
 * @returns {Check}
 */
const listOf = (check) => (value, path) => (Array.isArray(value) ? first(value, (each, index) => check(each, `${path}[${index}]`)) : path);

/**
 * @param {Check} check
 * @returns {Check}
 */
const membersOf = (check) => (value, path) => (isObject(value) ? first(Object.entries(value), ([name, each]) => (isText(name) ? check(each, `${path}.${name}`) : path)) : path);

/**
 * @param {Record<string, Check>} fields
 * @returns {Check}
 */
const object = (fields) => (value, path) => (isObject(value) ? first(Object.entries(fields), ([name, check]) => check(value[name], path ? `${path}.${name}` : name)) : path);

/** @param {unknown} value */
function isObject(value) {
    return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * @template T
 * @param {T[]} values
 * @param {(value: T, index: number) => string} check
 * @returns {string}
 */
function first(values, check) {
    for (const [index, value] of values.entries()) {
        const found = check(value, index);
        if (found) return found;
    }
    return "";
}

/** @param {unknown} value Whether it can be part of an address, too. */
function isText(value) {
    return typeof value === "string" && !/[\ud800-\udfff]/u.test(value);
}

const any = is((value) => value !== undefined);
const text = is(isText);
const flag = is((value) => typeof value === "boolean");
const number = is(Number.isFinite);
const count = is((value) => Number.isSafeInteger(value) && value >= 0);
const time = is((value) => Number.isFinite(value) && Math.abs(value) <= LATEST);
const sides = object({ request: text, reply: text });
const verdict = orNull(object({ fits: flag, path: optional(text), problem: optional(text) }));
const pair = is((value) => Array.isArray(value) && value.length === 2 && value.every(isText));
const headers = listOf(pair);
const fault = object({ id: text, on: text, effect: text, api: text, value: number, count: optional(orNull(count)), taken: optional(count) });

const frame = object({ file: text, line: number, function: text, code: text, own: flag });
const trace = object({
    kind: is((value) => ["call", "async", "event", "job"].includes(value)),
    outcome: is((value) => ["ok", "failed", "postponed"].includes(value)),
    milliseconds: object({ total: number, queue: orNull(number), check: orNull(number), sdk: orNull(number), handler: orNull(number) }),
    errcode: number,
    errmsg: text,
    attempt: number,
    attempts: orNull(number),
    next_run: orNull(number),
    pid: number,
    trace_id: optional(text),
    failure: orNull(object({ name: text, text, frames: listOf(frame) })),
    lines: listOf(object({ at: number, level: text, text })),
    lines_left_out: count,
});

const entry = object({
    number: count,
    kind: is((value) => KINDS.includes(value)),
    name: text,
    ability: text,
    parent: orNull(count),
    flow: count,
    replay_of: orNull(count),
    time_ms: time,
    offset_ms: time,
    duration_ms: orNull(number),
    outcome: text,
    verdict: text,
    reason: pair,
    errcode: orNull(number),
    program_errcode: orNull(number),
    corpid: text,
    agentid: orNull(number),
    pid: orNull(number),
    machine: orNull(count),
    faults: listOf(text),
    contract: orNull(object({ request: verdict, reply: verdict })),
    request_bytes: count,
    reply_bytes: count,
    replayable: flag,
    advanced_ms: orNull(number),
    request: any,
    reply: any,
    http: orNull(object({ method: text, path: text, status: orNull(number), request_headers: headers, reply_headers: headers })),
    raw: sides,
    text: sides,
    sealed: flag,
    call: orNull(object({ call_type: number, notify_id: text, request_id: text, is_async: flag, timestamp: number })),
    hits: listOf(fault),
    cause: orNull(object({ fired: flag, message: orNull(object({ from: text, name: text, to: listOf(text), chatid: text, text })) })),
    causes: membersOf(pair),
    advice: orNull(pair),
    children: listOf(count),
    attempts: count,
    code: is((value) => ["", "ok", "failed", "postponed"].includes(value)),
    traces: listOf(trace),
});

const session = object({
    exported_ms: time,
    version: text,
    clock: object({ now_ms: time, running: flag, ahead_ms: number }),
    faults: listOf(fault),
    program: object({
        program_id: text,
        url: text,
        state: is((value) => ["unknown", "up", "down"].includes(value)),
        since_ms: orNull(time),
        pids: listOf(count),
        machines: listOf(object({ number: count, url: text, state: is((value) => ["unknown", "up", "down", "stopped"].includes(value)), pids: listOf(count), order: text, fault: text })),
        receives_events: flag,
        abilities: orNull(listOf(text)),
        registrations: count,
    }),
    contracts: orNull(membersOf(object({ input: any, output: any, target: optional(text), declared: optional(text), doc: optional(text), schemas: optional(object({})) }))),
    entries: listOf((value, path) => entry(value, path) || (value.parent === null || value.parent < value.number ? "" : `${path}.parent`)),
});

/**
 * Return the session of a file's text.
 * @param {string} source
 * @returns {any}
 * @throws {Error} The text is none; the message says why.
 */
export function readSession(source) {
    let value;
    try {
        value = JSON.parse(source);
    } catch {
        throw new Error(t("session.wrong.json"));
    }
    if (value?.wwspec_session !== VERSION) {
        throw new Error(t("session.wrong.version", { version: String(value?.wwspec_session ?? "?"), known: VERSION }));
    }
    if (!Array.isArray(value.entries)) throw new Error(t("session.wrong.shape"));
    const path = session(value, "");
    if (path) throw new Error(t("session.wrong.value", { path }));
    return value;
}

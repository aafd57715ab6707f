// The record of the exchange, as the emulator streams it.
// @ts-check
import { get } from "./api.js";
import { putInFlow, takeFromFlow } from "./timeline/flow-record.js";

/**
 * @typedef {object} Verdict
 * @property {boolean} fits
 * @property {string} [path] The first place that does not fit, such as `$.limit`.
 * @property {[string, string]} [problem] In English and Chinese.
 *
 * @typedef {object} Row One exchange, without its bodies.
 * @property {number} number
 * @property {"app" | "call" | "event" | "sdk" | "callback" | "clock"} kind
 * @property {string} name
 * @property {string} ability
 * @property {number | null} parent
 * @property {number} flow
 * @property {number | null} replay_of
 * @property {number} time_ms Of the emulator's clock.
 * @property {number} offset_ms Real milliseconds since the session began.
 * @property {number | null} duration_ms
 * @property {"under way" | "ok" | "failed" | "postponed" | "waiting" | "dropped"} verdict How it ended: `ok` only when nothing failed.
 * @property {[string, string]} reason Why, in English and Chinese; empty where there is nothing to say.
 * @property {number | null} errcode
 * @property {number | null} program_errcode
 * @property {boolean} failed What the verdict says; `judged` adds it.
 * @property {string} corpid
 * @property {number | null} agentid
 * @property {number | null} pid
 * @property {number | null} [machine] The program's machine, among several.
 * @property {string[]} faults
 * @property {{request: Verdict | null, reply: Verdict | null} | null} contract
 * @property {number} request_bytes
 * @property {number} reply_bytes
 * @property {boolean} replayable
 * @property {number} attempts Runs of its job that the program told of; of a callback, how often it was tried.
 * @property {number | null} advanced_ms How far the clock was put forward, or back when it is negative; null for what is not `clock`.
 *
 * @typedef {object} Details What an entry has beyond its row.
 * @property {unknown} request
 * @property {unknown} reply
 * @property {{method: string, path: string, status: number | null, request_headers: [string, string][], reply_headers: [string, string][]} | null} http
 * @property {{request: string, reply: string}} raw
 * @property {{request: string, reply: string}} text The JSON texts behind `request` and `reply`, masked.
 * @property {boolean} sealed
 * @property {{call_type: number, notify_id: string, request_id: string, is_async: boolean, timestamp: number} | null} call
 * @property {Fault[]} hits
 * @property {{fired: boolean, message: {from: string, name: string, to: string[], chatid: string, text: string} | null} | null} [cause] Of an event.
 * @property {Record<string, [string, string]>} [causes] What its errcodes mean, in English and Chinese.
 * @property {[string, string] | null} fix What to do about it, in English and Chinese; null where its traces say more.
 * @property {string} value The JSON of what does not fit the contract; empty where all fits.
 * @property {string} declared Where the row or the mark is of what returned it.
 * @property {number[]} children
 * @property {CallbackAttempt | null} attempt The last try to bring a callback to the app.
 * @property {Trace[]} traces What the program tells of it, oldest first.
 *
 * @typedef {{method: string, url: string, status: number | null, body: string, error: [string, string], advice: [string, string] | null, seconds: number}} CallbackAttempt See state/tickets.py.
 * @typedef {{file: string, line: number, function: string, code: string, own: boolean}} Frame Of a traceback; `own` for a line of the application.
 *
 * @typedef {object} Trace What the program tells of one attempt.
 * @property {"call" | "async" | "event" | "job"} kind `job` for a run of its job, else the request itself.
 * @property {"ok" | "failed" | "postponed"} outcome
 * @property {{total: number, queue: number | null, check: number | null, sdk: number | null, handler: number | null}} milliseconds
 * @property {number} errcode
 * @property {string} errmsg
 * @property {number} attempt
 * @property {number | null} attempts At most.
 * @property {number | null} next_run Seconds until the next attempt.
 * @property {number} pid
 * @property {string} folder Where the program runs.
 * @property {string} [trace_id] That of the app, if its request names one.
 * @property {{name: string, text: string, frames: Frame[]} | null} failure What was raised; the outermost frame first.
 * @property {{at: number, level: string, text: string}[]} lines What was logged or printed, with the milliseconds until then.
 * @property {number} lines_left_out
 *
 * @typedef {Row & Details} Entry
 * @typedef {{id: string, on: string, effect: string, api: string, value: unknown, count?: number | null, taken?: number}} Fault
 * @typedef {{now_ms: number, running: boolean, ahead_ms?: number}} Clock `ahead_ms`: by how much it was put forward.
 * @typedef {{program_id: string, url: string, state: "unknown" | "up" | "down", since_ms?: number | null, pids: number[], machines?: Machine[], receives_events: boolean, abilities: string[] | null, registrations: number}} Program
 * @typedef {{number: number, url: string, state: "unknown" | "up" | "down" | "stopped", pids: number[], order: string, fault: string}} Machine `order`: what is just being done with it.
 * @typedef {{number: number, rows: Row[]}} Flow Rows of one flow in the order in which they began.
 */

/**
 * What the page knows. Events: `rows` (detail: the flows that changed; null when all did), `state`, `clock`, `faults`,
 * `program`.
 */
export class TrafficRecord extends EventTarget {
    /** @type {Map<number, Row>} */
    rows = new Map();
    /** @type {Map<number, Flow>} In the order in which they began. */
    flows = new Map();
    /** @type {"live" | "paused" | "offline"} */
    state = "live";
    /** Entries that were dropped before they came here. */
    missed = 0;

    /** Entries that are older than the oldest one here. */
    get dropped() {
        return this.rows.size === 0 ? 0 : (this.#first || this.#oldest) - 1;
    }

    /** @type {Clock | null} */
    clock = null;
    /** @type {Fault[]} */
    faults = [];
    /** @type {Program | null} */
    program = null;
    /** @type {EventSource | null} */
    #source = null;
    /** @type {Map<number, Row>} Rows that came while the record was paused. */
    #held = new Map();
    #heldFirst = 0;
    /** Number of the oldest row, or a smaller one. */
    #oldest = Infinity;
    /** Number of the oldest entry that the emulator keeps; 0 until that is known. */
    #first = 0;
    /** @type {Set<number>} Flows that changed since the last event `rows`. */
    #changed = new Set();

    /** @type {() => void} */
    #resolveRead = () => {};
    /** @type {Promise<void>} Ends once what the emulator keeps is here. */
    read = new Promise((resolve) => (this.#resolveRead = resolve));

    /** Watch the emulator. */
    start() {
        this.#source?.close();
        this.#clear();
        const source = new EventSource("emulator/stream");
        this.#source = source;
        source.onopen = () => this.#become(this.state === "paused" ? "paused" : "live");
        source.onerror = () => {
            this.#become("offline");
            if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#source === source && this.start(), 2000);
        };
        this.#on(source, "hello", ({ goes_on }) => goes_on || this.#clear());
        this.#on(source, "entries", ({ rows, first, missed, more }) => this.#take(rows, first, missed, more));
        for (const name of /** @type {const} */ (["clock", "faults", "program"])) {
            this.#on(source, name, (data) => {
                if (name === "faults") this.faults = data.faults;
                else Reflect.set(this, name, data);
                this.dispatchEvent(new Event(name));
            });
        }
    }

    /** Stop showing what comes in, or go on. */
    toggle() {
        if (this.state === "offline") return;
        this.#become(this.state === "paused" ? "live" : "paused");
        if (this.state === "live" && this.#held.size) {
            const rows = [...this.#held.values()];
            this.#held.clear();
            this.#put(rows, this.#heldFirst);
        }
    }

    /**
     * Return an entry with its bodies.
     * @param {number} number
     * @returns {Promise<Entry>}
     */
    async entry(number) {
        return judged((await get(`traffic/${number}`)).entry);
    }

    /**
     * Return the numbers of the entries that fit filters; bodies are searched, too.
     * @param {Record<string, string>} filters `text`, `ability`, `errcode`, `corp`, `kind`.
     * @returns {Promise<Set<number>>}
     */
    async search(filters) {
        const { traffic } = await get("traffic", { ...filters, wait: "false" });
        return new Set(traffic.map((/** @type {Row} */ row) => row.number));
    }

    /**
     * @param {EventSource} source
     * @param {string} name
     * @param {(data: any) => void} run
     */
    #on(source, name, run) {
        source.addEventListener(name, (event) => run(JSON.parse(/** @type {MessageEvent<string>} */ (event).data)));
    }

    /** @param {"live" | "paused" | "offline"} state */
    #become(state) {
        if (state === this.state) return;
        this.state = state;
        this.dispatchEvent(new Event("state"));
    }

    #clear() {
        this.rows.clear();
        this.flows.clear();
        this.#held.clear();
        this.#changed.clear();
        this.#oldest = Infinity;
        this.missed = 0;
        this.dispatchEvent(new CustomEvent("rows", { detail: null }));
    }

    /**
     * @param {Row[]} rows
     * @param {number} first
     * @param {number} missed
     * @param {boolean} more Whether the emulator sends more at once: it is all shown together.
     */
    #take(rows, first, missed, more) {
        this.missed += missed;
        if (this.state !== "paused") {
            this.#put(rows, first, more);
            return;
        }
        for (const row of rows) this.#held.set(row.number, row);
        for (const number of this.#held.keys()) if (number < first) this.#held.delete(number);
        this.#heldFirst = first;
    }

    /**
     * @param {Row[]} rows
     * @param {number} first Entries before it are no longer kept.
     * @param {boolean} [more]
     */
    #put(rows, first, more = false) {
        const changed = this.#changed;
        this.#first = first;
        for (const row of rows.map(judged)) {
            putInFlow(this.flows, row, !this.rows.has(row.number));
            this.rows.set(row.number, row);
            changed.add(row.flow);
            this.#oldest = Math.min(this.#oldest, row.number);
        }
        for (; this.#oldest < first && this.rows.size > 0; this.#oldest += 1) {
            const row = this.rows.get(this.#oldest);
            if (row === undefined) continue;
            this.rows.delete(row.number);
            takeFromFlow(this.flows, row);
            changed.add(row.flow);
        }
        if (more) return;
        this.#changed = new Set();
        this.dispatchEvent(new CustomEvent("rows", { detail: changed }));
        this.#resolveRead();
    }
}

/**
 * Add to a row whether it failed.
 * @template {Row} T
 * @param {T} row
 */
export function judged(row) {
    return Object.assign(row, { failed: row.verdict === "failed" || row.verdict === "dropped" });
}

/** The record of this page. It is read while the rest of the page is loaded. */
export const record = new TrafficRecord();
record.start();

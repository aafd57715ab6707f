// The figures of the program over the last minutes, and what follows from two of them.
// @ts-check

const WINDOW = 300_000; // milliseconds that are kept
const GAP = 10_000; // milliseconds without figures from which nothing is said of the time between

/**
 * @typedef {object} Status What the ability of `kind = "status"` answers: see wwspec_router/monitoring/status.py.
 * @property {number} uptime
 * @property {number} processes
 * @property {number} calls
 * @property {{errcode: number, count: number}[]} errors
 * @property {number} busy
 * @property {number} threads
 * @property {number} queued
 * @property {number} hung
 * @property {number} [queue_p50_us] The percentiles are left out when there was no call lately.
 * @property {number} [queue_p99_us]
 * @property {{ability_id: string, calls: number, errors: number, p50_us?: number, p99_us?: number}[]} abilities
 * @property {number} jobs_ended
 * @property {number} jobs_failed
 * @property {number} jobs_given_up
 * @property {number} [events_ended] These are left out as long as all of them are 0.
 * @property {number} [events_failed]
 * @property {string} store
 * @property {number} store_rows
 * @property {number} store_bytes
 * @property {number} jobs_running
 * @property {number} jobs_waiting
 * @property {number} jobs_claimed
 * @property {number} [jobs_set_aside] Left out as long as nothing has failed for good.
 * @property {number} jobs_oldest_age_s
 * @property {{ability_id: string, state: string, attempt: number, lease_s: number, age_s: number}[]} oldest_jobs
 *
 * @typedef {{at: number, status: Status, calls: number, errors: number}} Sample `calls` and `errors` are without those of
 *   the page itself.
 * @typedef {import("../plot.js").Point} Point
 */

export class History {
    /** @type {Sample[]} */
    samples = [];
    /** @type {number[]} When the program was found to have started anew. */
    restarts = [];

    /**
     * @param {number} at Milliseconds of `performance.now()`.
     * @param {Status} status
     * @param {string} own The ability that the figures come from: asking for them is no traffic.
     */
    add(at, status, own) {
        const asked = status.abilities.find((each) => each.ability_id === own) ?? { calls: 0, errors: 0 };
        const errors = status.errors.reduce((sum, { count }) => sum + count, 0);
        const last = this.samples.at(-1);
        if (last !== undefined && isRestart(last.status, status)) this.restarts.push(at);
        this.samples.push({ at, status, calls: status.calls - asked.calls, errors: errors - asked.errors });
        while (this.samples.length && at - /** @type {Sample} */ (this.samples[0]).at > WINDOW) this.samples.shift();
        this.restarts = this.restarts.filter((each) => at - each <= WINDOW);
    }

    /**
     * Return how many milliseconds a plot shows: a minute at first, later all that is kept.
     * @param {number} now
     * @returns {number}
     */
    span(now) {
        return Math.min(WINDOW, Math.max(60_000, now - (this.samples[0]?.at ?? now)));
    }

    /**
     * Return how fast a count grows, a second. A program that started anew counts from 0: its count is what it grew by.
     * @param {"calls" | "errors"} name
     * @returns {Point[]}
     */
    rate(name) {
        return this.samples.slice(1).map((sample, index) => {
            const before = /** @type {Sample} */ (this.samples[index]);
            const grown = sample[name] - (isRestart(before.status, sample.status) ? 0 : before[name]);
            const isKnown = sample.at - before.at <= GAP;
            return { at: sample.at, value: isKnown ? (Math.max(0, grown) * 1000) / (sample.at - before.at) : null };
        });
    }

    /**
     * Return a value that is what it is at each moment.
     * @param {(status: Status) => number | null} read
     * @returns {Point[]}
     */
    gauge(read) {
        /** @type {Point[]} */
        const points = [];
        for (const { at, status } of this.samples) {
            const before = points.at(-1);
            if (before && at - before.at > GAP) points.push({ at, value: null });
            points.push({ at, value: read(status) });
        }
        return points;
    }
}

/**
 * Return whether the program started anew between two answers.
 * @param {Status} before
 * @param {Status} now
 * @returns {boolean}
 */
function isRestart(before, now) {
    return now.uptime < before.uptime || now.calls < before.calls;
}

// What a test asserts of a reply: its values, or its shape.
// @ts-check
import { JsonNumber } from "../json/text.js";
import { Name, isHolder, isMasked, replaced } from "./python.js";

/** @typedef {import("../record.js").Entry} Entry */

const NEAR = 400 * 24 * 3600; // seconds around an exchange within which a number is taken for a time
const ID = /[0-9a-f]{16}/; // random ids, such as those of notifications and jobs

/** In the place of a value that is another one each time. */
export const ANY = new Name("ANY");

/**
 * Return a reply with `ANY` for what is masked and for what is another value each time: times, and ids of the exchange.
 * @param {unknown} reply
 * @param {Entry} entry
 * @returns {unknown}
 */
export function stableValues(reply, entry) {
    const seconds = entry.time_ms / 1000;
    const isTime = (/** @type {number} */ value) => Math.abs(value - seconds) < NEAR || Math.abs(value / 1000 - seconds) < NEAR;
    return replaced(reply, (_, value) => {
        if (isMasked(value) || (typeof value === "number" && isTime(value))) return ANY;
        return typeof value === "string" && (ID.test(value) || value === entry.call?.request_id) ? ANY : value;
    });
}

/**
 * Return an example of a reply in which each list has one element, with the keys of all.
 * @param {unknown} reply
 * @returns {unknown}
 */
export function shapeOf(reply) {
    if (Array.isArray(reply)) return reply.length === 0 ? [] : [reply.map(shapeOf).reduce(together)];
    if (!isHolder(reply)) return reply;
    return Object.fromEntries(Object.entries(reply).map(([key, item]) => [key, shapeOf(item)]));
}

/**
 * Return the common shape of two.
 * @param {unknown} one
 * @param {unknown} other
 * @returns {unknown}
 */
function together(one, other) {
    if (Array.isArray(one) && Array.isArray(other)) return one.length && other.length ? [together(one[0], other[0])] : [...one, ...other];
    if (!isHolder(one) || !isHolder(other) || Array.isArray(one) || Array.isArray(other)) return one;
    /** @type {Record<string, unknown>} */
    const all = { ...one };
    for (const [key, item] of Object.entries(other)) all[key] = key in all ? together(all[key], item) : item;
    return all;
}

/**
 * Tell whether lists of a reply hold values of several types, or null beside others: no example stands for them.
 * @param {unknown} reply
 * @returns {boolean}
 */
export function isMixed(reply) {
    if (!isHolder(reply)) return false;
    const members = Object.values(reply);
    if (members.some(isMixed)) return true;
    return Array.isArray(reply) && new Set(members.map(kindOf)).size > 1;
}

/** @param {unknown} value */
function kindOf(value) {
    if (value === null) return "null";
    if (Array.isArray(value)) return "list";
    if (value instanceof JsonNumber) return /[.eE]/.test(value.source) ? "fraction" : "number";
    return typeof value === "number" && !Number.isInteger(value) ? "fraction" : typeof value;
}

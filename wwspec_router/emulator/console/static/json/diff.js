// What differs between two JSON values, by paths.
// @ts-check
import { JsonNumber } from "./text.js";

/**
 * @typedef {object} Difference
 * @property {string} path Such as `$.msg_list[0].msgid`.
 * @property {"added" | "removed" | "changed"} kind
 * @property {unknown} before
 * @property {unknown} after
 */

const DEEPEST = 200; // levels; below, a place is taken as a whole

/**
 * Return what differs, in the order of the first value. Lists are compared from both ends, so that what is put in or
 * taken out of the middle is one difference.
 * @param {unknown} before
 * @param {unknown} after
 * @param {number} most Differences after which it stops.
 * @returns {Difference[]}
 */
export function differences(before, after, most = Infinity) {
    /** @type {Difference[]} */
    const found = [];
    compare(before, after, "$", 0, found, most);
    return found;
}

/**
 * @param {unknown} before
 * @param {unknown} after
 * @param {string} path
 * @param {number} depth
 * @param {Difference[]} found
 * @param {number} most
 */
function compare(before, after, path, depth, found, most) {
    if (found.length >= most || isSame(before, after)) return;
    if (depth < DEEPEST && Array.isArray(before) && Array.isArray(after)) {
        lists(before, after, path, depth, found, most);
    } else if (depth < DEEPEST && isObject(before) && isObject(after)) {
        for (const key of Object.keys(before)) {
            if (key in after) compare(before[key], after[key], `${path}.${key}`, depth + 1, found, most);
            else found.push({ path: `${path}.${key}`, kind: "removed", before: before[key], after: undefined });
        }
        for (const key of Object.keys(after)) {
            if (!(key in before)) found.push({ path: `${path}.${key}`, kind: "added", before: undefined, after: after[key] });
        }
    } else if (depth >= DEEPEST ? !isAlike(before, after) : true) {
        found.push({ path, kind: "changed", before, after });
    }
}

/**
 * @param {unknown[]} before
 * @param {unknown[]} after
 * @param {string} path
 * @param {number} depth
 * @param {Difference[]} found
 * @param {number} most
 */
function lists(before, after, path, depth, found, most) {
    const shorter = Math.min(before.length, after.length);
    let head = 0;
    while (before.length !== after.length && head < shorter && isAlike(before[head], after[head])) head += 1;
    let tail = 0;
    while (before.length !== after.length && tail < shorter - head && isAlike(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
    const both = shorter - tail;
    for (let index = head; index < both && found.length < most; index += 1) {
        compare(before[index], after[index], `${path}[${index}]`, depth + 1, found, most);
    }
    for (let index = both; index < before.length - tail && found.length < most; index += 1) {
        found.push({ path: `${path}[${index}]`, kind: "removed", before: before[index], after: undefined });
    }
    for (let index = both; index < after.length - tail && found.length < most; index += 1) {
        found.push({ path: `${path}[${index}]`, kind: "added", before: undefined, after: after[index] });
    }
}

/**
 * Tell whether two values are the same all the way down, without calling itself.
 * @param {unknown} before
 * @param {unknown} after
 * @returns {boolean}
 */
function isAlike(before, after) {
    const left = [[before, after]];
    for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
        const [one, other] = pair;
        if (isSame(one, other)) continue;
        if (Array.isArray(one) !== Array.isArray(other) || !isHolder(one) || !isHolder(other)) return false;
        const keys = Object.keys(one);
        if (keys.length !== Object.keys(other).length) return false;
        for (const key of keys) {
            if (!(key in other)) return false;
            left.push([one[key], other[key]]);
        }
    }
    return true;
}

/**
 * @param {unknown} before
 * @param {unknown} after
 */
function isSame(before, after) {
    if (before instanceof JsonNumber && after instanceof JsonNumber) return before.source === after.source;
    return before === after;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isHolder(value) {
    return value !== null && typeof value === "object" && !(value instanceof JsonNumber);
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
    return isHolder(value) && !Array.isArray(value);
}

// What differs between two JSON values, by paths.
// @ts-check
import { heldValue, JsonNumber } from "./text.js";

/**
 * @typedef {object} Difference
 * @property {string} path In the first value, such as `$.msg_list[0].msgid`; in the second one for what was added.
 * @property {string} pathAfter In the second value: elements before it may have come or gone.
 * @property {"added" | "removed" | "changed"} kind
 * @property {unknown} before
 * @property {unknown} after
 *
 * @typedef {{path: string, pathAfter: string, depth: number}} Place
 */

const DEEPEST = 200; // levels; below, a place is taken as a whole
const MOST_PAIRS = 4_000_000; // of elements, for which the longest common subsequence is looked for

/**
 * Return what differs, in the order of the first value. Lists are compared by their longest common subsequence, so that
 * a list that has moved by one element is two differences. A string that holds an object or a list is compared as one,
 * behind `()` in the path, as the tree shows it.
 * @param {unknown} before
 * @param {unknown} after
 * @param {number} most Differences after which it stops.
 * @returns {Difference[]}
 */
export function differences(before, after, most = Infinity) {
    const comparison = new Comparison(most);
    comparison.compare(before, after, { path: "$", pathAfter: "$", depth: 0 });
    return comparison.found;
}

class Comparison {
    /** @type {Difference[]} */
    found = [];

    /** @param {number} most */
    constructor(most) {
        this.most = most;
    }

    /**
     * @param {unknown} before
     * @param {unknown} after
     * @param {Place} place
     */
    compare(before, after, place) {
        if (this.found.length >= this.most || before === after) return;
        const [held, heldAfter] = place.depth > 0 ? [heldValue(before), heldValue(after)] : [undefined, undefined];
        if (held !== undefined && heldAfter !== undefined) this.compare(held, heldAfter, below(place, "()", "()"));
        else if (place.depth < DEEPEST && Array.isArray(before) && Array.isArray(after)) this.#lists(before, after, place);
        else if (place.depth < DEEPEST && isObject(before) && isObject(after)) this.#objects(before, after, place);
        else if (spelled(before) !== spelled(after)) this.#add("changed", place, before, after);
    }

    /**
     * @param {Record<string, unknown>} before
     * @param {Record<string, unknown>} after
     * @param {Place} place
     */
    #objects(before, after, place) {
        for (const [key, value] of Object.entries(before)) {
            const member = below(place, `.${key}`, `.${key}`);
            if (key in after) this.compare(value, after[key], member);
            else this.#add("removed", member, value, undefined);
        }
        for (const [key, value] of Object.entries(after)) {
            if (!(key in before)) this.#add("added", below(place, `.${key}`, `.${key}`), undefined, value);
        }
    }

    /**
     * Between two elements that both lists have, elements are compared one by one; those left over were removed or added.
     * @param {unknown[]} before
     * @param {unknown[]} after
     * @param {Place} place
     */
    #lists(before, after, place) {
        let [at, atAfter] = [0, 0];
        for (const [next, nextAfter] of [...common(before, after), /** @type {const} */ ([before.length, after.length])]) {
            for (; at < next || atAfter < nextAfter; at += Number(at < next), atAfter += Number(atAfter < nextAfter)) {
                if (this.found.length >= this.most) return;
                const element = below(place, `[${at}]`, `[${atAfter}]`);
                if (at >= next) this.#add("added", element, undefined, after[atAfter]);
                else if (atAfter >= nextAfter) this.#add("removed", element, before[at], undefined);
                else this.compare(before[at], after[atAfter], element);
            }
            [at, atAfter] = [next + 1, nextAfter + 1];
        }
    }

    /**
     * @param {Difference["kind"]} kind
     * @param {Place} place
     * @param {unknown} before
     * @param {unknown} after
     */
    #add(kind, { path, pathAfter }, before, after) {
        if (this.found.length < this.most) this.found.push({ path: kind === "added" ? pathAfter : path, pathAfter, kind, before, after });
    }
}

/**
 * @param {Place} place
 * @param {string} step
 * @param {string} stepAfter
 * @returns {Place}
 */
function below({ path, pathAfter, depth }, step, stepAfter) {
    return { path: path + step, pathAfter: pathAfter + stepAfter, depth: depth + 1 };
}

/**
 * Return the indices of the elements that two lists have in common, in their order.
 * @param {unknown[]} before
 * @param {unknown[]} after
 * @returns {(readonly [number, number])[]}
 */
function common(before, after) {
    if (Math.min(before.length, after.length) < 1 || Math.max(before.length, after.length) < 2) return [];
    const [one, other] = [before.map(spelled), after.map(spelled)];
    let head = 0;
    while (head < one.length && head < other.length && one[head] === other[head]) head += 1;
    let tail = 0;
    while (tail < Math.min(one.length, other.length) - head && one.at(-1 - tail) === other.at(-1 - tail)) tail += 1;
    const middle = longestCommon(one.slice(head, one.length - tail), other.slice(head, other.length - tail));
    return [
        ...Array.from({ length: head }, (_, index) => /** @type {const} */ ([index, index])),
        ...middle.map(([at, atOther]) => /** @type {const} */ ([at + head, atOther + head])),
        ...Array.from({ length: tail }, (_, index) => /** @type {const} */ ([one.length - tail + index, other.length - tail + index])),
    ];
}

/**
 * @param {string[]} one
 * @param {string[]} other
 * @returns {[number, number][]} Indices of a longest common subsequence; none when the lists are too long.
 */
function longestCommon(one, other) {
    if (one.length * other.length > MOST_PAIRS) return [];
    const wide = other.length + 1;
    const lengths = new Uint16Array((one.length + 1) * wide); // of what is common from two indices on
    const length = (/** @type {number} */ at, /** @type {number} */ atOther) => lengths[at * wide + atOther] ?? 0;
    for (let at = one.length - 1; at >= 0; at -= 1) {
        for (let atOther = other.length - 1; atOther >= 0; atOther -= 1) {
            lengths[at * wide + atOther] =
                one[at] === other[atOther] ? length(at + 1, atOther + 1) + 1 : Math.max(length(at + 1, atOther), length(at, atOther + 1));
        }
    }
    /** @type {[number, number][]} */
    const pairs = [];
    for (let at = 0, atOther = 0; at < one.length && atOther < other.length; ) {
        if (one[at] === other[atOther]) pairs.push([at++, atOther++]);
        else if (length(at + 1, atOther) >= length(at, atOther + 1)) at += 1;
        else atOther += 1;
    }
    return pairs;
}

/**
 * Return a text that is the same for two values when they are the same all the way down, to the letters of their
 * numbers. Depth does no harm: it does not call itself.
 * @param {unknown} value
 * @returns {string}
 */
function spelled(value) {
    const parts = [];
    const left = [value];
    while (left.length > 0) {
        const next = left.pop();
        if (next === null || typeof next !== "object" || next instanceof JsonNumber) {
            parts.push(next instanceof JsonNumber ? next.source : JSON.stringify(next));
        } else {
            const keys = Array.isArray(next) ? [] : Object.keys(next).sort();
            parts.push(Array.isArray(next) ? `[${next.length}` : `{${JSON.stringify(keys)}`);
            for (const member of Array.isArray(next) ? next : keys.map((key) => Reflect.get(next, key))) left.push(member);
        }
    }
    return parts.join(",");
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
    return value !== null && typeof value === "object" && !(value instanceof JsonNumber) && !Array.isArray(value);
}

// The query of the timeline: `ability:order errcode:45009 -kind:token dur:>200ms is:failed "text"`.
// @ts-check
import { t } from "../texts.js";
import { isPoll, isToken } from "./quiet.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {(row: Row) => boolean} Condition
 * @typedef {(value: string) => Condition | null} Reader Returns what a value asks of an entry; null when it is none.
 *
 * @typedef {object} Word One part of a query.
 * @property {number} start
 * @property {number} end
 * @property {boolean} isNot Whether `-` is before it.
 * @property {string} key Such as `kind`; empty for a text.
 * @property {string} value Without quotes.
 * @property {boolean} isQuoted
 *
 * @typedef {object} Query
 * @property {((found: ReadonlyMap<string, ReadonlySet<number>>) => Condition) | null} condition Made from the numbers of
 *   the entries in which each text is; null when nothing is asked.
 * @property {string[]} texts What names and bodies are searched for.
 * @property {string[]} problems What can't be understood, and what is possible; it is left out of the condition.
 */

const WORD = /(-?)(?:([A-Za-z]+):)?("(?:[^"\\]|\\.)*"?|\S*)/y;
const UNITS = /** @type {const} */ ({ ms: 1, s: 1000, min: 60_000, h: 3_600_000 });
const DURATION = /^(>=?|<=?)(\d+(?:\.\d+)?)(ms|s|min|h)$/;

/** @type {Record<string, Condition>} */
const KINDS = Object.assign(
    Object.fromEntries(["app", "call", "event", "sdk", "callback", "clock"].map((kind) => [kind, (/** @type {Row} */ row) => row.kind === kind])),
    { token: isToken, poll: isPoll },
);

/** @type {Record<string, Condition>} */
const STATES = {
    failed: (row) => row.failed,
    ok: (row) => !row.failed && row.duration_ms !== null,
    running: (row) => row.duration_ms === null,
    replay: (row) => row.replay_of !== null,
};

/** @type {Record<string, Reader>} Key -> its reader, in the order in which they are named. */
const READERS = {
    is: (value) => STATES[value.toLowerCase()] ?? null,
    errcode: (value) => (/^-?\d+$/.test(value) ? (row) => [row.errcode, row.program_errcode].includes(Number(value)) : null),
    dur: durationCondition,
    kind: (value) => KINDS[value.toLowerCase()] ?? null,
    ability: (value) => holds("ability", value),
    name: (value) => holds("name", value),
    corp: (value) => holds("corpid", value),
};

/** Keys of a query, such as `errcode`. */
const KEYS = Object.keys(READERS);

/** @type {Record<string, string[]>} Key -> all its values. */
const VALUES = { is: Object.keys(STATES), kind: Object.keys(KINDS) };

/**
 * Return the words of a query.
 * @param {string} text
 * @returns {Word[]}
 */
export function wordsOf(text) {
    const words = [];
    for (let at = text.search(/\S/); at >= 0 && at < text.length; ) {
        WORD.lastIndex = at;
        const [all = "", not = "", key = "", given = ""] = WORD.exec(text) ?? [];
        const isQuoted = given.startsWith('"');
        const isNot = not !== "" && all !== "-";
        const value = isQuoted ? given.slice(1).replace(/"$/, "").replace(/\\(.)/g, "$1") : isNot || not === "" ? given : all;
        words.push({ start: at, end: at + all.length, isNot, key: key.toLowerCase(), value, isQuoted });
        at += all.length;
        at += text.slice(at).length - text.slice(at).trimStart().length;
    }
    return words;
}

/**
 * Return what a query asks.
 * @param {string} text
 * @returns {Query}
 */
export function readQuery(text) {
    /** @type {Condition[]} */
    const conditions = [];
    /** @type {{isNot: boolean, text: string}[]} */
    const texts = [];
    const problems = [];
    let start = -1; // of bare words beside each other, which are one text
    for (const word of wordsOf(text)) {
        const read = READERS[word.key];
        if (word.key === "") {
            const isBare = !word.isQuoted && !word.isNot;
            if (isBare && start >= 0) texts.pop();
            else start = isBare ? word.start : -1;
            if (word.value !== "") texts.push({ isNot: word.isNot, text: isBare ? text.slice(start, word.end) : word.value });
            continue;
        }
        start = -1;
        const condition = word.value === "" ? undefined : read?.(word.value); // nothing yet: it is being typed
        if (read === undefined) problems.push(t("query.unknown", { word: word.key, keys: KEYS.map((key) => `${key}:`).join(" "), text: text.slice(word.start, word.end) }));
        else if (condition === null) problems.push(t(`query.${word.key}`, { value: word.value, values: (VALUES[word.key] ?? []).join(", ") }));
        else if (condition !== undefined) conditions.push(word.isNot ? (row) => !condition(row) : condition);
    }
    const isEmpty = conditions.length + texts.length === 0;
    return {
        condition: isEmpty ? null : (found) => (row) => conditions.every((each) => each(row)) && texts.every((each) => found.get(each.text)?.has(row.number) === !each.isNot),
        texts: [...new Set(texts.map((each) => each.text))],
        problems,
    };
}

/**
 * Return a query with a word, or without it.
 * @param {string} text
 * @param {string} word Such as `is:failed`.
 * @param {boolean} isThere
 */
export function withWord(text, word, isThere) {
    const others = wordsOf(text).map(({ start, end }) => text.slice(start, end)).filter((each) => each !== word);
    return [...others, ...(isThere ? [word] : [])].join(" ");
}

/** @type {Reader} */
function durationCondition(value) {
    const [, sign = "", count = "", unit = ""] = DURATION.exec(value.toLowerCase()) ?? [];
    if (sign === "") return null;
    const limit = Number(count) * UNITS[/** @type {keyof typeof UNITS} */ (unit)];
    const isGreater = sign.startsWith(">");
    return ({ duration_ms: took }) => took !== null && (took === limit ? sign.endsWith("=") : took > limit === isGreater);
}

/**
 * @param {"ability" | "name" | "corpid"} field
 * @param {string} value
 * @returns {Condition}
 */
function holds(field, value) {
    const wanted = value.toLowerCase();
    return (row) => row[field].toLowerCase().includes(wanted);
}

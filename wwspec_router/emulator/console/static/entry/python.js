// Python source, as `ruff format` would leave it.
// @ts-check
import { JsonNumber, readJson } from "../json/text.js";

/** Columns of a line: ruff's own default. */
export const WIDTH = 88;

const STEP = 4;
const DEEPEST = 100; // lists and objects in one another
const MASK = "***";
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;
const ESCAPED = /[\\\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]/gu;
const SHORT = new Map([["\\", "\\\\"], ["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** A name, such as `ANY`, in the place of a value. */
export class Name {
    /** @param {string} text */
    constructor(text) {
        this.text = text;
    }
}

/**
 * Return a value as a Python literal: on one line when that fits, else with a line for each member.
 * @param {unknown} value From `parseJson`, with `Name`s.
 * @param {number} indent Columns before the line.
 * @param {number} before Columns that are taken before the literal on its first line, the indent among them.
 * @param {number} after Columns that are taken behind it on its last line.
 * @returns {string}
 */
export function literal(value, indent, before, after = 0) {
    const flat = flatLiteral(value, WIDTH - before - after);
    if (flat !== null) return flat;
    if (!isHolder(value)) return scalar(value);
    const inner = " ".repeat(indent + STEP);
    const lines = Object.entries(value).map(([key, item]) => {
        const name = Array.isArray(value) ? "" : `${text(key)}: `;
        return `${inner}${name}${literal(item, indent + STEP, indent + STEP + width(name), 1)},`;
    });
    const [open, close] = Array.isArray(value) ? "[]" : "{}";
    return `${open}\n${lines.join("\n")}\n${" ".repeat(indent)}${close}`;
}

/**
 * Return a call: on one line when that fits, else with its arguments on the next one, or with a line for each.
 * @param {string} head Such as `answer = zone.call`.
 * @param {string[]} given Arguments, each on one line.
 * @param {number} indent
 * @returns {string} Indented.
 */
export function call(head, given, indent = STEP) {
    const [outer, inner] = [" ".repeat(indent), " ".repeat(indent + STEP)];
    const flat = given.join(", ");
    if (width(`${outer}${head}(${flat})`) <= WIDTH) return `${outer}${head}(${flat})`;
    if (width(`${inner}${flat}`) <= WIDTH) return `${outer}${head}(\n${inner}${flat}\n${outer})`;
    return `${outer}${head}(\n${given.map((each) => `${inner}${each},\n`).join("")}${outer})`;
}

/**
 * Return an assignment; a long text is put into parentheses when it then fits.
 * @param {string} name
 * @param {unknown} value
 * @param {number} indent
 * @returns {string} Indented.
 */
export function assignment(name, value, indent = STEP) {
    const [outer, inner] = [" ".repeat(indent), " ".repeat(indent + STEP)];
    const head = `${outer}${name} = `;
    const source = literal(value, indent, width(head));
    if (isHolder(value) || width(head + source) <= WIDTH || width(inner + source) > WIDTH) return head + source;
    return `${head}(\n${inner}${source}\n${outer})`;
}

/**
 * Return a Python string.
 * @param {string} value
 * @returns {string}
 */
export function text(value) {
    const [singles, doubles] = [value.split("'").length, value.split('"').length];
    const quote = doubles > singles ? "'" : '"';
    const escaped = value.replace(ESCAPED, (character) => SHORT.get(character) ?? escape(character.charCodeAt(0)));
    return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
}

/**
 * Return the columns that a text takes, as ruff counts them: two for an East Asian character.
 * @param {string} line
 * @returns {number}
 */
export function width(line) {
    return [...line].length + (line.match(WIDE)?.length ?? 0);
}

/**
 * Return a value with everything masked replaced.
 * @param {unknown} value
 * @param {(key: string, value: unknown) => unknown} replace Told each member; returns what is to be in its place.
 * @param {string} [key]
 * @returns {unknown}
 */
export function replaced(value, replace, key = "") {
    const other = replace(key, value);
    if (other !== value || !isHolder(value)) return other;
    if (Array.isArray(value)) return value.map((item) => replaced(item, replace, key));
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaced(item, replace, name)]));
}

/**
 * Return the object or list of a JSON text, unless it is nested deeper than Python's parser takes.
 * @param {string} text
 * @returns {object | null} Null for every other text.
 */
export function holderOf(text) {
    const value = readJson(text);
    const left = [{ value, depth: 0 }];
    for (let each = left.pop(); each !== undefined; each = left.pop()) {
        if (each.depth > DEEPEST) return null;
        const { depth } = each;
        if (isHolder(each.value)) for (const item of Object.values(each.value)) left.push({ value: item, depth: depth + 1 });
    }
    return isHolder(value) ? value : null;
}

/** @param {unknown} value */
export function isMasked(value) {
    return value === MASK;
}

/**
 * @param {unknown} value
 * @returns {value is object}
 */
export function isHolder(value) {
    return value !== null && typeof value === "object" && !(value instanceof JsonNumber) && !(value instanceof Name);
}

/** @param {unknown} value Of no members. */
function scalar(value) {
    if (value === null) return "None";
    if (typeof value === "boolean") return value ? "True" : "False";
    if (typeof value === "string") return text(value);
    return value instanceof Name ? value.text : String(value).toLowerCase();
}

/**
 * @param {unknown} value
 * @param {number} room Columns.
 * @returns {string | null} Null when it does not fit.
 */
function flatLiteral(value, room) {
    if (!isHolder(value)) {
        const source = scalar(value);
        return width(source) <= room ? source : null;
    }
    const parts = [];
    let left = room - 2;
    for (const [key, item] of Object.entries(value)) {
        const name = Array.isArray(value) ? "" : `${text(key)}: `;
        left -= width(name) + (parts.length && 2);
        const source = left < 0 ? null : flatLiteral(item, left);
        if (source === null) return null;
        left -= width(source);
        parts.push(name + source);
    }
    if (left < 0) return null;
    return Array.isArray(value) ? `[${parts.join(", ")}]` : `{${parts.join(", ")}}`;
}

/** @param {number} code */
function escape(code) {
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

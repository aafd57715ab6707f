// Writes values that `text.js` has read as JSON text, and says in words what is wrong with a text.
// @ts-check
import { JsonNumber, JsonTextError, parseJson } from "./text.js";
import { t } from "../texts.js";

/**
 * Return a value as JSON text.
 * @param {unknown} value Members that are undefined are left out.
 * @param {number} [indent] Spaces a level; 0 gives one line.
 * @returns {string}
 */
export function writeJson(value, indent = 0) {
    return written(value, indent, "");
}

/**
 * Return what is wrong with a text, in the language of the page; empty when it is JSON.
 * @param {string} text
 * @returns {string}
 */
export function jsonFault(text) {
    try {
        parseJson(text);
        return "";
    } catch (error) {
        if (!(error instanceof JsonTextError)) throw error;
        return t("replay.error", { line: error.line, column: error.column, reason: t(error.reason) });
    }
}

/**
 * @param {unknown} value
 * @param {number} indent
 * @param {string} before White space before this level.
 * @returns {string}
 */
function written(value, indent, before) {
    if (value instanceof JsonNumber) return value.source;
    if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
    const within = before + " ".repeat(indent);
    const list = Array.isArray(value);
    const members = list
        ? value.map((each) => written(each, indent, within))
        : Object.entries(value)
              .filter(([, each]) => each !== undefined)
              .map(([key, each]) => `${JSON.stringify(key)}:${indent ? " " : ""}${written(each, indent, within)}`);
    const [open, close] = list ? "[]" : "{}";
    if (members.length === 0) return `${open}${close}`;
    return indent ? `${open}\n${within}${members.join(`,\n${within}`)}\n${before}${close}` : `${open}${members.join(",")}${close}`;
}

// Every text of the console, in Chinese and English.
// @ts-check
import { COMMON } from "./texts/common.js";
import { TIMELINE } from "./texts/timeline.js";
import { ENTRY } from "./texts/entry.js";
import { ABILITIES } from "./texts/abilities.js";
import { EVENTS } from "./texts/events.js";
import { FAULTS } from "./texts/faults.js";
import { PROGRAM } from "./texts/program.js";
import { WHY } from "./texts/why.js";

/** @typedef {"en" | "zh"} Language */

/** @type {Record<string, readonly [string, string]>} Key -> English, Chinese. `{name}` is replaced by a value. */
const TABLE = { ...COMMON, ...TIMELINE, ...ENTRY, ...ABILITIES, ...EVENTS, ...FAULTS, ...PROGRAM, ...WHY };

const KEPT = "wwspec-language";

/** @returns {Language} The language that is shown: the reader's choice, or that of the browser. */
export function language() {
    const kept = localStorage.getItem(KEPT);
    if (kept === "en" || kept === "zh") return kept;
    return navigator.language.startsWith("zh") ? "zh" : "en";
}

/** @param {Language} chosen */
export function setLanguage(chosen) {
    localStorage.setItem(KEPT, chosen);
    document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
}

/**
 * Return a text that the emulator gives in both languages, such as the reason of a failure.
 * @param {readonly [string, string]} texts In English and Chinese.
 */
export function inLanguage(texts) {
    return texts[language() === "zh" ? 1 : 0];
}

/**
 * Return a text. `{count:entry|entries}` is a number with its noun.
 * @param {string} key
 * @param {Record<string, string | number>} [values] Of the names in braces.
 * @returns {string}
 */
export function t(key, values = {}) {
    const row = TABLE[key];
    if (row === undefined) throw new Error(`no text has the key ${key}`);
    return inLanguage(row).replace(/\{(\w+)(?::(.+?)\|(.+?))?\}/g, (whole, name, one, many) => {
        const value = values[name] ?? whole;
        return one === undefined ? String(value) : `${value} ${value === 1 ? one : many}`;
    });
}

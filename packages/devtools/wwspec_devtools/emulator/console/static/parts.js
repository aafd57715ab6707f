// Small parts that views are made of.
// @ts-check
import { ask, refusal } from "./api.js";
import { h, visible } from "./dom.js";
import { inLanguage, t } from "./texts.js";

/** @typedef {import("./record.js").Row} Row */

/**
 * Show a short message for some seconds.
 * @param {string} text
 * @param {"ok" | "bad"} [kind]
 */
export function say(text, kind = "ok") {
    const place = /** @type {HTMLElement} */ (document.getElementById("messages"));
    const message = h("p", { class: `message ${kind}` }, visible(text));
    place.appendChild(message);
    setTimeout(() => message.remove(), kind === "bad" ? 8000 : 3000);
}

/**
 * Return a button that copies a text.
 * @param {string | (() => string | Promise<string>)} text
 * @param {string} [label]
 * @returns {HTMLButtonElement}
 */
export function copyButton(text, label = t("copy")) {
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
            say(t("copied"));
        } catch (error) {
            say(error instanceof DOMException ? t("copy.failed") : t("failed", { reason: String(error) }), "bad");
        }
    };
    return h("button", { type: "button", class: "small", onclick: copy }, label);
}

/**
 * Return a command line that does the same as an action, to be copied.
 * @param {string} line
 * @returns {HTMLElement}
 */
export function commandLine(line) {
    return h("p", { class: "command" }, h("span", { class: "dim" }, t("command")), h("code", {}, visible(line)), copyButton(line));
}

/**
 * Return a card, and a function that does what one of its buttons says: it shows the command that does the same, and
 * why the emulator refuses it.
 * @param {string} title
 * @param {HTMLElement} list What it shows.
 * @param {string} [help] A line below it.
 * @returns {{card: HTMLElement, act: (command: string, path: string, body?: unknown) => Promise<void>}}
 */
export function actionCard(title, list, help = "") {
    const problem = h("p", { class: "problem", role: "alert" });
    const line = h("div");
    const id = `card-${Math.random().toString(36).slice(2)}`;
    const act = async (/** @type {string} */ command, /** @type {string} */ path, /** @type {unknown} */ body = undefined) => {
        line.replaceChildren(commandLine(command));
        problem.textContent = visible(await refusal(() => ask("POST", path, body)));
    };
    return { card: h("section", { class: "card wide", "aria-labelledby": id }, h("h1", { id }, title), list, problem, line, help && h("small", { class: "dim" }, help)), act };
}

/**
 * Return a text as one word of a POSIX shell.
 * @param {string} text
 * @returns {string}
 */
export function quoted(text) {
    return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Return a labelled field.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [help] A line below it.
 * @returns {HTMLElement}
 */
export function field(label, control, help = "") {
    control.id ||= `field-${Math.random().toString(36).slice(2)}`;
    return h("div", { class: "field" }, h("label", { for: control.id }, label), control, help && h("small", { class: "dim" }, help));
}

/** @type {Record<Row["verdict"], string>} */
export const VERDICT_CLASSES = { "under way": "wait", ok: "ok", failed: "bad", postponed: "warn", waiting: "wait", dropped: "bad" };

/**
 * Return the chip that says how an exchange, or an attempt of it, ended.
 * @param {{verdict: Row["verdict"], reason?: Row["reason"]}} row
 */
export function verdictChip({ verdict, reason = ["", ""] }) {
    return h("span", { class: `chip ${VERDICT_CLASSES[verdict]}`, title: visible(inLanguage(reason)) }, t(`verdict.${verdict}`));
}

/**
 * Return milliseconds as a short text.
 * @param {number | null | undefined} milliseconds
 * @returns {string}
 */
export function duration(milliseconds) {
    if (milliseconds === null || milliseconds === undefined) return "";
    if (milliseconds > 0 && milliseconds < 0.05) return "<0.1 ms";
    if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
    return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * Return a length of time as one or two units, such as `10 min` or `3 d 2 h`.
 * @param {number} seconds
 */
export function lengthOfTime(seconds) {
    /** @type {[number, "d" | "h" | "min" | "s"][]} */
    const units = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const parts = [];
    let left = seconds;
    for (const [size, unit] of units) {
        const count = unit === "s" ? Math.round(left * 1000) / 1000 : Math.floor(left / size);
        if (count > 0 && parts.length < 2) parts.push(t(`timeline.unit.${unit}`, { count }));
        left -= count * size;
    }
    return parts.join(" ") || t("timeline.unit.s", { count: 0 });
}

/**
 * Return a date with its time of day; every view writes dates like this.
 * @param {number} milliseconds Unix time.
 */
export function dateAndTime(milliseconds) {
    const date = new Date(milliseconds);
    const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(milliseconds / 1000)}`;
}

/**
 * Return a time of day, of Unix seconds.
 * @param {number} seconds
 * @returns {string}
 */
export function timeOfDay(seconds) {
    const date = new Date(seconds * 1000);
    const [hours, minutes, rest] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((each) => String(each).padStart(2, "0"));
    return `${hours}:${minutes}:${rest}`;
}

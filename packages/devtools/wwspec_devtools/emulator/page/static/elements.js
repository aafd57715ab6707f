// What the elements of a template look like once the emulator has answered for them.
// @ts-check

import { h } from "./dom.js";

/** @typedef {{ errcode: number, errmsg: string, text?: string, label?: string, words?: string[], is_titled?: boolean,
 *   is_recalled?: boolean, is_avatar?: boolean, preview?: string }} Shown */
/** @typedef {import("./dom.js").Child} Child */

const EXPIRED = 710652;
const UNKNOWN = 710601;
const WRONG_KEY = 710603;
/** @type {Record<number, string>} Instead of a message, as in a chat export [99987]. */
const WORDS = { [EXPIRED]: "消息已过期，消息内容无法展示", [UNKNOWN]: "消息已过期，消息内容无法展示", [WRONG_KEY]: "消息密钥错误" };

/**
 * Return what is shown of a message.
 * @param {Shown | undefined} shown None while it is fetched.
 * @param {string[]} listed The texts that are highlighted when the message has no words of its own to highlight.
 * @param {string} color
 * @returns {Child[]}
 */
export function messageParts(shown, listed, color) {
    if (shown === undefined) return [h("span", { class: "ww-loading" }, "…")];
    if (shown.errcode) return [failed(shown, WORDS[shown.errcode] ?? "消息获取失败")];
    if (shown.is_recalled) return [h("span", { class: "ww-label" }, shown.text)];
    const words = shown.words?.length ? shown.words : listed;
    const text = highlighted(shown.text ?? "", words, color);
    return [
        shown.label ? h("span", { class: "ww-label" }, `[${shown.label}]`) : null,
        shown.is_titled ? h("span", { class: "ww-titled" }, ...text) : h("span", {}, ...text),
    ];
}

/**
 * Return what is shown of a name or an avatar.
 * @param {Shown | undefined} shown None while it is fetched.
 * @returns {Child[]}
 */
export function nameParts(shown) {
    if (shown === undefined) return [h("span", { class: "ww-loading" }, "…")];
    if (shown.errcode) return [failed(shown, "")];
    return [shown.is_avatar ? (shown.text ?? "").slice(0, 1) : shown.text];
}

/**
 * @param {Shown} shown
 * @param {string} words
 */
function failed(shown, words) {
    return h("span", { class: "ww-failed", title: shown.errmsg }, words || `(${shown.errcode})`);
}

/**
 * @param {string} text
 * @param {string[]} words
 * @param {string} color
 * @returns {Child[]}
 */
function highlighted(text, words, color) {
    const escaped = words.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (escaped.length === 0) return [text];
    return text.split(new RegExp(`(${escaped.join("|")})`, "i")).map((part, index) => {
        if (index % 2 === 0) return part;
        const mark = h("mark", { class: "ww-highlight" }, part);
        if (color) mark.style.color = color;
        return mark;
    });
}

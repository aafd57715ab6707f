// Reads a template, which has the syntax of WXML, and checks that it has only elements of the chat component [100076].
// @ts-check

import { interpolated } from "./expression.js";

/** @typedef {import("./expression.js").Expression} Expression */

/**
 * @typedef {object} ElementNode
 * @property {string} tag
 * @property {Map<string, Expression>} attributes
 * @property {Map<string, string>} listeners Type of event -> method.
 * @property {string} catches The types of events that go no further, each with a blank before and behind it.
 * @property {Node[]} children
 */
/** @typedef {ElementNode | { text: Expression }} Node */

export const MODELLED = ["block", "view", "scroll-view", "span", "image", "checkbox", "ww-open-data", "ww-open-message"];
export const NOT_MODELLED = [
    "ww-open-button",
    "ww-open-result-link",
    "ww-open-result-text",
    "ww-suspense",
    "ww-open-data-export-button",
    "ww-media-preview-group",
];

const PART = /<!--[^]*?-->|<\/([\w-]+)\s*>|<([\w-]+)((?:\s+[\w:.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*)\s*(\/?)>|[^<]+|</y;
const ATTRIBUTE = /([\w:.-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?/g;
const EVENT = /^(bind|catch):?([a-z]+)$/;

/**
 * Return the nodes of a template.
 * @param {string} text
 * @returns {Node[]}
 */
export function parse(text) {
    /** @type {ElementNode} */
    const root = { tag: "", attributes: new Map(), listeners: new Map(), catches: "", children: [] };
    const open = [root];
    PART.lastIndex = 0;
    while (PART.lastIndex < text.length) {
        const start = PART.lastIndex;
        const [part = "", closed, opened, attributes = "", isEmpty] = PART.exec(text) ?? [];
        const inner = open[open.length - 1] ?? root;
        if (closed !== undefined) {
            if (inner.tag !== closed) throw failure(text, start, `</${closed}> closes ${inner.tag ? `<${inner.tag}>` : "nothing"}`);
            open.pop();
        } else if (opened !== undefined) {
            const element = readElement(opened, attributes, (what) => failure(text, start, what));
            inner.children.push(element);
            if (!isEmpty) open.push(element);
        } else if (part === "<") throw failure(text, start, `${text.slice(start, start + 20).trim()} is not an element`);
        else if (part.trim() && !part.startsWith("<!--")) inner.children.push({ text: interpolated(part) });
    }
    const left = open.pop();
    if (left && left !== root) throw failure(text, text.length, `<${left.tag}> is not closed`);
    return root.children;
}

/**
 * @param {string} tag
 * @param {string} attributes
 * @param {(what: string) => Error} failed
 * @returns {ElementNode}
 */
function readElement(tag, attributes, failed) {
    if (NOT_MODELLED.includes(tag)) throw failed(`the emulator does not model <${tag}>`);
    if (!MODELLED.includes(tag)) throw failed(`<${tag}> is none of ${[...MODELLED, ...NOT_MODELLED].join(", ")}`);
    /** @type {ElementNode} */
    const element = { tag, attributes: new Map(), listeners: new Map(), catches: " ", children: [] };
    for (const [, name = "", double, single] of attributes.matchAll(ATTRIBUTE)) {
        const [, kind, type = ""] = EVENT.exec(name) ?? [];
        const value = double ?? single;
        if (kind === undefined) element.attributes.set(name, value === undefined ? () => true : interpolated(value));
        else element.listeners.set(type === "tap" ? "click" : type, value ?? "");
        if (kind === "catch") element.catches += `${type === "tap" ? "click" : type} `;
    }
    return element;
}

/**
 * @param {string} text
 * @param {number} at
 * @param {string} what
 */
function failure(text, at, what) {
    return new SyntaxError(`template, line ${text.slice(0, at).split("\n").length}: ${what}`);
}

// Builds elements. Text goes in as text, never as markup, wherever it comes from.
// @ts-check

/**
 * @typedef {Node | string | number | null | undefined | false} Child What an element can hold; nothing for the last three.
 * @typedef {Record<string, unknown>} Attributes `on...` are listeners, `class`, `aria-...`, `data-...` and others are
 *   attributes; false, null and undefined leave one out; true sets it empty.
 */

/**
 * Return a new element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on") && typeof value === "function") {
            element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
        } else if (name === "value" && "value" in element) {
            Reflect.set(element, "value", String(value ?? ""));
        } else if (value === true) {
            element.setAttribute(name, "");
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, String(value));
        }
    }
    append(element, children);
    return element;
}

/**
 * Put children at the end of an element.
 * @param {Node} parent
 * @param {(Child | Child[])[]} children
 */
export function append(parent, children) {
    for (const child of children.flat()) {
        if (child instanceof Node) parent.appendChild(child);
        else if (child !== null && child !== undefined && child !== false) parent.appendChild(new Text(String(child)));
    }
}

/**
 * Replace what an element holds.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
    parent.replaceChildren();
    append(parent, children);
}

const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/**
 * Return a text with its invisible characters, such as right-to-left marks, written as escapes.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
    return text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Set an attribute, unless it has the value: setting it again costs as much as a change.
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Return a text of the source, with what is between backquotes as code.
 * @param {string} text
 * @returns {Child[]}
 */
export function docText(text) {
    return text.split("`").map((part, index) => (index % 2 ? h("code", {}, visible(part)) : visible(part)));
}

/**
 * Return a function that runs another one at most once a frame, with the latest arguments.
 * @template {unknown[]} Args
 * @param {(...args: Args) => void} run
 * @returns {(...args: Args) => void}
 */
export function everyFrame(run) {
    /** @type {Args | null} */
    let waiting = null;
    return (...args) => {
        if (waiting === null) {
            requestAnimationFrame(() => {
                const latest = waiting;
                waiting = null;
                if (latest !== null) run(...latest);
            });
        }
        waiting = args;
    };
}

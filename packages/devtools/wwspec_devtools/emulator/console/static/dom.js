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
            listen(element, name.slice(2), /** @type {EventListener} */ (value));
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

/**
 * Let an element hold such children. Those that are there are changed rather than made anew, so that the focus, what is
 * typed, what is open and where a list is scrolled to stay. For children that no variable names: others may be dropped.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function update(parent, ...children) {
    const fresh = new DocumentFragment();
    append(fresh, children);
    renewChildren(parent, fresh);
}

/** @type {WeakMap<Element, Record<string, EventListener>>} Element -> its listeners by `h`. */
const listeners = new WeakMap();

/** @param {Event} event */
function dispatch(event) {
    const element = /** @type {Element} */ (event.currentTarget);
    return listeners.get(element)?.[event.type]?.call(element, event);
}

/**
 * Let an element have one listener for a type of event, which `update` can replace.
 * @param {Element} element
 * @param {string} type
 * @param {EventListener} listener
 */
function listen(element, type, listener) {
    element.addEventListener(type, dispatch); // a second time changes nothing
    listeners.set(element, { ...listeners.get(element), [type]: listener });
}

/**
 * @param {Node} parent
 * @param {Node} fresh
 */
function renewChildren(parent, fresh) {
    const wantedNodes = [...fresh.childNodes];
    for (const [index, wanted] of wantedNodes.entries()) {
        const there = parent.childNodes[index];
        if (there === undefined) parent.appendChild(wanted);
        else if (!isAlike(there, wanted)) parent.replaceChild(wanted, there);
        else if (there instanceof Element && wanted instanceof Element) renew(there, wanted);
        else if (there.nodeValue !== wanted.nodeValue) there.nodeValue = wanted.nodeValue;
    }
    while (parent.childNodes.length > wantedNodes.length) parent.lastChild?.remove();
}

/**
 * Tell whether a node can be changed into another one. A custom element keeps more than its attributes.
 * @param {Node} there
 * @param {Node} wanted
 */
function isAlike(there, wanted) {
    return there.nodeName === wanted.nodeName && !there.nodeName.includes("-");
}

/**
 * @param {Element} there
 * @param {Element} wanted
 */
function renew(there, wanted) {
    for (const { name } of [...there.attributes]) if (!wanted.hasAttribute(name) && name !== "open") there.removeAttribute(name);
    for (const { name, value } of wanted.attributes) {
        if (name !== "style") setAttribute(there, name, value);
        else if (there instanceof HTMLElement || there instanceof SVGElement) there.style.cssText = value; // the page's policy refuses the attribute
    }
    const before = listeners.get(there) ?? {};
    const now = listeners.get(wanted) ?? {};
    for (const type of Object.keys(now)) if (!(type in before)) there.addEventListener(type, dispatch);
    listeners.set(there, now);
    renewChildren(there, wanted);
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

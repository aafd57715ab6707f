// A JSON value as a tree that opens by clicks and keys. Only what is open is in the page, so depth and size do no harm.
// @ts-check
import { h, visible } from "../dom.js";
import { heldValue, JsonNumber } from "./text.js";
import { t } from "../texts.js";

const FIRST_ROWS = 100; // members shown of an object or list at first
const FIRST_CHARACTERS = 2000; // of a long text
const OPEN_DEPTH = 3; // levels that are open at first
const OPEN_MEMBERS = 40; // larger objects are closed at first

/**
 * `<json-tree>`: set `value`; `marks` are paths to highlight, such as `$.msg_list[0].msgtime`, each with its text. A
 * string that holds an object or a list is opened as one; a path goes on in it behind `()`: `$.request_data().limit`.
 */
export class JsonTree extends HTMLElement {
    /** @type {unknown} */
    #value = undefined;
    /** @type {ReadonlyMap<string, string>} */
    #marks = new Map();
    /** Levels that are open at first, besides those on the way to a mark. To be set before `value`. */
    openDepth = OPEN_DEPTH;

    /** The value that is shown. */
    get value() {
        return this.#value;
    }

    set value(value) {
        this.#value = value;
        this.#show();
    }

    /** Path -> what is wrong there. */
    get marks() {
        return this.#marks;
    }

    set marks(marks) {
        this.#marks = marks;
        this.#show();
    }

    connectedCallback() {
        this.#show();
    }

    #show() {
        if (this.isConnected) this.replaceChildren(this.#node("", this.#value, "$", 0));
    }

    /**
     * @param {string} name
     * @param {unknown} value
     * @param {string} path
     * @param {number} depth
     * @returns {HTMLElement}
     */
    #node(name, value, path, depth) {
        const held = depth > 0 ? heldValue(value) : undefined;
        if (held !== undefined) [value, path] = [held, `${path}()`];
        const label = name === "" ? null : h("span", { class: "key" }, visible(name), ": ");
        const mark = this.#marks.get(path);
        const badge = mark === undefined ? null : h("span", { class: "mark" }, mark);
        if (value === null || typeof value !== "object" || value instanceof JsonNumber) {
            return h("div", { class: mark === undefined ? "leaf" : "leaf marked", "data-path": path }, label, leaf(value), badge);
        }
        const members = Array.isArray(value) ? value.length : Object.keys(value).length;
        const summary = Array.isArray(value) ? `[${members}]` : `{${members}}`;
        const body = h("div", { class: "members" });
        const details = h(
            "details",
            { class: mark === undefined ? "" : "marked", "data-path": path },
            h("summary", {}, label, h("span", { class: "count" }, summary), held !== undefined && h("span", { class: "held" }, t("tree.text")), badge),
            body,
        );
        const open = () => {
            if (details.open && body.childNodes.length === 0) this.#more(body, value, path, depth, 0);
        };
        details.addEventListener("toggle", open);
        if ((depth < this.openDepth && members <= OPEN_MEMBERS) || depth === 0 || this.#isOnWay(path)) {
            details.open = true;
            open();
        }
        return details;
    }

    /**
     * Tell whether a highlighted place is below a path.
     * @param {string} path
     * @returns {boolean}
     */
    #isOnWay(path) {
        const ends = new Set([".", "[", "("]);
        return [...this.#marks.keys()].some((mark) => mark.startsWith(path) && ends.has(mark.charAt(path.length)));
    }

    /**
     * Show the next members of an object or list.
     * @param {HTMLElement} body
     * @param {object} value
     * @param {string} path
     * @param {number} depth
     * @param {number} from
     */
    #more(body, value, path, depth, from) {
        const list = Array.isArray(value);
        const keys = list ? [...value.keys()].map(String) : Object.keys(value);
        for (const key of keys.slice(from, from + FIRST_ROWS)) {
            body.appendChild(this.#node(key, Reflect.get(value, key), list ? `${path}[${key}]` : `${path}.${key}`, depth + 1));
        }
        const left = keys.length - from - FIRST_ROWS;
        if (left > 0) {
            const more = h("button", { type: "button", class: "link" }, t("tree.more", { count: left }));
            more.addEventListener("click", () => {
                more.remove();
                this.#more(body, value, path, depth, from + FIRST_ROWS);
            });
            body.appendChild(more);
        }
    }
}

/**
 * Return the element of a value that has no members.
 * @param {unknown} value
 * @returns {HTMLElement}
 */
function leaf(value) {
    if (typeof value !== "string") return h("span", { class: "value" }, String(value));
    const text = JSON.stringify(value);
    const shown = h("span", { class: "value string", dir: "ltr" }, visible(text.slice(0, FIRST_CHARACTERS)));
    if (text.length <= FIRST_CHARACTERS) return shown;
    const all = h("button", { type: "button", class: "link" }, t("tree.all"));
    all.addEventListener("click", () => {
        shown.textContent = visible(text);
        all.remove();
    });
    return h("span", {}, shown, " ", h("span", { class: "dim" }, t("tree.characters", { count: value.length })), " ", all);
}

customElements.define("json-tree", JsonTree);

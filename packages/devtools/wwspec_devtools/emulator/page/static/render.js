// Turns the nodes of a template and its data into elements.
// @ts-check

import { h } from "./dom.js";
import { messageParts, nameParts } from "./elements.js";
import { shown } from "./expression.js";

/** @typedef {import("./template.js").Node} Node */
/** @typedef {import("./template.js").ElementNode} ElementNode */
/** @typedef {import("./expression.js").Scope} Scope */
/** @typedef {import("./elements.js").Shown} Shown */
/** @typedef {import("./dom.js").Child} Child */
/** @typedef {"messages" | "names"} Kind */
/** @typedef {{ kind: Kind, asked: Record<string, string>, onError: ((error: object) => void)[] }} Wanted */
/** @typedef {{ type: string, detail: object, currentTarget: object, target: object, timeStamp: number }} FrameEvent */

const AS_THEY_ARE = ["class", "id"];
const SCROLL_CLASSES = { "scroll-x": "ww-scroll-x", "scroll-y": "ww-scroll-y" };
const EDGE = 50;

export class Renderer {
    /**
     * @param {Node[]} nodes
     * @param {(method: string, event: FrameEvent) => void} call Calls a method of the page.
     * @param {(preview: string) => void} open Opens the preview of a message.
     */
    constructor(nodes, call, open) {
        this.nodes = nodes;
        this.call = call;
        this.open = open;
        /** @type {Map<string, Shown>} What is known of messages and names, by `idOf`. */
        this.known = new Map();
        /** @type {Map<string, Wanted>} What the elements of the latest rendering show, by `idOf`. */
        this.wanted = new Map();
    }

    /**
     * Return the elements for these data.
     * @param {Record<string, any>} data
     * @returns {Child[]}
     */
    render(data) {
        this.wanted = new Map();
        return this.#list(this.nodes, { data });
    }

    /**
     * @param {Node[]} nodes
     * @param {Scope} scope
     * @returns {Child[]}
     */
    #list(nodes, scope) {
        /** @type {Child[]} */
        const result = [];
        let isChosen = false; // by a `wx:if` or `wx:elif` before
        for (const node of nodes) {
            if ("text" in node) {
                result.push(shown(node.text(scope)));
                continue;
            }
            const { attributes } = node;
            const [first, next, last] = ["wx:if", "wx:elif", "wx:else"].map((name) => attributes.get(name));
            if (first) isChosen = Boolean(first(scope));
            else if ((next || last) && isChosen) continue;
            else if (next) isChosen = Boolean(next(scope));
            if ((first || next) && !isChosen) continue;
            result.push(...this.#repeated(node, scope));
        }
        return result;
    }

    /**
     * @param {ElementNode} node
     * @param {Scope} scope
     * @returns {Child[]}
     */
    #repeated(node, scope) {
        const listed = node.attributes.get("wx:for")?.(scope);
        if (!node.attributes.has("wx:for")) return this.#element(node, scope);
        const [item, index] = ["item", "index"].map((name) => shown(node.attributes.get(`wx:for-${name}`)?.(scope)) || name);
        const entries = typeof listed === "number" ? Array.from({ length: listed }, (_, number) => [number, number]) : Object.entries(listed ?? {});
        return entries.flatMap(([key, value]) => {
            const place = Array.isArray(listed) ? Number(key) : key;
            return this.#element(node, { ...scope, [item ?? ""]: value, [index ?? ""]: place });
        });
    }

    /**
     * @param {ElementNode} node
     * @param {Scope} scope
     * @returns {Child[]}
     */
    #element(node, scope) {
        if (node.tag === "block") return this.#list(node.children, scope);
        const values = new Map([...node.attributes].map(([name, value]) => [name, value(scope)]));
        const attributes = this.#common(node, values);
        const inner = () => this.#list(node.children, scope);
        switch (node.tag) {
            case "image":
                return [h("img", { ...attributes, src: shown(values.get("src")), alt: shown(values.get("alt")) })];
            case "checkbox":
                return [h("input", { ...attributes, type: "checkbox", ...flags(values, "checked", "disabled"), value: shown(values.get("value")) })];
            case "scroll-view":
                return [this.#scrollView(node, values, attributes, inner())];
            case "ww-open-message":
                return [this.#message(node, values, attributes)];
            case "ww-open-data":
                return [this.#name(node, values, attributes)];
            default:
                return [h(/** @type {"span"} */ (node.tag), attributes, ...inner())];
        }
    }

    /**
     * @param {ElementNode} node
     * @param {Map<string, any>} values
     * @returns {Record<string, any>}
     */
    #common(node, values) {
        /** @type {Record<string, any>} */
        const attributes = {};
        for (const [name, value] of values) {
            if (AS_THEY_ARE.includes(name)) attributes[name] = shown(value);
            else if (name.startsWith("data-")) attributes[name] = typeof value === "object" ? JSON.stringify(value) : shown(value);
            else if (name === "ref") attributes["data-ww-ref"] = shown(value);
        }
        for (const type of node.listeners.keys()) {
            attributes[`on${type}`] = (/** @type {Event} */ event) => {
                if (node.catches.includes(` ${type} `)) event.stopPropagation();
                this.#tell(node, values, type, event.target instanceof HTMLInputElement ? { value: event.target.value, checked: event.target.checked } : {});
            };
        }
        return attributes;
    }

    /**
     * @param {ElementNode} node
     * @param {Map<string, any>} values
     * @param {string} type
     * @param {object} detail
     */
    #tell(node, values, type, detail) {
        const method = node.listeners.get(type);
        if (!method) return;
        const dataset = Object.fromEntries([...values].filter(([name]) => name.startsWith("data-")).map(([name, value]) => [camel(name.slice(5)), value]));
        this.call(method, { type, detail, currentTarget: { dataset }, target: { dataset }, timeStamp: performance.now() });
    }

    /**
     * @param {ElementNode} node
     * @param {Map<string, any>} values
     * @param {Record<string, any>} attributes
     * @param {Child[]} children
     */
    #scrollView(node, values, attributes, children) {
        const classes = Object.entries(SCROLL_CLASSES).filter(([name]) => values.get(name) && values.get(name) !== "false");
        const upper = Number(values.get("upper-threshold") ?? EDGE);
        const lower = Number(values.get("lower-threshold") ?? EDGE);
        return h(
            "div",
            {
                ...attributes,
                class: ["ww-scroll-view", ...classes.map(([, name]) => name), attributes["class"] ?? ""].join(" "),
                "data-ww-top": values.has("scroll-top") ? shown(values.get("scroll-top")) : null,
                "data-ww-left": values.has("scroll-left") ? shown(values.get("scroll-left")) : null,
                "data-ww-smooth": values.get("scroll-with-animation") ? true : null,
                onscroll: (/** @type {Event} */ event) => {
                    const { scrollTop, scrollLeft, scrollHeight, scrollWidth, clientHeight, clientWidth } = /** @type {Element} */ (event.currentTarget);
                    this.#tell(node, values, "scroll", { scrollTop, scrollLeft, scrollHeight, scrollWidth });
                    if (scrollTop <= upper && scrollLeft <= upper) this.#tell(node, values, "scrolltoupper", {});
                    const left = Math.max(scrollHeight - scrollTop - clientHeight, scrollWidth - scrollLeft - clientWidth);
                    if (left <= lower) this.#tell(node, values, "scrolltolower", {});
                },
            },
            ...children,
        );
    }

    /**
     * @param {ElementNode} node
     * @param {Map<string, any>} values
     * @param {Record<string, any>} attributes
     */
    #message(node, values, attributes) {
        const highlight = shown(values.get("highlight-text"));
        const asked = { msgid: shown(values.get("message-id")), secret_key: shown(values.get("secret-key")), highlight };
        const answer = this.#wanted("messages", asked, node, values);
        const opens = values.get("open-type") === "viewMessage" && answer?.preview;
        const isText = values.get("display-type") === "text";
        const classes = ["ww-open-message", isText ? "" : "ww-normal", opens ? "ww-can-open" : "", attributes["class"] ?? ""];
        const click = attributes["onclick"];
        const onclick = (/** @type {Event} */ event) => {
            click?.(event);
            if (opens && answer?.preview) this.open(answer.preview);
        };
        const listed = values.get("static-highlight-text-list");
        const parts = messageParts(answer, Array.isArray(listed) ? listed.map(shown) : [], shown(values.get("highlight-color")));
        return h("span", { ...attributes, class: classes.filter(Boolean).join(" "), onclick }, ...parts);
    }

    /**
     * @param {ElementNode} node
     * @param {Map<string, any>} values
     * @param {Record<string, any>} attributes
     */
    #name(node, values, attributes) {
        const asked = { type: shown(values.get("type")), openid: shown(values.get("openid")) };
        const answer = this.#wanted("names", asked, node, values);
        const classes = ["ww-open-data", answer?.is_avatar ? "ww-avatar" : "", attributes["class"] ?? ""];
        return h("span", { ...attributes, class: classes.filter(Boolean).join(" ") }, ...nameParts(answer));
    }

    /**
     * @param {Kind} kind
     * @param {Record<string, string>} asked
     * @param {ElementNode} node
     * @param {Map<string, any>} values
     */
    #wanted(kind, asked, node, values) {
        const id = JSON.stringify([kind, asked]);
        const wanted = this.wanted.get(id) ?? { kind, asked, onError: [] };
        wanted.onError.push((error) => this.#tell(node, values, "error", error));
        this.wanted.set(id, wanted);
        return this.known.get(id);
    }
}

/**
 * @param {Map<string, any>} values
 * @param {...string} names
 */
function flags(values, ...names) {
    return Object.fromEntries(names.map((name) => [name, Boolean(values.get(name)) && values.get(name) !== "false"]));
}

/** @param {string} name */
function camel(name) {
    return name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

// A form made from a JSON Schema: fields with their types, bounds and docs, lists, nested objects, and one of several.
// @ts-check
import { docText, fill, h, visible } from "../dom.js";
import { problemLine, scalarPart } from "./field.js";
import { fitsSchema, limitsOf, problemOf, resolved } from "./schema.js";
import { t } from "../texts.js";

/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./field.js").Form} Form */
/** @typedef {import("./field.js").Part} Part */

/**
 * Return the form of a schema.
 * @param {Schema} root
 * @param {() => void} changed Called after each input.
 * @param {(name: string) => string} [suggestions] Id of the datalist for a field of this name; empty for none.
 */
export function schemaForm(root, changed, suggestions = () => "") {
    const top = part({ root, changed, suggestions }, root, "", true);
    top.element.classList.add("schema-form");
    return {
        element: top.element,
        get: top.get,
        set: top.set,
        clear: top.clear,
        /**
         * Show what is wrong at a path such as `$.rules[0].name`, as near as the form has it.
         * @param {string} path
         * @param {string} text
         */
        mark: (path, text) => top.mark(path.match(/[^$.[\]]+/g) ?? [], text),
    };
}

/**
 * @param {Form} form
 * @param {Schema} schema
 * @param {string} name Key or index; empty for the whole.
 * @param {boolean} required
 * @returns {Part}
 */
function part(form, schema, name, required) {
    const whole = resolved(schema, form.root);
    if (whole.anyOf) return choicePart(form, whole, name, required);
    if (whole.type === "object" && whole.properties) return objectPart(form, whole, name, required);
    if (whole.type === "array") return listPart(form, whole, name, required);
    return scalarPart(form, whole, name, required);
}

/**
 * Return the head of a place that holds others: its name, and a button to put it in or leave it out.
 * @param {Schema} schema
 * @param {string} name
 * @param {boolean} required
 */
function headOf(schema, name, required) {
    const isList = schema.type === "array"; // a list is left out by having no elements
    const toggle = required || isList ? null : h("button", { type: "button", class: "small" });
    const star = required && h("span", { class: "required", title: t("form.required") }, " *");
    const title = h("span", { class: "name" }, visible(name), star, isList && h("span", { class: "limits" }, ` ${limitsOf(schema)}`));
    const legend = name ? h("legend", {}, title, toggle) : null;
    const doc = schema.description && h("small", { class: "dim" }, docText(schema.description));
    return { toggle, legend, doc };
}

/**
 * @param {Form} form
 * @param {Schema} schema
 * @param {string} name
 * @param {boolean} required
 * @returns {Part}
 */
function objectPart(form, schema, name, required) {
    const { line, show } = problemLine();
    const { toggle, legend, doc } = headOf(schema, name, required);
    const body = h("div", { class: "members" });
    /** @type {Map<string, Part> | null} null while it is left out. */
    let members = null;
    /** @type {{value: unknown} | null} A value that is no object. */
    let odd = null;
    /** @type {Record<string, unknown>} Keys that the contract does not have. */
    let extras = {};
    const showExtras = () => {
        const keys = schema.additionalProperties === false ? Object.keys(extras).join(", ") : "";
        show(odd ? problemOf(schema, odd.value) : keys && t("problem.keys", { keys }));
    };
    const build = (/** @type {Record<string, unknown> | undefined} */ value) => {
        members = value === undefined ? null : new Map();
        for (const [key, each] of Object.entries(members ? schema.properties : {})) {
            const member = part(form, each, key, (schema.required ?? []).includes(key));
            if (value?.[key] !== undefined) member.set(value[key]);
            members?.set(key, member);
        }
        extras = Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => !(key in schema.properties)));
        fill(body, members ? [...members.values()].map((each) => each.element) : []);
        if (toggle) {
            fill(toggle, members ? t("form.remove") : t("form.add"));
            toggle.setAttribute("aria-label", t(members ? "form.remove.label" : "form.add.label", { name }));
        }
        showExtras();
    };
    toggle?.addEventListener("click", () => {
        odd = null;
        build(members ? undefined : {});
        form.changed();
    });
    build(required ? {} : undefined);
    return {
        element: h(name ? "fieldset" : "div", { class: "group" }, legend, doc, line, body),
        get() {
            if (odd) return odd.value;
            if (members === null) return undefined;
            return { ...Object.fromEntries([...members].map(([key, each]) => [key, each.get()]).filter(([, value]) => value !== undefined)), ...extras };
        },
        set(value) {
            const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
            odd = isObject || value === undefined ? null : { value };
            build(isObject ? /** @type {Record<string, unknown>} */ (value) : required ? {} : undefined);
        },
        mark(steps, text) {
            const [first = "", ...rest] = steps;
            const member = members?.get(first);
            if (member) member.mark(rest, text);
            else show(steps.length ? `${steps.join(".")}: ${text}` : text);
        },
        clear() {
            showExtras();
            for (const each of members?.values() ?? []) each.clear();
        },
    };
}

/**
 * @param {Form} form
 * @param {Schema} schema
 * @param {string} name
 * @param {boolean} required
 * @returns {Part}
 */
function listPart(form, schema, name, required) {
    const { line, show } = problemLine();
    const { legend, doc } = headOf(schema, name, required);
    const body = h("ol", { class: "items" });
    /** @type {Part[]} */
    let items = [];
    let present = required;
    /** @type {{value: unknown} | null} */
    let odd = null;
    const get = () => (odd ? odd.value : items.length || present ? items.map((each) => each.get() ?? null) : undefined);
    const draw = () => {
        fill(body, items.map((item, index) => h("li", {}, item.element, removeButton(item, index))));
        show(problemOf(schema, get() ?? []));
    };
    const removeButton = (/** @type {Part} */ item, /** @type {number} */ index) => {
        const remove = () => {
            items = items.filter((each) => each !== item);
            present = required;
            draw();
            form.changed();
            add.focus();
        };
        return h("button", { type: "button", class: "small", "aria-label": t("form.remove.label", { name: `${name} ${index + 1}` }), onclick: remove }, "×");
    };
    const put = (/** @type {unknown} */ value) => {
        const item = part(form, schema.items || schema.prefixItems?.[0] || {}, String(items.length + 1), true);
        if (value !== undefined) item.set(value);
        items.push(item);
    };
    const add = h("button", { type: "button", class: "small", "aria-label": t("form.add.label", { name }) }, t("form.add.item"));
    add.addEventListener("click", () => {
        odd = null;
        put(undefined);
        draw();
        form.changed();
        /** @type {HTMLElement | null} */ (body.lastElementChild?.querySelector("input, select, textarea, button"))?.focus();
    });
    show("");
    return {
        element: h(name ? "fieldset" : "div", { class: "group" }, legend, doc, body, line, add),
        get,
        set(value) {
            items = [];
            odd = Array.isArray(value) || value === undefined ? null : { value };
            present = required || Array.isArray(value);
            for (const each of Array.isArray(value) ? value : []) put(each);
            draw();
        },
        mark(steps, text) {
            const [first = "", ...rest] = steps;
            const item = items[Number(first)];
            if (steps.length && item) item.mark(rest, text);
            else show(text);
        },
        clear() {
            draw();
            for (const each of items) each.clear();
        },
    };
}

/**
 * @param {Form} form
 * @param {Schema} schema
 * @param {string} name
 * @param {boolean} required
 * @returns {Part}
 */
function choicePart(form, schema, name, required) {
    /** @type {Schema[]} */
    const variants = schema.anyOf;
    const body = h("div");
    const chooser = h("select", { "aria-label": name || t("form.variant") }, variants.map((each, index) => h("option", { value: String(index) }, variantName(form, each, index))));
    /** @type {Part} */
    let chosen;
    const choose = (/** @type {number} */ index) => {
        chooser.value = String(index);
        chosen = part(form, variants[index] ?? {}, name, required);
        fill(body, chosen.element);
    };
    chooser.addEventListener("input", () => {
        choose(Number(chooser.value));
        form.changed();
    });
    choose(0);
    return {
        element: h("div", { class: "choice" }, h("div", { class: "field" }, chooser), body),
        get: () => chosen.get(),
        set(value) {
            const fitting = variants.findIndex((each) => fitsSchema(each, value, form.root));
            if (fitting >= 0 && String(fitting) !== chooser.value) choose(fitting);
            chosen.set(value);
        },
        mark: (steps, text) => chosen.mark(steps, text),
        clear: () => chosen.clear(),
    };
}

/**
 * @param {Form} form
 * @param {Schema} schema
 * @param {number} index
 */
function variantName(form, schema, index) {
    const whole = resolved(schema, form.root);
    return visible(String(whole.title ?? whole.type ?? index + 1));
}

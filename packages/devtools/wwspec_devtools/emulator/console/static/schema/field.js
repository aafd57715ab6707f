// One field of a form made from a JSON Schema: text, number, choice, or any JSON.
// @ts-check
import { docText, fill, h, visible } from "../dom.js";
import { readJson } from "../json/text.js";
import { writeJson } from "../json/write.js";
import { limitsOf, problemOf } from "./schema.js";
import { t } from "../texts.js";

/** @typedef {import("./schema.js").Schema} Schema */
/**
 * @typedef {object} Part One place of the value.
 * @property {HTMLElement} element
 * @property {() => unknown} get What it holds; undefined when it is left out.
 * @property {(value: unknown) => void} set
 * @property {(steps: string[], text: string) => void} mark Show what is wrong at a place below.
 * @property {() => void} clear Take such marks away.
 *
 * @typedef {object} Form
 * @property {Schema} root
 * @property {() => void} changed Called after each input.
 * @property {(name: string) => string} suggestions Id of the datalist for a field of this name; empty for none.
 */

/** @returns {{line: HTMLElement, show: (text: string) => void}} Where it says what is wrong. */
export function problemLine() {
    const line = h("p", { class: "problem", id: `problem-${crypto.randomUUID()}` });
    return {
        line,
        show(text) {
            line.textContent = visible(text);
            line.hidden = text === "";
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
export function scalarPart(form, schema, name, required) {
    const { line, show } = problemLine();
    const control = controlOf(form, schema, name, required);
    control.id = `field-${crypto.randomUUID()}`;
    const limits = h("span", { class: "limits", id: `limits-${control.id}` }, limitsOf(schema));
    control.setAttribute("aria-describedby", `${limits.id} ${line.id}`);
    /** @type {{value: unknown} | null} What it was set to, until it is edited: that may be more than a control shows. */
    let held = null;
    const get = () => (held ? held.value : read(schema, control, required));
    const report = (/** @type {string} */ text) => {
        show(text);
        control.setAttribute("aria-invalid", String(text !== ""));
    };
    const doc = h("small", { class: "dim" });
    const check = () => {
        const value = get();
        const ofValue = schema.enumDescriptions?.[schema.enum.indexOf(value)];
        fill(doc, docText([schema.description, ofValue && `${value}: ${ofValue}`].filter(Boolean).join(" ")));
        report(value !== undefined ? problemOf(schema, value) : required ? t("problem.required") : "");
    };
    control.addEventListener("input", () => {
        held = null;
        check();
        form.changed();
    });
    check();
    report("");
    const star = required && h("span", { class: "required", title: t("form.required") }, " *");
    const label = name && h("div", { class: "label" }, h("label", { for: control.id }, visible(name)), star, " ", limits);
    control.setAttribute("aria-required", String(required));
    return {
        element: h("div", { class: "field" }, label, control, line, doc),
        get,
        set(value) {
            held = value === undefined ? null : { value };
            write(control, value, required);
            check();
            if (value === undefined) report("");
        },
        mark: (_, text) => report(text),
        clear: () => report(""),
    };
}

/**
 * @param {Form} form
 * @param {Schema} schema
 * @param {string} name
 * @param {boolean} required
 * @returns {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement}
 */
function controlOf(form, schema, name, required) {
    const names = name ? {} : { "aria-label": t("form.value") };
    const options = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
    if (options) {
        const shown = options.map((/** @type {unknown} */ each, /** @type {number} */ index) => {
            const called = schema.enumNames?.[index];
            return h("option", { value: JSON.stringify(each) }, visible(called ? `${String(each)} · ${called}` : String(each)));
        });
        return h("select", names, required ? null : h("option", { value: "" }, t("form.left.out")), shown);
    }
    if (schema.type === undefined || schema.type === "object") return h("textarea", { ...names, rows: 2, spellcheck: "false", placeholder: "JSON" });
    const isNumber = schema.type === "integer" || schema.type === "number";
    return h("input", { ...names, spellcheck: "false", autocomplete: "off", inputmode: isNumber && "decimal", list: form.suggestions(name) || false });
}

/**
 * @param {Schema} schema
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 * @param {boolean} required
 * @returns {unknown}
 */
function read(schema, control, required) {
    const text = control.value;
    if (text === "") return required && schema.type === "string" ? "" : undefined;
    if (schema.type === "string" && !schema.enum) return text;
    if (control instanceof HTMLInputElement && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return text;
    return readJson(text) ?? text;
}

/**
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 * @param {unknown} value
 * @param {boolean} required
 */
function write(control, value, required) {
    const text = value === undefined ? "" : control instanceof HTMLInputElement && typeof value === "string" ? value : writeJson(value);
    if (control instanceof HTMLSelectElement) {
        control.querySelector("[data-odd]")?.remove();
        if (text && ![...control.options].some((each) => each.value === text)) control.append(h("option", { value: text, "data-odd": true }, visible(text)));
        if (text === "" && required) {
            control.selectedIndex = 0;
            return;
        }
    }
    control.value = text;
}

// JSON Schemas as contracts have them: what a value may be, and what is wrong with one.
// @ts-check
import { JsonNumber } from "../json/text.js";
import { t } from "../texts.js";

/** @typedef {Record<string, any>} Schema */

/**
 * Return a schema with its reference replaced by what it names.
 * @param {Schema} schema
 * @param {Schema} root Holds `$defs`.
 * @returns {Schema}
 */
export function resolved(schema, root) {
    let found = schema;
    while (typeof found.$ref === "string") {
        const { $ref, ...own } = found;
        found = { ...root.$defs?.[$ref.replace("#/$defs/", "")], ...own };
    }
    return found;
}

/**
 * Return the schema that a console example stands for: its keys may be left out, its numbers may have a fraction.
 * @param {any} example
 * @returns {Schema}
 */
export function schemaOfExample(example) {
    if (Array.isArray(example)) {
        const objects = example.filter((each) => each !== null && typeof each === "object" && !Array.isArray(each));
        const item = objects.length === example.length && example.length > 1 ? Object.assign({}, ...objects) : example[0];
        return example.length ? { type: "array", items: schemaOfExample(item) } : { type: "array", items: {} };
    }
    if (example instanceof JsonNumber) return { type: "number" };
    if (example !== null && typeof example === "object") {
        const properties = Object.fromEntries(Object.entries(example).map(([name, each]) => [name, schemaOfExample(each)]));
        return { type: "object", properties, required: [], additionalProperties: false };
    }
    return example === null ? {} : { type: typeof example };
}

/**
 * Return type, bounds and default of a schema in a few words.
 * @param {Schema} schema Resolved.
 * @returns {string}
 */
export function limitsOf(schema) {
    const parts = [];
    if (schema.type) parts.push(t(`type.${schema.type}`));
    const range = (/** @type {number | undefined} */ least, /** @type {number | undefined} */ most, /** @type {string} */ key) => {
        if (least !== undefined && most !== undefined) parts.push(t(`limit.${key}`, { least, most }));
        else if (least !== undefined) parts.push(t(`limit.${key}.least`, { least }));
        else if (most !== undefined) parts.push(t(`limit.${key}.most`, { most }));
    };
    range(schema.minimum, schema.maximum, "value");
    range(schema.minLength, schema.maxLength, "length");
    range(schema.minItems, schema.maxItems, "items");
    if (schema.pattern) parts.push(schema.pattern);
    if (isPlain(schema.default) && schema.default !== "") parts.push(t("limit.default", { value: String(schema.default) }));
    return parts.join(" · ");
}

/**
 * Return what is wrong with a value itself, without what it holds; empty when nothing is.
 * @param {Schema} schema Resolved.
 * @param {unknown} value
 * @returns {string}
 */
export function problemOf(schema, value) {
    if (schema.enum) return schema.enum.includes(value) ? "" : t("problem.enum", { values: schema.enum.join(", ") });
    if (schema.type && !isOfType(schema.type, value)) return t("problem.type", { type: t(`type.${schema.type}`) });
    if (typeof value === "number" || value instanceof JsonNumber) {
        if (Number(value) < schema.minimum) return t("problem.least", { least: schema.minimum });
        if (Number(value) > schema.maximum) return t("problem.most", { most: schema.maximum });
    }
    if (typeof value === "string") {
        const length = [...value].length;
        if (length < schema.minLength) return t("problem.short", { least: schema.minLength });
        if (length > schema.maxLength) return t("problem.long", { most: schema.maxLength });
        if (schema.pattern && !new RegExp(schema.pattern, "u").test(value)) return t("problem.pattern", { pattern: schema.pattern });
    }
    if (Array.isArray(value)) {
        if (value.length < schema.minItems) return t("problem.few", { least: schema.minItems });
        if (value.length > schema.maxItems) return t("problem.many", { most: schema.maxItems });
    }
    return "";
}

/**
 * Tell whether a value fits a schema, with all that it holds.
 * @param {Schema} schema
 * @param {any} value
 * @param {Schema} root
 * @returns {boolean}
 */
export function fitsSchema(schema, value, root) {
    const whole = resolved(schema, root);
    if (whole.anyOf) return whole.anyOf.some((/** @type {Schema} */ each) => fitsSchema(each, value, root));
    if (problemOf(whole, value)) return false;
    if (Array.isArray(value)) return value.every((each) => fitsSchema(whole.items || whole.prefixItems?.[0] || {}, each, root));
    if (value === null || typeof value !== "object" || value instanceof JsonNumber) return true;
    const properties = whole.properties ?? {};
    const has = (/** @type {string} */ key) => value[key] !== undefined;
    const closed = whole.additionalProperties === false;
    return (
        (whole.required ?? []).every(has) &&
        Object.keys(value).every((key) => (key in properties ? fitsSchema(properties[key], value[key], root) : !closed))
    );
}

/**
 * @param {string} type
 * @param {unknown} value
 */
function isOfType(type, value) {
    if (type === "integer") return value instanceof JsonNumber ? /^-?\d+$/.test(value.source) : Number.isInteger(value);
    if (type === "number") return value instanceof JsonNumber || typeof value === "number";
    if (type === "array") return Array.isArray(value);
    if (type === "null") return value === null;
    if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
    return typeof value === type;
}

/** @param {unknown} value */
function isPlain(value) {
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

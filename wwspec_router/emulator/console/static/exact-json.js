// JSON whose numbers stay as they are written: a JavaScript number has neither 64 bits nor a difference of 1 and 1.0,
// which are of different types for WeCom.
// @ts-check

/** A number that JavaScript would change. */
export class ExactNumber {
    /** @param {string} text */
    constructor(text) {
        this.text = text;
    }

    valueOf() {
        return Number(this.text);
    }

    toString() {
        return this.text;
    }

    toJSON() {
        return Number(this.text);
    }
}

/**
 * Return the value of a JSON text.
 * @param {string} text
 * @returns {any}
 */
export function parseExact(text) {
    /** @type {(key: string, value: unknown, context?: {source?: string}) => unknown} */
    const exact = (_, value, context) => {
        const source = context?.source; // not in browsers of before 2025
        return typeof value === "number" && source !== undefined && source !== String(value) ? new ExactNumber(source) : value;
    };
    return JSON.parse(text, exact);
}

/**
 * Return a value as JSON text.
 * @param {unknown} value
 * @param {number} [indent] Spaces a level; 0 gives one line.
 * @returns {string}
 */
export function formatExact(value, indent = 0) {
    return written(value, indent, "");
}

/**
 * @param {unknown} value
 * @param {number} indent
 * @param {string} before White space before this level.
 * @returns {string}
 */
function written(value, indent, before) {
    if (value instanceof ExactNumber) return value.text;
    if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
    const within = before + " ".repeat(indent);
    const list = Array.isArray(value);
    const members = list
        ? value.map((each) => written(each, indent, within))
        : Object.entries(value)
              .filter(([, each]) => each !== undefined)
              .map(([key, each]) => `${JSON.stringify(key)}:${indent ? " " : ""}${written(each, indent, within)}`);
    const [open, close] = list ? "[]" : "{}";
    if (members.length === 0) return `${open}${close}`;
    return indent ? `${open}\n${within}${members.join(`,\n${within}`)}\n${before}${close}` : `${open}${members.join(",")}${close}`;
}

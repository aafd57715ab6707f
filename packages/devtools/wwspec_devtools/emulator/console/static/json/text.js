// Reads JSON text without losing anything of it: digits of large numbers, `1.0` beside `1`, and where an error is.
// Depth does no harm: nothing here calls itself.
// @ts-check

/**
 * @typedef {object} Open An object or list that is being read.
 * @property {any} holder
 * @property {boolean} isList
 * @property {string} key Of the member that comes next.
 */

const DEEPEST = 64; // levels that get lines of their own
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS = new Map(/** @type {const} */ ([["true", true], ["false", false], ["null", null]]));
const FOUR_DIGITS = /^[0-9a-fA-F]{4}$/;

/** A number that JavaScript would write in another way, such as `1.0` or one of twenty digits. */
export class JsonNumber {
    /** @param {string} source */
    constructor(source) {
        this.source = source;
    }

    toString() {
        return this.source;
    }
}

/** A text is not JSON. */
export class JsonTextError extends Error {
    /**
     * @param {string} reason Key of a text, such as `json.comma`.
     * @param {string} text
     * @param {number} index
     */
    constructor(reason, text, index) {
        super(reason);
        this.name = "JsonTextError";
        this.reason = reason;
        this.index = index;
        this.line = lineOf(text, index);
        this.column = index - text.lastIndexOf("\n", index - 1);
    }
}

/**
 * Return the line of a place in a text, from 1.
 * @param {string} text
 * @param {number} index
 */
export function lineOf(text, index) {
    let line = 1;
    for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) line += 1;
    return line;
}

/**
 * Return the value of a JSON text. Objects have no prototype, so that every name is a plain member.
 * @param {string} text
 * @param {(open: readonly Open[], index: number) => void} [visit] Told of each value before it is read.
 * @returns {unknown}
 * @throws {JsonTextError}
 */
export function parseJson(text, visit) {
    const reader = new Reader(text);
    /** @type {Open[]} */
    const open = [];
    for (;;) {
        reader.skip();
        visit?.(open, reader.at);
        const isList = reader.is("[");
        /** @type {unknown} */
        let value;
        if (isList || reader.is("{")) {
            value = isList ? [] : Object.create(null);
            reader.at += 1;
            if (!reader.take(isList ? "]" : "}")) {
                open.push({ holder: value, isList, key: isList ? "" : reader.key("json.key") });
                continue;
            }
        } else {
            value = reader.scalar();
        }
        for (let top = open.at(-1); ; top = open.at(-1)) {
            if (top === undefined) {
                reader.end();
                return value;
            }
            if (top.isList) top.holder.push(value);
            else top.holder[top.key] = value;
            if (reader.take(",")) {
                if (!top.isList) top.key = reader.key("json.key.next");
                break;
            }
            if (!reader.take(top.isList ? "]" : "}")) reader.fail(reader.at >= text.length ? "json.end" : "json.comma");
            value = open.pop()?.holder;
        }
    }
}

/**
 * Return the value of a text, or undefined when it is not JSON.
 * @param {string} text
 * @returns {unknown}
 */
export function readJson(text) {
    try {
        return parseJson(text);
    } catch (error) {
        if (error instanceof JsonTextError) return undefined;
        throw error;
    }
}

/**
 * Return the object or list that a string holds.
 * @param {unknown} value
 * @returns {unknown} Undefined for every other value.
 */
export function heldValue(value) {
    return typeof value === "string" && /^\s*[[{]/.test(value) ? readJson(value) : undefined;
}

/**
 * Return where the value of a path begins in a text; -1 when it has none.
 * @param {string} text
 * @param {string} path Such as `$.a[0]`.
 * @returns {number}
 */
export function indexOfPath(text, path) {
    let found = -1;
    parseJson(text, (open, index) => {
        if (found !== -1 || open.length > DEEPEST) return;
        const way = open.map(({ holder, isList, key }) => (isList ? `[${holder.length}]` : `.${key}`));
        if (`$${way.join("")}` === path) found = index;
    });
    return found;
}

class Reader {
    at = 0;

    /** @param {string} text */
    constructor(text) {
        this.text = text;
    }

    /**
     * @param {string} reason
     * @param {number} [index]
     * @returns {never}
     */
    fail(reason, index = this.at) {
        throw new JsonTextError(reason, this.text, index);
    }

    skip() {
        if (this.text.charCodeAt(this.at) > 0x20) return; // nearly always
        SPACE.lastIndex = this.at;
        SPACE.test(this.text);
        this.at = SPACE.lastIndex;
    }

    /** @param {string} character */
    is(character) {
        return this.text.charAt(this.at) === character;
    }

    /** @param {string} character What may come next, after white space. */
    take(character) {
        this.skip();
        if (!this.is(character)) return false;
        this.at += 1;
        return true;
    }

    end() {
        this.skip();
        if (this.at < this.text.length) this.fail("json.rest");
    }

    /** @param {string} reason What is wrong when there is none. */
    key(reason) {
        this.skip();
        if (!this.is('"')) this.fail(this.at >= this.text.length ? "json.end" : reason);
        const key = this.string();
        if (!this.take(":")) this.fail("json.colon");
        return key;
    }

    /** @returns {string | number | boolean | null | JsonNumber} */
    scalar() {
        if (this.is('"')) return this.string();
        NUMBER.lastIndex = this.at;
        const source = NUMBER.exec(this.text)?.[0];
        if (source !== undefined) {
            this.at += source.length;
            return String(Number(source)) === source ? Number(source) : new JsonNumber(source);
        }
        for (const [word, value] of WORDS) {
            if (!this.text.startsWith(word, this.at)) continue;
            this.at += word.length;
            return value;
        }
        return this.fail(this.at >= this.text.length ? "json.end" : "json.value");
    }

    string() {
        const start = this.at;
        let isPlain = true;
        for (let at = start + 1; ; ) {
            const code = this.text.charCodeAt(at);
            if (code === 0x22) {
                this.at = at + 1;
                return isPlain ? this.text.slice(start + 1, at) : /** @type {string} */ (JSON.parse(this.text.slice(start, at + 1)));
            }
            if (Number.isNaN(code)) this.fail("json.quote", start);
            if (code < 0x20) this.fail("json.control", at);
            if (code === 0x5c) {
                isPlain = false;
                at += this.#escape(at);
            } else {
                at += 1;
            }
        }
    }

    /**
     * @param {number} at
     * @returns {number} Its length.
     */
    #escape(at) {
        const character = this.text.charAt(at + 1);
        if (character !== "" && '"\\/bfnrt'.includes(character)) return 2;
        if (character === "u" && FOUR_DIGITS.test(this.text.slice(at + 2, at + 6))) return 6;
        return this.fail("json.escape", at);
    }
}

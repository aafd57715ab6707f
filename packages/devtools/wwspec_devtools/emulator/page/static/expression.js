// The expressions between {{ and }} of a template: names, members, operators, and literals. There are no calls.
// @ts-check

/** @typedef {Record<string, any>} Scope */
/** @typedef {(scope: Scope) => any} Expression */

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([A-Za-z_$][\w$]*)|(===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]]))/y;
/** @type {Record<string, any>} */
const WORDS = { true: true, false: false, null: null, undefined: undefined };
/** @type {Record<string, (left: any, right: any) => any>[]} From those that bind least; `&&` and `||` are apart. */
const LEVELS = [
    { "===": (a, b) => a === b, "!==": (a, b) => a !== b, "==": (a, b) => a == b, "!=": (a, b) => a != b },
    { "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b },
    { "+": (a, b) => a + b, "-": (a, b) => a - b },
    { "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b },
];

/**
 * Return the function of a text with expressions: a single expression keeps its type, else the result is a text.
 * @param {string} text
 * @returns {Expression}
 */
export function interpolated(text) {
    const parts = text.split(/\{\{([^]*?)\}\}/);
    const compiled = parts.map((part, index) => (index % 2 ? compile(part) : () => part));
    const [before, only, after] = compiled;
    if (parts.length === 3 && !parts[0]?.trim() && !parts[2]?.trim() && before && only && after) return only;
    return (scope) => compiled.map((part) => shown(part(scope))).join("");
}

/** @param {any} value */
export function shown(value) {
    return value === undefined || value === null ? "" : String(value);
}

/**
 * @param {string} source
 * @returns {Expression}
 */
function compile(source) {
    const tokens = tokenized(source);
    let at = 0;

    /** @param {string} text */
    const eat = (text) => tokens[at]?.text === text && tokens[at]?.kind === "operator" && Boolean(++at);

    /** @param {string} text */
    function expect(text) {
        if (!eat(text)) throw new SyntaxError(`{{${source}}}: ${text} is expected${tokens[at] ? ` before ${tokens[at]?.text}` : " at the end"}`);
    }

    /** @returns {Expression} */
    function choice() {
        const condition = either();
        if (!eat("?")) return condition;
        const yes = choice();
        expect(":");
        const no = choice();
        return (scope) => (condition(scope) ? yes(scope) : no(scope));
    }

    /** @returns {Expression} */
    function either() {
        const left = both();
        if (!eat("||")) return left;
        const right = either();
        return (scope) => left(scope) || right(scope);
    }

    /** @returns {Expression} */
    function both() {
        const left = binary(0);
        if (!eat("&&")) return left;
        const right = both();
        return (scope) => left(scope) && right(scope);
    }

    /**
     * @param {number} level
     * @returns {Expression}
     */
    function binary(level) {
        const operators = LEVELS[level];
        if (operators === undefined) return unary();
        let result = binary(level + 1);
        for (let name = tokens[at]?.text ?? ""; Object.hasOwn(operators, name) && eat(name); name = tokens[at]?.text ?? "") {
            const [left, right, apply] = [result, binary(level + 1), /** @type {(a: any, b: any) => any} */ (operators[name])];
            result = (scope) => apply(left(scope), right(scope));
        }
        return result;
    }

    /** @returns {Expression} */
    function unary() {
        if (eat("!")) return ((operand) => (/** @type {Scope} */ scope) => !operand(scope))(unary());
        if (eat("-")) return ((operand) => (/** @type {Scope} */ scope) => -operand(scope))(unary());
        let result = primary();
        for (;;) {
            const object = result;
            if (eat(".")) {
                const name = tokens[at++]?.text ?? "";
                result = (scope) => member(object(scope), name);
            } else if (eat("[")) {
                const key = choice();
                expect("]");
                result = (scope) => member(object(scope), key(scope));
            } else return result;
        }
    }

    /** @returns {Expression} */
    function primary() {
        const token = tokens[at++];
        if (token?.kind === "literal") return () => token.value;
        if (token?.kind === "name") return (scope) => member(scope, token.text);
        at--;
        if (eat("(")) {
            const inner = choice();
            expect(")");
            return inner;
        }
        expect("[");
        /** @type {Expression[]} */
        const items = [];
        while (!eat("]")) {
            items.push(choice());
            if (!eat(",")) {
                expect("]");
                break;
            }
        }
        return (scope) => items.map((item) => item(scope));
    }

    const result = choice();
    if (tokens[at]) throw new SyntaxError(`{{${source}}}: ${tokens[at]?.text} is not expected`);
    return result;
}

/** @param {string} source */
function tokenized(source) {
    /** @type {{ kind: string, text: string, value?: any }[]} */
    const tokens = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < source.trimEnd().length) {
        const start = TOKEN.lastIndex;
        const [, number, quoted, name, operator] = TOKEN.exec(source) ?? [];
        if (number !== undefined) tokens.push({ kind: "literal", text: number, value: Number(number) });
        else if (quoted !== undefined) tokens.push({ kind: "literal", text: quoted, value: quoted.slice(1, -1).replace(/\\(.)/g, "$1") });
        else if (name !== undefined && Object.hasOwn(WORDS, name)) tokens.push({ kind: "literal", text: name, value: WORDS[name] });
        else if (name !== undefined) tokens.push({ kind: "name", text: name });
        else if (operator !== undefined) tokens.push({ kind: "operator", text: operator });
        else throw new SyntaxError(`{{${source}}}: what begins at ${source.slice(start).trim().slice(0, 20)} is not understood`);
    }
    return tokens;
}

/**
 * Return a value's own member: a template reaches nothing else.
 * @param {any} value
 * @param {any} key
 */
function member(value, key) {
    if (value === undefined || value === null) return undefined;
    return Object.hasOwn(Object(value), key) ? value[key] : undefined;
}

// Writes JSON text anew, in lines or on one, without changing what it says.
// @ts-check

const DEEPEST = 64; // levels that get lines of their own

/**
 * Return a JSON text in lines of its own, or on one line; what it says stays the same, to the letter.
 * @param {string} text JSON.
 * @param {{isFlat?: boolean}} [how]
 * @returns {string}
 */
export function formatJson(text, { isFlat = false } = {}) {
    /** @type {string[]} */
    const parts = [];
    let depth = 0;
    const line = () => !isFlat && depth <= DEEPEST && parts.push(`\n${"  ".repeat(depth)}`);
    for (let at = 0; at < text.length; ) {
        const character = text.charAt(at);
        const start = at;
        at += 1;
        if (character === '"') {
            at = endOfString(text, start);
            parts.push(text.slice(start, at));
        } else if (character === "{" || character === "[") {
            parts.push(character);
            const next = text.slice(at, at + 64).trimStart().charAt(0);
            if (next === "}" || next === "]") {
                at = text.indexOf(next, at) + 1;
                parts.push(next);
            } else {
                depth += 1;
                line();
            }
        } else if (character === "}" || character === "]") {
            depth -= 1;
            line();
            parts.push(character);
        } else if (character === ",") {
            parts.push(isFlat ? ", " : character);
            line();
        } else if (character === ":") {
            parts.push(": ");
        } else if (!/\s/.test(character)) {
            parts.push(character);
        }
    }
    return parts.join("");
}

/**
 * @param {string} text
 * @param {number} start Of the quote.
 */
function endOfString(text, start) {
    let at = start + 1;
    while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
    return at + 1;
}

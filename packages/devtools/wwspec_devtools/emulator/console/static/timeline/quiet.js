// Entries that come in numbers and seldom say anything: tokens that are fetched, and questions whether a result is there.
// @ts-check

/** @typedef {import("../record.js").Row} Row */

/** @param {Row} row Whether an app fetches a token or a ticket. */
export function isToken({ kind, name }) {
    return kind === "app" && /(token|ticket)$/.test(name);
}

/** @param {Row} row Whether somebody asks if a result is there. */
export function isPoll({ kind, name }) {
    return name === "async_program_result" || (kind === "sdk" && /^get_\w+_result$/.test(name));
}

/** @param {Row} row Whether it may be folded: what failed or is under way never is. */
export function isQuiet(row) {
    return (isToken(row) || isPoll(row)) && !row.failed && row.duration_ms !== null;
}

// The keyboard: one table of keys for the whole page, and one for the view that is shown.
// @ts-check

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Keys Name of a key -> what it does. */

/** @type {Keys} */
let ofPage = {};
/** @type {Keys} */
let ofView = {};
/** @type {Keys} */
let ofPart = {};

/** @param {Keys} keys Of the page, always there. */
export function setPageKeys(keys) {
    ofPage = keys;
}

/** @param {Keys} keys Of the view; they go before those of the page. */
export function setViewKeys(keys) {
    ofView = keys;
}

/** @param {Keys} keys Of a part of the view, such as an open entry; they go before those of the view. */
export function setPartKeys(keys) {
    ofPart = keys;
}

/**
 * Tell whether somebody types into an element.
 * @param {EventTarget | null} target
 * @returns {boolean}
 */
export function isTyping(target) {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) && event.key !== "Escape") return;
    if (document.querySelector("dialog[open]") && event.key !== "Escape") return;
    const run = ofPart[event.key] ?? ofView[event.key] ?? ofPage[event.key];
    if (run) {
        event.preventDefault();
        run(event);
    }
});

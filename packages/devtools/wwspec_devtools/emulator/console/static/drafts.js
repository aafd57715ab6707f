// What is written into forms. It is there again after a change of view or language, until the page is loaded anew.
// @ts-check

/**
 * @typedef {{value: string}} Control A field; or what reads and writes one text in another way.
 * @typedef {Record<string, Control>} Controls
 */

/** @type {Map<string, Record<string, string | boolean>>} */
const drafts = new Map();

/**
 * Keep what controls have.
 * @param {string} form Name of the form, and of what it is about.
 * @param {Controls} controls
 */
export function keepDraft(form, controls) {
    drafts.set(form, Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, isCheckbox(control) ? control.checked : control.value])));
}

/**
 * Put back what was kept.
 * @param {string} form
 * @param {Controls} controls
 * @returns {boolean} Whether there was a draft.
 */
export function restoreDraft(form, controls) {
    const draft = drafts.get(form);
    for (const [name, kept] of Object.entries(draft ?? {})) {
        const control = controls[name];
        if (control === undefined) continue;
        if (isCheckbox(control)) control.checked = kept === true;
        else control.value = String(kept);
    }
    return draft !== undefined;
}

/**
 * @param {Control} control
 * @returns {control is HTMLInputElement}
 */
function isCheckbox(control) {
    return control instanceof HTMLInputElement && control.type === "checkbox";
}

// Which entries of an imported file fit filters, as `emulator/traffic` does it for those of the emulator.
// @ts-check

/** @typedef {import("./record.js").Entry} Entry */

/**
 * Tell whether an entry of a file fits filters, as the emulator's `traffic` does.
 * @param {Entry} entry
 * @param {Record<string, string>} filters
 * @returns {boolean}
 */
export function fits(entry, { text = "", ability = "", errcode = "", corp = "", kind = "" }) {
    if (kind && entry.kind !== kind) return false;
    if (ability && entry.ability !== ability) return false;
    if (corp && entry.corpid !== corp) return false;
    if (errcode && String(entry.errcode) !== errcode && String(entry.program_errcode) !== errcode) return false;
    if (!text) return true;
    const wanted = text.toLowerCase();
    return [entry.name, entry.raw.request, entry.raw.reply, searchable(entry.request), searchable(entry.reply)].some((each) =>
        each.toLowerCase().includes(wanted),
    );
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function searchable(value) {
    try {
        return typeof value === "string" ? value : JSON.stringify(value) ?? "";
    } catch {
        return ""; // nested too deep
    }
}

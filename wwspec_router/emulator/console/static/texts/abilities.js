// Texts of the view `abilities`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const ABILITIES = {};

// Texts of the view `session`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const SESSION = {};

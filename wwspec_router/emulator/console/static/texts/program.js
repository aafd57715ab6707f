// Texts of the view `program`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const PROGRAM = {};

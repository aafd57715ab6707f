// Texts of the view `entry`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const ENTRY = {};

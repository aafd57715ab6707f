// Texts of the view `faults`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const FAULTS = {};

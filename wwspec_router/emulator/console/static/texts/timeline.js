// Texts of the view `timeline`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const TIMELINE = {};

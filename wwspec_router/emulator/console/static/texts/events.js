// Texts of the view `events`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const EVENTS = {};

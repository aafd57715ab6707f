// Puts rows into the flows that they belong to.
// @ts-check

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("../record.js").Flow} Flow
 */

/**
 * Put a row into its flow, in the place of the one with its number.
 * @param {Map<number, Flow>} flows
 * @param {Row} row
 * @param {boolean} isNew Whether no row has its number yet.
 */
export function putInFlow(flows, row, isNew) {
    const flow = flows.get(row.flow);
    if (flow === undefined) flows.set(row.flow, { number: row.flow, rows: [row] });
    else flow.rows.splice(placeOf(row, flow.rows), isNew ? 0 : 1, row);
}

/**
 * Take a row out of its flow, and a flow without rows out of the others.
 * @param {Map<number, Flow>} flows
 * @param {Row} row
 */
export function takeFromFlow(flows, row) {
    const flow = flows.get(row.flow);
    if (flow === undefined) return;
    flow.rows = flow.rows.filter((each) => each.number !== row.number);
    if (flow.rows.length === 0) flows.delete(row.flow);
}

/**
 * Return the index at which a row is, or belongs, by its number. Rows come in the order of their last changes, so most
 * belong near the end.
 * @param {Row} row
 * @param {Row[]} rows
 */
function placeOf(row, rows) {
    let place = rows.length;
    while (place > 0 && /** @type {Row} */ (rows[place - 1]).number >= row.number) place -= 1;
    return place;
}

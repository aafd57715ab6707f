// The entries of a flow as a tree: each below the one that caused it.
// @ts-check

/** @typedef {import("../record.js").Row} Row */

/**
 * Return entries in the order of a tree, with their depth. One whose cause is not there is at the top.
 * @param {Row[]} rows In the order in which they began.
 * @returns {{row: Row, depth: number}[]}
 */
export function nested(rows) {
    const known = new Set(rows.map((row) => row.number));
    /** @type {Map<number | null, Row[]>} */
    const caused = new Map();
    for (const row of rows) {
        const parent = row.parent !== null && known.has(row.parent) ? row.parent : null;
        const siblings = caused.get(parent);
        if (siblings) siblings.push(row);
        else caused.set(parent, [row]);
    }
    const inOrder = [];
    const stack = (caused.get(null) ?? []).map((row) => ({ row, depth: 0 })).reverse();
    for (let next = stack.pop(); next; next = stack.pop()) {
        const { row, depth } = next;
        inOrder.push(next);
        for (const child of [...(caused.get(row.number) ?? [])].reverse()) stack.push({ row: child, depth: depth + 1 });
    }
    return inOrder;
}

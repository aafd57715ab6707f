// The data of a template, and its changes by `setData` [100076].
// @ts-check

const PROTECTED = ["constructor", "prototype", "__proto__", "__ob__"];
const STEP = /^(?:\.?([A-Za-z_$][\w$]*)|\[(?:(\d+)|"([^"]*)"|'([^']*)')\])/;

/**
 * Change the data of a template.
 * @param {Record<string, any>} data
 * @param {Record<string, any>} changes By key, or by path such as `list[0].name`.
 */
export function change(data, changes) {
    for (const [key, value] of Object.entries(changes)) {
        const path = pathOf(key);
        if (path.some((step) => PROTECTED.includes(String(step)))) continue;
        let holder = /** @type {any} */ (data);
        path.forEach((step, index) => {
            const next = path[index + 1];
            if (next === undefined) holder[step] = value;
            else if (!Object.hasOwn(holder, step) || typeof holder[step] !== "object" || holder[step] === null)
                holder[step] = typeof next === "number" ? [] : {};
            holder = holder[step];
        });
    }
}

/**
 * @param {string} key
 * @returns {(string | number)[]} One step, the key itself, when it is not a path.
 */
function pathOf(key) {
    /** @type {(string | number)[]} */
    const path = [];
    let rest = key.trim();
    while (rest) {
        const found = STEP.exec(rest);
        if (found === null || (path.length === 0 && /^[.[]/.test(rest))) return [key];
        const [whole, name, index, double, single] = found;
        path.push(index === undefined ? (name ?? double ?? single ?? "") : Number(index));
        rest = rest.slice(whole.length);
    }
    return path;
}

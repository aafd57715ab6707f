// Two entries, compared, the earlier one first: the open one, and one that is chosen by its number or in the list.
// @ts-check
import { fill, h, visible } from "../dom.js";
import { comparison } from "../entry/comparison.js";
import { shortened } from "../entry/links.js";
import { setPartKeys } from "../keys.js";
import { duration, field } from "../parts.js";
import { record } from "../record.js";
import { COMPARISON, comparisonHash, go, hashOf, here } from "../route.js";
import { t } from "../texts.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../record.js").Row} Row
 */

const OFFERED = 20; // entries of the same name

/**
 * @param {HTMLElement} element
 * @param {Entry} entry
 * @param {string} part
 * @returns {() => void} Ends it.
 */
export function showComparison(element, entry, part) {
    const alike = sameName(entry);
    const other = Number(COMPARISON.exec(part)?.[1] ?? alike[0]?.number ?? 0);
    const number = h("input", { type: "number", min: 1, required: true, value: other || "", list: "compare-with", inputmode: "numeric" });
    const form = h("form", { class: "inline" }, field(t("compare.with"), number), h("button", { class: "primary" }, t("compare.do")));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        go(comparisonHash(entry.number, number.value), { replace: true });
    });
    const options = alike.map((row) => h("option", { value: row.number }, visible(`${row.outcome} ${duration(row.duration_ms)}`)));
    const compared = h("div", { class: "compared" });
    fill(
        element,
        h(
            "div",
            { class: "compare" },
            h("header", {}, h("a", { href: hashOf("timeline", entry.number, here().query) }, `← ${t("replay.back", { number: entry.number })}`), h("h2", { tabindex: -1 }, t("compare.title", { number: entry.number }), " ", h("span", { class: "dim" }, shortened(entry.name)))),
            form,
            h("datalist", { id: "compare-with" }, options),
            h("p", { class: "dim only-wide" }, t("compare.list")),
            compared,
        ),
    );
    setPartKeys({ d: () => number.focus() });
    let ended = false;
    const show = async () => {
        try {
            const chosen = await record.entry(other);
            const [before, after] = chosen.number < entry.number ? [chosen, entry] : [entry, chosen];
            if (!ended) fill(compared, comparison(before, after, "request"), comparison(before, after, "reply"));
        } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            if (!ended) fill(compared, h("p", { class: "problem", role: "alert" }, t("entry.gone", { number: other, reason: visible(reason) })));
        }
    };
    if (other > 0) void show();
    return () => (ended = true);
}

/**
 * Return other entries of the same kind and name, the nearest one first; those before it go before those after it.
 * @param {Entry} entry
 * @returns {Row[]}
 */
function sameName({ number, kind, name, ability }) {
    const rows = [...record.rows.values()].filter((row) => row.number !== number && row.kind === kind && row.name === name && row.ability === ability);
    const [before, after] = [rows.filter((row) => row.number < number), rows.filter((row) => row.number > number)];
    return [...before.reverse(), ...after].slice(0, OFFERED);
}

// One entry, in the detail pane.
// @ts-check
import { fill, h } from "../dom.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import "../json-tree.js";

/**
 * Show an entry.
 * @param {HTMLElement} element
 * @param {number} number
 * @param {import("../route.js").Place} place
 * @returns {() => void} Ends it.
 */
export function showEntry(element, number, place) {
    let ended = false;
    fill(element, h("p", { class: "dim" }, t("loading")));
    record.entry(number).then(
        (entry) => {
            if (ended) return;
            const tree = /** @type {import("../json-tree.js").JsonTree} */ (document.createElement("json-tree"));
            tree.value = entry;
            fill(element, h("h2", {}, `#${number}`), tree);
        },
        (error) => ended || fill(element, h("p", { class: "empty" }, t("failed", { reason: String(error.message) }))),
    );
    void place;
    return () => {
        ended = true;
    };
}

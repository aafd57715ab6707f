// The tab "Copy as": curl, `wwspec`, and a pytest test, which the emulator writes.
// @ts-check
import { ask, refusal } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { copyButton } from "../parts.js";
import { t } from "../texts.js";
import { curlLine, wwspecLine } from "./commands.js";
import { longText } from "./bodies.js";
import { origin } from "./related.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {"values" | "shape"} Asserts What of a reply is compared.
 */

/**
 * Return the copies of an entry; they appear when they are made.
 * @param {Entry} entry
 * @returns {HTMLElement}
 */
export function copies(entry) {
    const element = h("div", { class: "copies" }, h("p", { class: "dim" }, t("loading")));
    void show(element, entry);
    return element;
}

/**
 * @param {HTMLElement} element
 * @param {Entry} shown
 */
async function show(element, shown) {
    const entry = await origin(shown);
    const test = h("section", { class: "card" });
    const about = entry.number !== shown.number && h("p", { class: "dim" }, t("entry.copy.of", { number: entry.number }));
    await showTest(test, entry);
    fill(element, about, shellCard("wwspec", wwspecLine(entry)), test, shellCard("curl", curlLine(entry)));
}

/**
 * @param {string} kind
 * @param {string | null} text
 */
function shellCard(kind, text) {
    const title = t(`entry.copy.${kind}`);
    const card = h("section", { class: "card", "aria-label": title });
    fillCard(card, title, text);
    return card;
}

/**
 * @param {HTMLElement} card
 * @param {string} title
 * @param {string | null} text
 * @param {(Node | string | false)[]} [more]
 * @param {boolean} [isIncomplete] Whether something masked is to be replaced.
 */
function fillCard(card, title, text, more = [], isIncomplete = text?.includes("***") ?? false) {
    const head = h("header", {}, h("h3", {}, title), h("span", { class: "grow" }), more, text && copyButton(text));
    const masked = isIncomplete && h("p", { class: "problem warn" }, t("entry.copy.masked"));
    fill(card, head, text ? longText(text) : h("p", { class: "dim" }, t("entry.copy.none")), masked);
}

/**
 * @param {HTMLElement} card
 * @param {Entry} entry
 * @param {Asserts} [asserts]
 */
async function showTest(card, entry, asserts) {
    const title = t("entry.copy.pytest");
    card.setAttribute("aria-label", title);
    let test = /** @type {{source: string, asserts: string, has_reply: boolean, is_incomplete: boolean} | null} */ (null);
    const problem = await refusal(async () => ({ test } = await ask("POST", "test", { number: entry.number, asserts })));
    if (problem !== "") {
        fill(card, h("header", {}, h("h3", {}, title)), h("p", { class: "problem" }, visible(problem)));
        return;
    }
    if (test === null) {
        fillCard(card, title, null);
        return;
    }
    const names = /** @type {const} */ (["values", "shape"]);
    const select = h("select", { "aria-label": t("entry.copy.asserts") }, names.map((name) => h("option", { value: name, selected: name === test?.asserts }, t(`entry.copy.${name}`))));
    select.addEventListener("change", async () => {
        await showTest(card, entry, names[select.selectedIndex]);
        card.querySelector("select")?.focus();
    });
    fillCard(card, title, test.source, [test.has_reply && select], test.is_incomplete);
    card.appendChild(h("p", { class: "dim" }, visible(t("entry.copy.where"))));
}

// The list of keys.
// @ts-check
import { h } from "./dom.js";
import { t } from "./texts.js";

const KEYS = /** @type {const} */ ([
    ["j  k", "keys.move"],
    ["g  G", "keys.ends"],
    ["Enter", "keys.open"],
    ["Esc", "keys.close"],
    ["/", "keys.search"],
    ["r", "keys.replay"],
    ["c", "keys.copy"],
    ["Ctrl-K", "keys.palette"],
    ["p", "keys.pause"],
    ["1 … 7", "keys.views"],
    ["?", "keys.help"],
]);

/** Show the list of keys. */
export function showKeys() {
    const rows = KEYS.map(([key, text]) => h("tr", {}, h("td", {}, key.split("  ").map((each) => h("kbd", {}, each))), h("td", {}, t(text))));
    const close = h("button", { type: "button", autofocus: true }, t("close"));
    const dialog = h("dialog", { "aria-labelledby": "keys-title" }, h("h2", { id: "keys-title" }, t("keys.title")), h("table", {}, h("tbody", {}, rows)), close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.appendChild(dialog);
    dialog.showModal();
}

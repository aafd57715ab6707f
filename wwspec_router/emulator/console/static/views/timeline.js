// View `timeline`.
// @ts-check
import { h } from "../dom.js";
import { t } from "../texts.js";

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        main.appendChild(h("div", { class: "page" }, h("h1", {}, t("nav.timeline"))));
    },
};

// View `timeline`.
// @ts-check
import { fill, h, visible } from "../dom.js";
import { record } from "../record.js";
import { hashOf, here } from "../route.js";
import { t } from "../texts.js";
import { showEntry } from "./entry.js";

let end = () => {};

/** @type {import("../app.js").View} */
export const view = {
    show(main, place) {
        const list = h("ul");
        const detail = h("aside", { class: "detail", "aria-label": t("nav.timeline") });
        const entry = h("div");
        detail.appendChild(entry);
        main.appendChild(h("div", { class: place.id ? "split open" : "split" }, h("div", {}, h("h1", {}, t("nav.timeline")), list), detail));
        const draw = () => fill(list, [...record.rows.values()].map((row) => h("li", {}, h("a", { href: hashOf("timeline", row.number, here().query) }, `${row.number} ${row.kind} ${visible(row.name)} ${row.outcome}`))));
        record.addEventListener("rows", draw);
        draw();
        if (place.id) end = showEntry(entry, Number(place.id), place);
        shownId = place.id;
        return () => {
            record.removeEventListener("rows", draw);
            end();
            end = () => {};
        };
    },
    move: (place) => place.id === shownId,
};

let shownId = "";

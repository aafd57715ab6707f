// Events for the program, fired or caused by what somebody says, and who and what there is in the corp.
// The place: `#/events/<event type>?list=messages`.
// @ts-check
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { record } from "../record.js";
import { here } from "../route.js";
import { t } from "../texts.js";
import { corpLists } from "./corp-lists.js";
import { fireForm } from "./fire-form.js";
import { sayForm } from "./say-form.js";

/**
 * @typedef {object} Info Who is who, as `emulator/info` has it.
 * @property {string[]} events
 * @property {Record<string, string>} employees
 * @property {Record<string, string>} customers
 * @property {string[]} robots
 * @property {Record<string, {name: string, members: string[]}>} groups
 * @property {Record<string, string>} knowledge_bases
 */

/** @type {(place: import("../route.js").Place) => void} */
let move = () => {};

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        const page = h("div", { class: "page events" });
        main.append(page);
        /** @type {() => void} */
        let end = () => {};
        let isOver = false;
        const load = async () => {
            const info = /** @type {Info} */ (await get("info"));
            if (isOver) return;
            end();
            const fire = fireForm(info);
            const say = sayForm(info, () => lists.refresh());
            const lists = corpLists(info, say.put);
            fill(page, h("h1", { class: "visually-hidden" }, t("nav.events")), h("div", { class: "sides" }, fire.card, say.card), lists.card);
            move = (place) => {
                fire.show(place);
                lists.show(place);
            };
            move(here());
            end = () => {
                fire.end();
                say.end();
            };
        };
        record.addEventListener("state", load);
        void load();
        return () => {
            isOver = true;
            end();
            move = () => {};
            record.removeEventListener("state", load);
        };
    },
    move(place) {
        move(place);
        return true;
    },
    keys: {
        "/": () => /** @type {HTMLElement | null} */ (document.querySelector(".events input[type=search]"))?.focus(),
    },
};

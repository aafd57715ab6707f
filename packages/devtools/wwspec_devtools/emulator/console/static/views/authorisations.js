// What each corp has authorised the app for, and what its admin may do about it.
// @ts-check
import { get } from "../api.js";
import { urlOption } from "../entry/commands.js";
import { h, update } from "../dom.js";
import { actionCard, dateAndTime } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";

/**
 * @typedef {{is_granted: boolean, ends: number | null}} Permission
 * @typedef {{corpid: string, corp_name: string, is_installed: boolean, permissions: Record<string, Permission>}} Authorisation
 */

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        const list = h("div");
        const { card, act } = actionCard(t("nav.authorisations"), list, t("authorisations.help"));
        main.appendChild(h("div", { class: "page faults" }, card));
        const draw = async () => {
            const { app_type } = await get("info");
            /** @type {Authorisation[]} */
            const all = (await get("authorisations")).authorisations;
            update(list, app_type ? "" : h("p", { class: "dim" }, t("authorisations.free")), h("div", {}, ...all.map((each) => authorisation(each, app_type, order))));
        };
        const order = async (/** @type {string} */ name, /** @type {string} */ corpid) => {
            await act(`wwspec zone ${name} --corp ${corpid}${urlOption()}`, `authorisation/${name}?corp=${encodeURIComponent(corpid)}`);
            await draw();
        };
        const drawAgain = () => void draw();
        record.addEventListener("clock", drawAgain);
        drawAgain();
        return () => record.removeEventListener("clock", drawAgain);
    },
};

/**
 * @param {Authorisation} of
 * @param {string} kind The kind of app: the permission of a self-built one has no end.
 * @param {(name: string, corpid: string) => Promise<void>} act
 * @returns {HTMLElement}
 */
function authorisation(of, kind, act) {
    const names = of.is_installed ? (kind === "self" ? ["cancel"] : ["renew", "expire", "cancel"]) : ["authorize"];
    const buttons = names.map((name) =>
        h("button", { type: "button", "aria-label": `${t(`authorisations.${name}`)} ${of.corpid}`, onclick: () => act(name, of.corpid) }, t(`authorisations.${name}`)),
    );
    const permissions = Object.entries(of.permissions).map(([name, { is_granted, ends }]) =>
        h("li", {}, `${t(`authorisations.${name}`)}: ${ends === null ? t("authorisations.endless") : t(is_granted ? "authorisations.until" : "authorisations.ended", { time: dateAndTime(ends * 1000) })}`),
    );
    return h(
        "div",
        {},
        h("h3", {}, `${of.corp_name} ${of.corpid}`),
        of.is_installed ? h("ul", {}, ...permissions) : h("p", { class: "dim" }, t("authorisations.none")),
        h("div", { class: "buttons" }, ...buttons),
    );
}

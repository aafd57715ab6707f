// What each corp has authorised the app for, and what its admin may do about it: a card of the view `faults`.
// It is there for an emulator with a kind of app, or with several corps.
// @ts-check
import { ApiError, ask, get } from "../api.js";
import { urlOption } from "../entry/commands.js";
import { h, update, visible } from "../dom.js";
import { commandLine, dateAndTime } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";

/**
 * @typedef {{is_granted: boolean, ends: number | null}} Permission
 * @typedef {{corpid: string, corp_name: string, is_installed: boolean, permissions: Record<string, Permission>}} Authorisation
 */

/**
 * Return the card, and a function that ends it.
 * @returns {{card: HTMLElement, end: () => void}}
 */
export function authorisationsCard() {
    const list = h("div");
    const problem = h("p", { class: "problem", role: "alert" });
    const line = h("div");
    const card = h(
        "section",
        { class: "card", hidden: true, "aria-labelledby": "authorisations-title" },
        h("h2", { id: "authorisations-title" }, t("authorisations.title")),
        list,
        problem,
        line,
        h("small", { class: "dim" }, t("authorisations.help")),
    );
    const draw = async () => {
        const info = await get("info");
        card.hidden = !info.app_type && info.corps.length < 2;
        if (card.hidden) return;
        /** @type {Authorisation[]} */
        const all = (await get("authorisations")).authorisations;
        update(list, h("div", {}, ...all.map((each) => authorisation(each, info.app_type, act))));
    };
    const act = async (/** @type {string} */ name, /** @type {string} */ corpid) => {
        problem.textContent = "";
        update(line, commandLine(`wwspec zone ${name} --corp ${corpid}${urlOption()}`));
        try {
            await ask("POST", `authorisation/${name}?corp=${encodeURIComponent(corpid)}`);
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            problem.textContent = visible(error.message);
        }
        await draw();
    };
    const drawAgain = () => void draw();
    record.addEventListener("clock", drawAgain);
    drawAgain();
    return { card, end: () => record.removeEventListener("clock", drawAgain) };
}

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

// What the program answers: a list, and of the chosen ability its contract, a form to call it, and a comparison with what
// the admin console has. The place: `#/abilities/<ability ID>?tab=contract`.
// @ts-check
import { getText } from "../api.js";
import { docText, fill, h, update, visible } from "../dom.js";
import { urlOption } from "../entry/commands.js";
import { readJson } from "../json/text.js";
import { commandLine } from "../parts.js";
import { record } from "../record.js";
import { go, hashOf, here } from "../route.js";
import { t } from "../texts.js";
import { phrase } from "../texts/phrases.js";
import { callPane } from "./ability-call.js";
import { comparePane, contractPane } from "./ability-contract.js";

/**
 * @typedef {object} Ability
 * @property {unknown} input
 * @property {unknown} output
 * @property {string} [target]
 * @property {string} [declared]
 * @property {string} [doc]
 * @property {number} [timeout]
 * @property {{input: import("../schema/schema.js").Schema, output: import("../schema/schema.js").Schema}} [schemas]
 */

const TABS = { try: callPane, contract: contractPane, compare: comparePane };
/** For an ability ID that nothing is known of. */
const ANY = "*";

/** @type {Record<string, Ability> | null} */
let abilities = null;
/** @type {() => void} */
let drawList = () => {};
/** @type {(place: import("../route.js").Place) => void} */
let drawDetail = () => {};
/** @type {HTMLInputElement | null} */
let filter = null;

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        filter = h("input", { type: "search", "aria-label": t("abilities.filter"), placeholder: t("abilities.filter"), spellcheck: "false" });
        const count = h("span", { class: "dim", role: "status" });
        const list = h("nav", { class: "ability-list", "aria-label": t("nav.abilities") });
        const detail = h("section", { class: "detail", "aria-label": t("nav.abilities") });
        const split = h("div", { class: "split abilities" }, h("div", { class: "side" }, h("div", { class: "toolbar" }, filter, count), list), detail);
        main.append(h("h1", { class: "visually-hidden" }, t("nav.abilities")), split);

        /** @type {() => void} */
        let end = () => {};
        drawList = () => {
            const shown = shownNames();
            count.textContent = abilities ? t("abilities.count", { count: shown.length, all: Object.keys(abilities).length }) : "";
            const links = shown.map((name) => {
                const current = here().id === name && "page";
                const target = abilities?.[name]?.target ?? "";
                return h("a", { href: hashOf("abilities", name), "aria-current": current }, h("span", { class: "mono" }, visible(name)), h("span", { class: "dim" }, visible(phrase(target))));
            });
            const any = h("a", { href: hashOf("abilities", ANY), class: "any", "aria-current": here().id === ANY && "page" }, t("abilities.any"));
            update(list, links.length || !abilities ? links : h("p", { class: "empty" }, t("abilities.none")), any);
        };
        drawDetail = (place) => {
            end();
            end = () => {};
            split.classList.toggle("open", place.id !== "");
            const ability = place.id === ANY ? { input: {}, output: {} } : abilities?.[place.id];
            if (ability && place.id !== "") end = showAbility(detail, place, ability);
            else if (abilities === null) fill(detail, openMode());
            else fill(detail, h("p", { class: "empty" }, place.id ? t("abilities.unknown", { id: visible(place.id) }) : t("abilities.pick")));
            list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
        };
        let loaded = "";
        const load = async () => {
            const text = await getText("contracts");
            if (text === loaded) return; // a form that somebody fills in stays
            loaded = text;
            abilities = /** @type {any} */ (readJson(text))?.contracts ?? null;
            drawList();
            drawDetail(here());
        };
        let known = record.program?.registrations;
        const onProgram = () => {
            if (known !== record.program?.registrations) void load();
            known = record.program?.registrations;
        };
        filter.addEventListener("input", drawList);
        record.addEventListener("program", onProgram);
        record.addEventListener("state", load);
        void load();
        return () => {
            end();
            record.removeEventListener("program", onProgram);
            record.removeEventListener("state", load);
        };
    },
    move(place) {
        drawList();
        drawDetail(place);
        return true;
    },
    keys: {
        "/": () => filter?.focus(),
        j: () => step(1),
        k: () => step(-1),
        Escape: () => go(hashOf("abilities")),
    },
};

/** @returns {string[]} */
function shownNames() {
    const wanted = filter?.value.toLowerCase() ?? "";
    return Object.entries(abilities ?? {})
        .filter(([name, { target = "" }]) => `${name} ${target}`.toLowerCase().includes(wanted))
        .map(([name]) => name);
}

/** @param {number} by */
function step(by) {
    const names = shownNames();
    const at = names.indexOf(here().id);
    const next = names[at < 0 ? 0 : Math.min(names.length - 1, Math.max(0, at + by))];
    if (next !== undefined) go(hashOf("abilities", next), { replace: true });
}

/**
 * @param {HTMLElement} detail
 * @param {import("../route.js").Place} place
 * @param {Ability} ability
 * @returns {() => void}
 */
function showAbility(detail, place, ability) {
    const isAny = place.id === ANY;
    const chosen = /** @type {keyof typeof TABS} */ (!isAny && (place.query.get("tab") ?? "") in TABS ? place.query.get("tab") : "try");
    const { target = "", declared = "", doc = "", timeout } = ability;
    const [first = "", ...rest] = doc.split(/\n\s*\n/);
    const facts = [phrase(target), declared && t("abilities.declared", { place: declared }), timeout !== undefined && t("abilities.timeout", { count: Number(timeout) })];
    const tabs = Object.keys(TABS).map((name) =>
        h("a", { href: hashOf("abilities", place.id, { tab: name === "try" ? "" : name }), "aria-current": name === chosen && "true" }, t(`abilities.tab.${name}`)),
    );
    const pane = h("div");
    fill(
        detail,
        h("a", { class: "back", href: hashOf("abilities") }, "← ", t("abilities.back")),
        h("h2", { class: isAny ? "" : "mono" }, isAny ? t("abilities.any") : visible(place.id)),
        h("p", { class: "dim" }, visible(facts.filter(Boolean).join(" · "))),
        first && h("p", {}, docText(first)),
        rest.length > 0 && h("details", { class: "doc" }, h("summary", {}, t("abilities.more")), rest.map((each) => h("p", {}, docText(each)))),
        isAny ? null : h("nav", { class: "tabs", "aria-label": visible(place.id) }, tabs),
        pane,
    );
    return TABS[chosen](pane, isAny ? "" : place.id, ability);
}

/** @returns {HTMLElement} */
function openMode() {
    return h("div", { class: "card" }, h("p", {}, t("abilities.open")), h("p", { class: "dim" }, t("abilities.open.help")), commandLine(`wwspec zone register --app .${urlOption()}`));
}

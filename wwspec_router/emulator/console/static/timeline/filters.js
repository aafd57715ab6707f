// The filters of the timeline: in the URL, as controls, as chips, and as a condition on entries.
// @ts-check
import { fill, h, visible } from "../dom.js";
import { isTyping } from "../keys.js";
import { t } from "../texts.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {"kind" | "ability" | "errcode" | "corp"} Choice
 * @typedef {Record<Choice | "q" | "failed", string>} Filters Empty texts for none; `failed` is `1`.
 */

const NAMES = /** @type {const} */ (["q", "kind", "ability", "errcode", "corp", "failed"]);
const CHOICES = /** @type {const} */ (["kind", "ability", "errcode", "corp"]);
const KINDS = ["app", "call", "event", "sdk", "callback", "clock"];
const TYPING_MS = 250; // after the last key before a text is searched

/**
 * Return the filters of a place.
 * @param {URLSearchParams} query
 * @returns {Filters}
 */
export function filtersOf(query) {
    return /** @type {Filters} */ (Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])));
}

/**
 * Return the query of a place with other filters; the rest of it stays.
 * @param {URLSearchParams} query
 * @param {Filters} filters
 */
export function withFilters(query, filters) {
    const changed = new URLSearchParams(query);
    for (const name of NAMES) changed.delete(name);
    for (const name of NAMES) changed.append(name, filters[name]);
    return changed;
}

/**
 * Return what filters ask of an entry; null when they ask for nothing.
 * @param {Filters} filters
 * @param {ReadonlySet<number>} found Numbers of the entries in which the text is.
 * @returns {((row: Row) => boolean) | null}
 */
export function conditionOf({ q, kind, ability, errcode, corp, failed }, found) {
    if (!(q || kind || ability || errcode || corp || failed)) return null;
    const code = errcode === "" ? null : Number(errcode);
    return (row) =>
        (!failed || row.failed) &&
        (!kind || row.kind === kind) &&
        (!ability || row.ability === ability) &&
        (!corp || row.corpid === corp) &&
        (code === null || row.errcode === code || row.program_errcode === code) &&
        (!q || found.has(row.number));
}

/** The controls. */
export class FilterBar {
    /** @type {Record<Choice, Set<string>>} What the entries have had so far. */
    #seen = { kind: new Set(KINDS), ability: new Set(), errcode: new Set(), corp: new Set() };
    /** @type {Record<Choice, HTMLSelectElement>} */
    #selects;
    #search = h("input", { type: "search", "aria-label": t("timeline.search"), placeholder: t("timeline.search.hint"), autocomplete: "off", spellcheck: "false" });
    #failed = h("input", { type: "checkbox" });
    #choices = h("div", { class: "choices" });
    #chips = h("div", { class: "filters" });
    /** @type {Filters} */
    #filters;
    #typing = 0;

    /**
     * @param {Filters} filters
     * @param {(filters: Filters) => void} change Go to the place that has these filters.
     * @param {(Node | string)[]} end What is at the end of the bar.
     */
    constructor(filters, change, end) {
        this.#filters = filters;
        this.change = change;
        this.#selects = /** @type {Record<Choice, HTMLSelectElement>} */ (
            Object.fromEntries(CHOICES.map((name) => [name, h("select", { "aria-label": t(`timeline.${name}`), onchange: () => this.#set(name, this.#selects[name].value) })]))
        );
        this.#search.addEventListener("input", () => {
            clearTimeout(this.#typing);
            this.#typing = setTimeout(() => this.#set("q", this.#search.value), TYPING_MS);
        });
        this.#search.addEventListener("keydown", (event) => event.key === "Enter" && this.#set("q", this.#search.value));
        this.#failed.addEventListener("change", () => this.#set("failed", this.#failed.checked ? "1" : ""));
        fill(this.#choices, Object.values(this.#selects));
        const more = h("button", { type: "button", class: "only-narrow", "aria-expanded": "false", onclick: () => more.setAttribute("aria-expanded", String(this.#choices.classList.toggle("open"))) }, t("timeline.filters"));
        this.element = h(
            "div",
            { class: "timeline-bar" },
            h("div", { class: "toolbar" }, this.#search, more, this.#choices, h("label", { class: "check" }, this.#failed, " ", t("timeline.failures")), ...end),
            this.#chips,
        );
        this.show(filters);
    }

    /** @param {Filters} filters Show these. */
    show(filters) {
        this.#filters = filters;
        if (this.#search.value.trim() !== filters.q) this.#search.value = filters.q;
        this.#failed.checked = filters.failed !== "";
        for (const name of CHOICES) this.#fill(name);
        const set = NAMES.filter((name) => filters[name] !== "");
        fill(this.#chips, set.map((name) => this.#chip(name)), set.length > 1 && this.#clearAll());
        this.#chips.hidden = set.length === 0;
    }

    /** @param {Row} row Offer what an entry has. */
    offer(row) {
        const seen = this.#seen;
        if (row.ability && !seen.ability.has(row.ability)) this.#see("ability", row.ability);
        if (row.corpid && !seen.corp.has(row.corpid)) this.#see("corp", row.corpid);
        for (const errcode of [row.errcode, row.program_errcode]) {
            if (errcode && !seen.errcode.has(String(errcode))) this.#see("errcode", String(errcode));
        }
    }

    focus() {
        this.#search.focus();
        this.#search.select();
    }

    /** Leave the search field. @returns {boolean} False when it is elsewhere. */
    leave() {
        const at = document.activeElement;
        if (!isTyping(at) || !this.element.contains(at)) return false;
        /** @type {HTMLElement} */ (at).blur();
        return true;
    }

    clear() {
        this.change(filtersOf(new URLSearchParams()));
    }

    end() {
        clearTimeout(this.#typing);
    }

    /**
     * @param {Choice} name
     * @param {string} value
     */
    #see(name, value) {
        this.#seen[name].add(value);
        if (document.activeElement !== this.#selects[name]) this.#fill(name);
    }

    /**
     * @param {keyof Filters} name
     * @param {string} value
     */
    #set(name, value) {
        clearTimeout(this.#typing);
        if (value.trim() !== this.#filters[name]) this.change({ ...this.#filters, [name]: value.trim() });
    }

    /** @param {Choice} name */
    #fill(name) {
        const chosen = this.#filters[name];
        const values = [...new Set([...this.#seen[name], ...(chosen ? [chosen] : [])])];
        if (name !== "kind") values.sort((a, b) => (name === "errcode" ? Number(a) - Number(b) : a < b ? -1 : 1));
        const any = h("option", { value: "" }, `${t(`timeline.${name}`)}: ${t("timeline.any")}`);
        const options = values.map((value) => h("option", { value, selected: value === chosen }, shown(name, value)));
        fill(this.#selects[name], any, options);
        this.#selects[name].value = chosen;
        this.#selects[name].classList.toggle("set", chosen !== "");
    }

    /** @param {keyof Filters} name */
    #chip(name) {
        const value = this.#filters[name];
        const label = name === "failed" ? t("timeline.failures") : `${t(`timeline.${name === "q" ? "text" : name}`)}: ${name === "q" ? visible(value) : shown(name, value)}`;
        return h("button", { type: "button", class: "chip removable", "aria-label": t("timeline.remove", { filter: label }), onclick: () => this.#set(name, "") }, label, h("span", { "aria-hidden": "true" }, " ×"));
    }

    #clearAll() {
        return h("button", { type: "button", class: "link", onclick: () => this.clear() }, t("timeline.clear"));
    }
}

/**
 * @param {Choice | "failed" | "q"} name
 * @param {string} value
 */
function shown(name, value) {
    return name === "kind" && KINDS.includes(value) ? t(`timeline.kind.${value}`) : visible(value);
}

// The bar of the timeline: its query, completed while it is typed, and how the list is shown. Both are in the URL.
// @ts-check
import { fill, h, update, visible } from "../dom.js";
import { isTyping } from "../keys.js";
import { OptionList } from "../options.js";
import { t } from "../texts.js";
import { KEYS, readQuery, VALUES, withWord, wordsOf, written } from "./query.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {object} Filters
 * @property {string} q The query; empty for none.
 * @property {string} sort `slowest`, or empty: the oldest first.
 * @property {string} scale `one` for all bars, or empty: each flow has its own.
 */

const NAMES = /** @type {const} */ (["q", "sort", "scale"]);
const FAILED = "is:failed";
const TYPING_MS = 250; // after the last key before a text is searched
const MOST_OPTIONS = 10;

/**
 * Return the filters of a place.
 * @param {URLSearchParams} query
 * @returns {Filters}
 */
export function filtersOf(query) {
    return { q: query.get("q") ?? "", sort: query.get("sort") ?? "", scale: query.get("scale") ?? "" };
}

/**
 * Return the query of a place with other filters; the rest of it stays.
 * @param {URLSearchParams} query
 * @param {Filters} filters
 */
export function withFilters(query, filters) {
    const changed = new URLSearchParams(query);
    for (const name of NAMES) changed.set(name, filters[name]);
    return changed;
}

/** The controls. */
export class FilterBar {
    /** @type {Record<string, Set<string>>} What the entries have had so far. */
    #seen = { ability: new Set(), name: new Set(), errcode: new Set(), corp: new Set() };
    #search = h("input", { type: "search", "aria-label": t("timeline.search"), placeholder: t("timeline.search.hint"), autocomplete: "off", spellcheck: "false" });
    #options = new OptionList(this.#search, t("timeline.search.options"));
    #failed = h("input", { type: "checkbox", onchange: () => this.#set({ q: withWord(this.#search.value, FAILED, this.#failed.checked) }) });
    #problems = h("div", { class: "problems-of-query", role: "alert" });
    #ways = h("div", { class: "ways" });
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
        this.#search.addEventListener("input", () => {
            this.#complete();
            clearTimeout(this.#typing);
            this.#typing = setTimeout(() => this.#set({ q: this.#search.value }), TYPING_MS);
        });
        this.#search.addEventListener("click", () => this.#complete());
        this.#search.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown") this.#complete();
            if (event.key !== "Enter") return;
            this.#options.show([]);
            this.#set({ q: this.#search.value });
        });
        const clear = h("button", { type: "button", class: "link", onclick: () => this.clear() }, t("timeline.clear"));
        this.element = h(
            "div",
            { class: "timeline-bar" },
            h("div", { class: "toolbar" }, h("div", { class: "search" }, this.#search, this.#options.element), h("label", { class: "check" }, this.#failed, " ", t("timeline.failures")), clear, ...end),
            this.#problems,
        );
        this.clearButton = clear;
        this.show(filters);
    }

    /** @returns {HTMLElement} How the list is shown: its order, and the scale of its bars. */
    get ways() {
        return this.#ways;
    }

    /** @param {Filters} filters Show these. */
    show(filters) {
        this.#filters = filters;
        if (this.#search.value.trim() !== filters.q) this.#search.value = filters.q;
        this.#failed.checked = wordsOf(filters.q).some((word) => word.key === "is" && word.value === "failed" && !word.isNot);
        this.clearButton.hidden = filters.q === "";
        update(this.#problems, readQuery(filters.q).problems.map((text) => h("p", { class: "problem" }, visible(text))));
        update(this.#ways, this.#way("sort", "slowest"), this.#way("scale", "one"));
    }

    /** @param {Row} row Offer what an entry has. */
    offer(row) {
        const { ability, name, errcode, corp } = this.#seen;
        if (row.ability) ability?.add(row.ability);
        if (row.corpid) corp?.add(row.corpid);
        name?.add(row.name);
        for (const code of [row.errcode, row.program_errcode]) if (code) errcode?.add(String(code));
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
        this.#search.value = "";
        this.#set({ q: "" });
    }

    end() {
        clearTimeout(this.#typing);
    }

    /** @param {Partial<Filters>} changed */
    #set(changed) {
        clearTimeout(this.#typing);
        const filters = { ...this.#filters, ...changed, q: (changed.q ?? this.#search.value).trim() };
        if (NAMES.some((name) => filters[name] !== this.#filters[name])) this.change(filters);
    }

    /**
     * @param {"sort" | "scale"} name
     * @param {string} value
     */
    #way(name, value) {
        const isSet = this.#filters[name] === value;
        return h("button", { type: "button", class: "small", "aria-pressed": String(isSet), title: t(`timeline.${name}.about`), onclick: () => this.#set({ [name]: isSet ? "" : value }) }, t(`timeline.${name}.${value}`));
    }

    /** Offer what can be written at the cursor. */
    #complete() {
        const text = this.#search.value;
        const at = this.#search.selectionStart ?? text.length;
        const word = wordsOf(text).find(({ start, end }) => start < at && at <= end) ?? { start: at, end: at, isNot: false, key: "", value: "" };
        const not = word.isNot ? "-" : "";
        const part = word.value.toLowerCase();
        const option = (/** @type {string} */ name, about = "") => ({ name: visible(name), about, choose: () => this.#put(word, `${not}${name}`) });
        const values = (/** @type {string} */ key) => [...(VALUES[key] ?? []), ...(this.#seen[key] ?? [])].filter((value) => value.toLowerCase().includes(part));
        if (word.key !== "") {
            const found = values(word.key).filter((value) => value !== word.value);
            this.#options.show(found.slice(0, MOST_OPTIONS).map((value) => option(`${word.key}:${written(value)}`)));
            return;
        }
        const keys = KEYS.filter((key) => key.startsWith(part)).map((key) => option(`${key}:`, t(`query.about.${key}`)));
        const named = part.length < 2 ? [] : ["ability", "name"].flatMap((key) => values(key).map((value) => option(`${key}:${written(value)}`)));
        this.#options.show([...keys, ...named].slice(0, MOST_OPTIONS));
    }

    /**
     * Put a text in the place of a word.
     * @param {{start: number, end: number}} word
     * @param {string} text
     */
    #put({ start, end }, text) {
        this.#search.focus();
        this.#search.setRangeText(text.endsWith(":") ? text : `${text} `, start, end, "end");
        this.#search.dispatchEvent(new Event("input"));
    }
}

// The bar of the timeline: its query, and how the list is shown. Both are in the URL.
// @ts-check
import { h, update, visible } from "../dom.js";
import { isTyping } from "../keys.js";
import { t } from "../texts.js";
import { readQuery, withWord, wordsOf } from "./query.js";

/**
 * @typedef {object} Filters
 * @property {string} q The query; empty for none.
 * @property {string} sort `slowest`, or empty: the oldest first.
 * @property {string} scale `own` for each flow, or empty: all bars have one.
 */

const NAMES = /** @type {const} */ (["q", "sort", "scale"]);
const FAILED = "is:failed";
const TYPING_MS = 250; // after the last key before a text is searched

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
    #search = h("input", { type: "search", "aria-label": t("timeline.search"), placeholder: t("timeline.search.hint"), autocomplete: "off", spellcheck: "false" });
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
            clearTimeout(this.#typing);
            this.#typing = setTimeout(() => this.#set({ q: this.#search.value }), TYPING_MS);
        });
        this.#search.addEventListener("keydown", (event) => {
            if (event.key === "Enter") this.#set({ q: this.#search.value });
        });
        const clear = h("button", { type: "button", class: "link", onclick: () => this.clear() }, t("timeline.clear"));
        this.element = h(
            "div",
            { class: "timeline-bar" },
            h("div", { class: "toolbar" }, this.#search, h("label", { class: "check" }, this.#failed, " ", t("timeline.failures")), clear, ...end),
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
        update(this.#ways, this.#way("sort", "slowest"), this.#way("scale", "own"));
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
}

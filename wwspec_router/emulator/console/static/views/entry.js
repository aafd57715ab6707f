// One entry, in the detail pane: head, facts, what it caused, and its bodies in tabs; or its replay.
// @ts-check
import { fill, h, update } from "../dom.js";
import { setPartKeys } from "../keys.js";
import { record } from "../record.js";
import { go, hashOf, here } from "../route.js";
import { t } from "../texts.js";
import { asSent, http, texts, trees } from "../entry/bodies.js";
import { copies } from "../entry/copies.js";
import { facts, problems, title } from "../entry/heading.js";
import { causedList } from "../entry/links.js";
import { replayable } from "../entry/related.js";
import { tabList } from "../entry/tabs.js";
import { comparisonHash, isComparison, showComparison } from "./compare.js";
import { showReplay } from "./replay.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../dom.js").Child} Child
 */

/** @type {Record<string, (entry: Entry) => Child | Child[]>} */
const TABS = { tree: trees, text: texts, sent: asSent, http, copy: copies };
const FIRST_TAB = "tree";
const REPLAY = "replay";

/**
 * Show an entry, or its replay when the place says so (`#/timeline/12/replay`).
 * @param {HTMLElement} element
 * @param {number} number
 * @param {import("../route.js").Place} [_place]
 * @returns {() => void} Ends it.
 */
export function showEntry(element, number, _place) {
    const pane = new EntryPane(element, number);
    return () => pane.end();
}

/** @type {Partial<Record<Entry["kind"], string>>} Where a fault sits that hits such an exchange. */
const FAULTS_ON = { app: "app", call: "program", event: "program", sdk: "sdk", callback: "callback" };

/** @param {Entry} entry */
function faultLink({ kind, name }) {
    const on = FAULTS_ON[kind];
    const hash = hashOf("faults", "", { on: on ?? "", api: on === "callback" ? "" : name, count: "1" });
    return on !== undefined && !record.file && h("a", { class: "button small", href: hash }, t("entry.fail"));
}

/** @param {Entry} entry */
function compareLink({ number }) {
    return h("a", { class: "button small", href: comparisonHash(number), title: "d" }, t("entry.compare"));
}

class EntryPane {
    #element;
    #number;
    /** @type {Entry | null} */
    #entry = null;
    #part = "";
    #tab = "";
    #caused = h("div");
    #panel = h("div", { class: "panel" });
    #tabs = tabList(t("entry.tabs"), Object.keys(TABS).map((name) => [name, t(`entry.tab.${name}`)]), this.#panel, (name) => this.#choose(name));
    #listening = new AbortController();
    #endPart = () => {};

    /**
     * @param {HTMLElement} element
     * @param {number} number
     */
    constructor(element, number) {
        this.#element = element;
        this.#number = number;
        fill(element, h("p", { class: "dim" }, t("loading")));
        const { signal } = this.#listening;
        addEventListener("hashchange", () => this.#follow(), { signal });
        record.addEventListener("rows", (event) => this.#changed(/** @type {CustomEvent<Set<number> | null>} */ (event).detail), { signal });
        void this.#load();
    }

    end() {
        this.#listening.abort();
        this.#endPart();
        setPartKeys({});
    }

    async #load() {
        try {
            const entry = await record.entry(this.#number);
            if (this.#listening.signal.aborted) return;
            this.#entry = entry;
            this.#show();
        } catch (error) {
            if (this.#listening.signal.aborted) return;
            const reason = error instanceof Error ? error.message : String(error);
            fill(this.#element, h("p", { class: "empty", role: "alert" }, t("entry.gone", { number: this.#number, reason })));
        }
    }

    /** The place is another one; the timeline sees to other entries. */
    #follow() {
        const { view, id, part } = here();
        if (view !== "timeline" || id !== String(this.#number) || this.#entry === null) return;
        if (part !== this.#part) this.#show();
        else if (part === "") this.#showTab();
    }

    /** @param {Set<number> | null} flows */
    #changed(flows) {
        const shown = this.#entry;
        if (shown === null || this.#part !== "" || (flows !== null && !flows.has(shown.flow))) return;
        const row = record.rows.get(this.#number);
        if (row === undefined) return;
        if (row.outcome !== shown.outcome || row.duration_ms !== shown.duration_ms) void this.#load();
        else update(this.#caused, causedList(shown));
    }

    #show() {
        const entry = this.#entry;
        if (entry === null) return;
        this.#endPart();
        this.#endPart = () => {};
        const before = this.#part;
        this.#part = here().part;
        if (this.#part === REPLAY && entry.replayable && !record.file) {
            this.#endPart = showReplay(this.#element, entry);
            return;
        }
        if (isComparison(this.#part)) {
            this.#endPart = showComparison(this.#element, entry, this.#part);
            return;
        }
        this.#part = "";
        this.#tab = "";
        fill(this.#caused, causedList(entry));
        const head = h("header", { class: "entry-head" }, title(entry, [faultLink(entry), compareLink(entry), this.#replayButton(entry)]), problems(entry), facts(entry));
        fill(this.#element, h("article", { class: "exchange", "aria-labelledby": "entry-title" }, head, this.#caused, this.#tabs.element, this.#panel));
        setPartKeys({ r: () => this.#replay(), c: () => this.#choose("copy"), d: () => go(comparisonHash(entry.number)) });
        this.#showTab();
        if (before !== "") document.getElementById("entry-title")?.focus();
    }

    #showTab() {
        const asked = here().query.get("tab") ?? FIRST_TAB;
        const tab = asked in TABS ? asked : FIRST_TAB;
        if (tab === this.#tab || this.#entry === null) return;
        this.#tab = tab;
        this.#tabs.select(tab);
        const shown = TABS[tab]?.(this.#entry) ?? [];
        fill(this.#panel, shown);
    }

    /** @param {string} name */
    #choose(name) {
        const query = new URLSearchParams(here().query);
        query.set("tab", name === FIRST_TAB ? "" : name);
        go(hashOf("timeline", this.#number, query), { replace: true });
    }

    /** @param {Entry} entry */
    #replayButton(entry) {
        const number = replayable(entry);
        const label = number === entry.number ? t("entry.replay") : t("entry.replay.cause", { number });
        const isFile = record.file !== "";
        return number > 0 && h("button", { type: "button", class: "small", disabled: isFile, title: isFile ? t("readonly") : "r", onclick: () => this.#replay() }, label);
    }

    #replay() {
        const number = this.#entry === null ? 0 : replayable(this.#entry);
        if (number > 0 && !record.file) go(hashOf("timeline", number, here().query, REPLAY));
    }
}

// One entry, in the detail pane: head, facts, what it caused, and its bodies in tabs; or its replay.
// @ts-check
import { fill, h, update } from "../dom.js";
import { setPartKeys } from "../keys.js";
import { record } from "../record.js";
import { go, hashOf, here } from "../route.js";
import { t } from "../texts.js";
import { asSent, http, texts, trees } from "../entry/bodies.js";
import { copies } from "../entry/copies.js";
import { causeLines, fetchButton } from "../entry/event.js";
import { facts, problems, title } from "../entry/heading.js";
import { causedList } from "../entry/links.js";
import { replayable } from "../entry/related.js";
import { tabList } from "../entry/tabs.js";
import { tracedNumber, why } from "../entry/why.js";
import { showReplay } from "./replay.js";

/**
 * @typedef {import("../record.js").Entry} Entry
 * @typedef {import("../dom.js").Child} Child
 */

/** @type {Record<string, (entry: Entry) => Child | Child[]>} */
const TABS = { tree: trees, text: texts, sent: asSent, http, copy: copies };
const WHY = "why"; // the tab of an entry that failed, or of which the program tells something
const REPLAY = "replay";

/**
 * Show an entry, or its replay when the place says so (`#/timeline/12/replay`).
 * @param {HTMLElement} element
 * @param {number} number
 * @returns {() => void} Ends it.
 */
export function showEntry(element, number) {
    const pane = new EntryPane(element, number);
    return () => pane.end();
}

/** @type {Partial<Record<Entry["kind"], string>>} Where a fault sits that hits such an exchange. */
const FAULTS_ON = { app: "app", call: "program", event: "program", sdk: "sdk", callback: "callback" };

/** @param {Entry} entry */
function faultLink({ kind, name }) {
    const on = FAULTS_ON[kind];
    const hash = hashOf("faults", "", { on: on ?? "", api: on === "callback" ? "" : name, count: "1" });
    return on !== undefined && h("a", { class: "button small", href: hash }, t("entry.fail"));
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
    #tabs = this.#tabList([]);
    /** @type {import("../record.js").Trace[]} */
    #traces = [];
    /** @type {import("../record.js").Row | undefined} The row whose entry has them, as it was when they were loaded. */
    #tracedRow = undefined;
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
            const row = record.rows.get(this.#number);
            const entry = await record.entry(this.#number);
            const number = tracedNumber(entry);
            if (this.#listening.signal.aborted) return;
            this.#entry = entry;
            this.#tracedRow = number === entry.number ? row : record.rows.get(number);
            this.#traces = entry.traces;
            this.#show();
            void this.#followTraces(entry);
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
        if (row.verdict !== shown.verdict || row.reason[0] !== shown.reason[0] || row.attempts !== shown.attempts || row.duration_ms !== shown.duration_ms) void this.#load();
        else update(this.#caused, fetchButton(shown), causedList(shown));
        void this.#followTraces(shown);
    }

    /**
     * Show what the program tells of an entry when the exchange is over.
     * @param {Entry} shown
     */
    async #followTraces(shown) {
        const number = tracedNumber(shown);
        const row = record.rows.get(number);
        if (row === this.#tracedRow) return;
        this.#tracedRow = row;
        const { traces } = await record.entry(shown.number);
        if (this.#listening.signal.aborted || this.#entry !== shown || this.#part !== "") return;
        if (traces.length === this.#traces.length && traces.at(-1)?.attempt === this.#traces.at(-1)?.attempt) return; // of many, the first and the latest are kept
        this.#traces = traces;
        this.#show();
    }

    #show() {
        const entry = this.#entry;
        if (entry === null) return;
        this.#endPart();
        this.#endPart = () => {};
        const before = this.#part;
        this.#part = here().part;
        if (this.#part === REPLAY && entry.replayable) {
            this.#endPart = showReplay(this.#element, entry);
            return;
        }
        this.#part = "";
        this.#tab = "";
        const focused = this.#element.contains(document.activeElement) ? document.activeElement?.id : "";
        this.#tabs = this.#tabList(this.#hasWhy ? [WHY, ...Object.keys(TABS)] : Object.keys(TABS));
        fill(this.#caused, fetchButton(entry), causedList(entry));
        const head = h("header", { class: "entry-head" }, title(entry, [faultLink(entry), this.#replayButton(entry)]), problems(entry));
        const rest = [causeLines(entry), facts(entry), this.#caused].flat();
        const body = [this.#tabs.element, this.#panel];
        fill(this.#element, h("article", { class: "exchange", "aria-labelledby": "entry-title" }, head, ...(entry.failed ? [...body, ...rest] : [...rest, ...body])));
        setPartKeys({ r: () => this.#replay(), c: () => this.#choose("copy") });
        this.#showTab();
        if (focused) document.getElementById(focused)?.focus();
        if (before !== "") document.getElementById("entry-title")?.focus();
    }

    /** @param {string[]} names */
    #tabList(names) {
        return tabList(t("entry.tabs"), names.map((name) => [name, t(`entry.tab.${name}`)]), this.#panel, (name) => this.#choose(name));
    }

    /** Whether there is more to say of how it ended than its heading says. */
    get #hasWhy() {
        return this.#entry !== null && (this.#entry.failed || this.#entry.attempt !== null || this.#traces.length > 0);
    }

    /** Which tab is shown where none was chosen: why it failed, or the bodies. */
    get #firstTab() {
        return this.#entry?.failed || this.#traces.some(({ outcome }) => outcome !== "ok") ? WHY : "tree";
    }

    #showTab() {
        const asked = here().query.get("tab") ?? this.#firstTab;
        const tab = asked in TABS || (asked === WHY && this.#hasWhy) ? asked : this.#firstTab;
        if (tab === this.#tab || this.#entry === null) return;
        this.#tab = tab;
        this.#tabs.select(tab);
        const shown = tab === WHY ? why(this.#entry, this.#traces) : (TABS[tab]?.(this.#entry) ?? []);
        fill(this.#panel, shown);
    }

    /** @param {string} name */
    #choose(name) {
        const query = new URLSearchParams(here().query);
        query.set("tab", name === this.#firstTab ? "" : name);
        go(hashOf("timeline", this.#number, query), { replace: true });
    }

    /** @param {Entry} entry */
    #replayButton(entry) {
        const number = replayable(entry);
        const label = number === entry.number ? t("entry.replay") : t("entry.replay.cause", { number });
        return number > 0 && h("button", { type: "button", class: "small", title: "r", onclick: () => this.#replay() }, label);
    }

    #replay() {
        const number = this.#entry === null ? 0 : replayable(this.#entry);
        if (number > 0) go(hashOf("timeline", number, here().query, REPLAY));
    }
}

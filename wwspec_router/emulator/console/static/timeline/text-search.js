// Which entries have a text in them. The emulator, or the imported file, is asked; bodies are not in this page.
// @ts-check
import { record } from "../record.js";

const PAUSE_MS = 250; // between two questions about new entries

/** The search for one text at a time. */
export class TextSearch {
    /** @type {Set<number>} Numbers of the entries that have it. */
    found = new Set();
    #text = "";
    #timer = 0;
    #since = Infinity;

    /**
     * @param {(isDone: boolean) => void} onSearch Called when a search begins, and when `found` has changed.
     */
    constructor(onSearch) {
        this.onSearch = onSearch;
    }

    /**
     * Search for a text; an empty one is in no entry.
     * @param {string} text
     */
    search(text) {
        if (text === this.#text) return;
        this.end();
        this.#text = text;
        this.found = new Set();
        if (text) void this.#ask(0);
    }

    /** Search anew: other entries are there. */
    again() {
        const text = this.#text;
        this.#text = "";
        this.search(text);
    }

    /**
     * Ask about entries that came or changed.
     * @param {number} number The first of them.
     */
    renew(number) {
        if (!this.#text) return;
        this.#since = Math.min(this.#since, number - 1);
        if (this.#timer) return;
        this.#timer = setTimeout(() => {
            const since = this.#since;
            this.end();
            void this.#ask(since);
        }, PAUSE_MS);
    }

    /** Ask no more. */
    end() {
        clearTimeout(this.#timer);
        this.#timer = 0;
        this.#since = Infinity;
    }

    /** @param {number} since */
    async #ask(since) {
        const text = this.#text;
        if (since === 0) this.onSearch(false);
        try {
            const found = await record.search({ text, since: String(since) });
            if (text !== this.#text) return;
            const kept = [...this.found].filter((number) => record.rows.has(number));
            this.found = new Set([...kept, ...found]);
        } finally {
            if (text === this.#text) this.onSearch(true);
        }
    }
}

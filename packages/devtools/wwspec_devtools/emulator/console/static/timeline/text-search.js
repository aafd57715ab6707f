// Which entries have texts in them. The emulator is asked; bodies are not in this page.
// @ts-check
import { get } from "../api.js";
import { record } from "../record.js";

const PAUSE_MS = 250; // between two questions about new entries

/** The search for the texts of one query at a time. */
export class TextSearch {
    /** @type {Map<string, Set<number>>} Text -> numbers of the entries that have it. */
    found = new Map();
    /** What somebody has said, with the texts in it, is in no body: its texts, and how many messages have one. */
    messages = { text: "", count: 0 };
    /** @type {readonly string[]} */
    #texts = [];
    #timer = 0;
    #since = Infinity;

    /**
     * @param {(isDone: boolean) => void} onSearch Called when a search begins, and when `found` has changed.
     */
    constructor(onSearch) {
        this.onSearch = onSearch;
    }

    /** Whether it is known which entries have the texts. */
    get isDone() {
        return this.#texts.every((text) => this.found.has(text));
    }

    /** @param {readonly string[]} texts What is searched for. */
    search(texts) {
        if (texts.join("\n") === this.#texts.join("\n")) return;
        this.end();
        this.#texts = texts;
        this.found = new Map();
        this.messages = { text: "", count: 0 };
        if (texts.length > 0) void this.#ask(0);
    }

    /** Search anew: other entries are there. */
    again() {
        const texts = this.#texts;
        this.#texts = [];
        this.search(texts);
    }

    /**
     * Ask about entries that came or changed.
     * @param {number} number The first of them.
     */
    renew(number) {
        if (this.#texts.length === 0) return;
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
        const texts = this.#texts;
        if (since === 0) this.onSearch(false);
        try {
            const said = Promise.all(texts.map(async (text) => ({ text, count: (await get("messages", { text, limit: 1 })).count })));
            const found = await Promise.all(texts.map((text) => record.search({ text, since: String(since) })));
            const messages = (await said).find(({ count }) => count > 0);
            if (texts !== this.#texts) return;
            this.messages = messages ?? { text: "", count: 0 };
            for (const [index, text] of texts.entries()) {
                const kept = [...(this.found.get(text) ?? [])].filter((number) => record.rows.has(number));
                this.found.set(text, new Set([...kept, ...(found[index] ?? [])]));
            }
        } finally {
            if (texts === this.#texts) this.onSearch(true);
        }
    }
}

// What is wrong with a request while it is typed: as JSON at once, and by the emulator's console contract a moment later.
// @ts-check
import { ask } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { JsonTextError, indexOfPath, lineOf, parseJson } from "../json/text.js";
import { inLanguage, t } from "../texts.js";

const PAUSE_MS = 200; // after the last key
const LONGEST = 200_000; // characters of a text in which the place of a misfit is looked for
const SHOWN = 120; // characters of the line that is wrong

export class DraftCheck {
    /** Says it in words. */
    element = h("p", { class: "check", role: "status" });
    #field;
    #timer = 0;
    #latest = 0;

    /** @param {HTMLTextAreaElement} field */
    constructor(field) {
        this.#field = field;
    }

    end() {
        clearTimeout(this.#timer);
        this.#latest += 1;
    }

    /**
     * Check what the field holds.
     * @param {string | null} ability Null for an event.
     */
    check(ability) {
        this.end();
        const text = this.#field.value;
        try {
            parseJson(text);
        } catch (error) {
            if (!(error instanceof JsonTextError)) throw error;
            const { line, column, reason } = error;
            this.#say("bad", t("replay.error", { line, column, reason: t(reason) }), line);
            return;
        }
        if (ability === null) this.#say("dim", t("replay.event"));
        else this.#timer = setTimeout(() => void this.#compare(ability, text), PAUSE_MS);
    }

    /**
     * @param {string} ability_id
     * @param {string} data
     */
    async #compare(ability_id, data) {
        const turn = this.#latest;
        let answer;
        try {
            answer = await ask("POST", "check", { ability_id, data });
        } catch (error) {
            answer = { verdict: null, reason: error instanceof Error ? error.message : String(error) };
        }
        if (turn !== this.#latest) return;
        const { verdict, reason } = answer;
        if (verdict === null) this.#say("dim", t("replay.unchecked", { reason: visible(reason) }));
        else if (verdict.fits) this.#say("ok", t("replay.fits"));
        else {
            const index = data.length > LONGEST ? -1 : indexOfPath(data, verdict.path);
            const text = t("replay.misfit", { path: visible(verdict.path), problem: visible(inLanguage(verdict.problem)) });
            this.#say("bad", text, index < 0 ? 0 : lineOf(data, index));
        }
    }

    /**
     * @param {"ok" | "bad" | "dim"} kind
     * @param {string} text
     * @param {number} [line] The one that is wrong, from 1; it is shown below the text.
     */
    #say(kind, text, line = 0) {
        this.element.className = `check ${kind}`;
        const shown = line > 0 && (this.#field.value.split("\n")[line - 1] ?? "").trim().slice(0, SHOWN);
        fill(this.element, text, kind === "bad" && h("small", { class: "dim" }, ` ${t("replay.sends.anyway")}`), shown && h("code", {}, visible(shown)));
        this.#field.setAttribute("aria-invalid", String(kind === "bad"));
    }
}

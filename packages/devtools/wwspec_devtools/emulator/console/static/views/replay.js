// A recorded call or event, sent once more: as it was, or edited.
// @ts-check
import { ApiError, ask, get } from "../api.js";
import { fill, h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { isTyping, setPartKeys } from "../keys.js";
import { formatJson } from "../json/format.js";
import { readJson } from "../json/text.js";
import { commandLine, field } from "../parts.js";
import { judged, record } from "../record.js";
import { go, hashOf, here } from "../route.js";
import { t } from "../texts.js";
import { replayLine } from "../entry/commands.js";
import { comparison } from "../entry/comparison.js";
import { DraftCheck } from "../entry/draft-check.js";
import { shortened } from "../entry/links.js";
import { results } from "../entry/results.js";

/** @typedef {import("../record.js").Entry} Entry */

const MOST_TIMES = 1000;
const LONGEST_LINE = 20_000; // characters of a request that fits into a command line
const LONG = 20_000; // characters of a request that is not looked at with each key
const LONGEST_FORMATTED = 100_000; // characters; of a longer one the many lines would make the field slow
const PAUSE_MS = 300;
const [FEWEST_ROWS, MOST_ROWS] = [5, 16];

/**
 * Show the form that replays an entry.
 * @param {HTMLElement} element
 * @param {Entry} entry
 * @returns {() => void} Ends it.
 */
export function showReplay(element, entry) {
    const form = new ReplayForm(element, entry);
    return () => form.end();
}

class ReplayForm {
    #entry;
    #recorded;
    #editor;
    #check;
    #ability;
    #notify;
    #times = h("input", { type: "number", min: 1, max: MOST_TIMES, value: 1, inputmode: "numeric" });
    #send = h("button", { type: "submit", class: "primary", title: "Ctrl+Enter" }, t("send"));
    #command = h("div");
    #status = h("p", { role: "status", class: "dim" });
    #outcome = h("div", { class: "replays" });
    #ended = false;
    #timer = 0;

    /**
     * @param {HTMLElement} element
     * @param {Entry} entry
     */
    constructor(element, entry) {
        this.#entry = entry;
        const isShown = readJson(entry.text.request) !== undefined;
        const { request } = entry.text;
        this.#recorded = !isShown ? "" : request.length < LONGEST_FORMATTED ? formatJson(request) : request;
        const rows = Math.min(Math.max(this.#recorded.split("\n").length, FEWEST_ROWS), MOST_ROWS);
        this.#editor = h("textarea", { spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", rows, dir: "ltr" });
        this.#editor.value = this.#recorded;
        this.#check = new DraftCheck(this.#editor);
        this.#ability = h("input", { value: entry.ability, list: "replay-abilities", spellcheck: "false", autocomplete: "off" });
        this.#notify = h("input", { value: entry.call?.notify_id ?? "", spellcheck: "false", autocomplete: "off" });
        for (const input of [this.#editor, this.#ability, this.#notify, this.#times]) input.addEventListener("input", () => this.#changed());
        restoreDraft(this.#draft, this.#controls);
        const options = (record.program?.abilities ?? []).map((id) => h("option", { value: id }));
        const form = h(
            "form",
            { class: "replay" },
            h("header", {}, h("a", { href: hashOf("timeline", entry.number, here().query) }, `← ${t("replay.back", { number: entry.number })}`), h("h2", {}, t("replay.title", { number: entry.number }), " ", h("span", { class: "dim" }, shortened(entry.name)))),
            h("div", { class: "fields" }, this.#isEvent ? null : [field(t("replay.ability"), this.#ability), h("datalist", { id: "replay-abilities" }, options), field(t("replay.notify"), this.#notify)], field(t("replay.times"), this.#times)),
            this.#editorField(isShown),
            h("div", { class: "buttons" }, this.#send, this.#status),
            this.#command,
        );
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            void this.#submit();
        });
        form.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.#submit();
        });
        setPartKeys({ Escape: () => this.#escape(), r: () => this.#editor.focus() });
        fill(element, form, this.#outcome);
        this.#changed();
        this.#editor.focus({ preventScroll: true });
        this.#editor.setSelectionRange(0, 0);
    }

    end() {
        this.#ended = true;
        clearTimeout(this.#timer);
        this.#check.end();
    }

    get #isEvent() {
        return this.#entry.kind === "event";
    }

    /** Name of the draft: other sessions have the same numbers. */
    get #draft() {
        return `replay ${this.#entry.number} ${this.#entry.offset_ms}`;
    }

    get #controls() {
        return { data: this.#editor, ability: this.#ability, notify: this.#notify, times: this.#times };
    }

    /** @param {boolean} isShown */
    #editorField(isShown) {
        const note = !isShown ? t("replay.unreadable") : this.#recorded.includes('"***"') ? t("replay.masked") : "";
        const tools = h(
            "div",
            { class: "buttons" },
            h("button", { type: "button", class: "small", onclick: () => this.#format() }, t("replay.format")),
            h("button", { type: "button", class: "small", onclick: () => this.#restore() }, t("replay.restore")),
            h("small", { class: "dim" }, note),
        );
        return h("div", {}, field(t("replay.data"), this.#editor), this.#check.element, tools);
    }

    /** Put each member on a line of its own; a text that is not JSON stays as it is. */
    #format() {
        if (readJson(this.#editor.value) !== undefined) this.#editor.value = formatJson(this.#editor.value);
        this.#changed();
    }

    #restore() {
        this.#ability.value = this.#entry.ability;
        this.#notify.value = this.#entry.call?.notify_id ?? "";
        this.#editor.value = this.#recorded;
        this.#changed();
    }

    #escape() {
        const at = document.activeElement;
        if (isTyping(at)) /** @type {HTMLElement} */ (at).blur();
        else go(hashOf("timeline", this.#entry.number, here().query));
    }

    #changed() {
        const text = this.#editor.value;
        keepDraft(this.#draft, this.#controls);
        clearTimeout(this.#timer);
        if (text.length < LONG) this.#judge();
        else this.#timer = setTimeout(() => this.#judge(), PAUSE_MS);
    }

    /** Say what is wrong, and which command does the same. */
    #judge() {
        const text = this.#editor.value;
        if (text === "" && this.#recorded === "") this.#check.element.textContent = "";
        else this.#check.check(this.#isEvent ? null : this.#ability.value);
        const { data, ...others } = this.#changes();
        if (data !== undefined && data.length > LONGEST_LINE) {
            update(this.#command, h("p", { class: "dim" }, t("replay.long")));
            return;
        }
        const line = replayLine(this.#entry.number, { ...others, ...(data !== undefined && { data: readJson(data) === undefined ? data : formatJson(data, { isFlat: true }) }) });
        update(this.#command, commandLine(line));
    }

    #changes() {
        const { value: data } = this.#editor;
        const [ability_id, notify_id] = [this.#ability.value, this.#notify.value];
        return {
            ...(data !== this.#recorded && { data }),
            ...(ability_id !== this.#entry.ability && { ability_id }),
            ...(notify_id !== (this.#entry.call?.notify_id ?? "") && { notify_id }),
            times: Math.min(Math.max(Math.trunc(Number(this.#times.value)) || 1, 1), MOST_TIMES),
        };
    }

    async #submit() {
        if (this.#send.disabled) return;
        this.#send.disabled = true;
        fill(this.#status, t("replay.sending"));
        try {
            await this.#show(await replayed({ number: this.#entry.number, ...this.#changes() }));
            fill(this.#status);
        } catch (error) {
            fill(this.#status, t("failed", { reason: visible(error instanceof Error ? error.message : String(error)) }));
        } finally {
            this.#send.disabled = false;
        }
    }

    /** @param {number[]} numbers Of the new entries. */
    async #show(numbers) {
        const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
        const wanted = new Set(numbers);
        const { traffic } = await get("traffic", { since: first - 1, before: last + 1, kind: this.#entry.kind, wait: "false" });
        traffic.forEach(judged);
        const rows = traffic.filter((/** @type {import("../record.js").Row} */ row) => wanted.has(row.number));
        const compared = h("div");
        const compare = async (/** @type {number} */ number) => fill(compared, comparison(this.#entry, await record.entry(number)));
        await compare(last);
        if (!this.#ended) fill(this.#outcome, results(rows, last, compare), compared);
        this.#outcome.scrollIntoView({ block: "nearest" });
    }
}

/**
 * Send a replay and return the numbers of the new entries, also of those that failed.
 * @param {object} asked
 * @returns {Promise<number[]>}
 */
async function replayed(asked) {
    let answer;
    try {
        answer = await ask("POST", "replay", asked);
    } catch (error) {
        if (!(error instanceof ApiError) || !error.answer?.results?.length) throw error;
        answer = error.answer;
    }
    return answer.results.map((/** @type {{number: number}} */ result) => result.number);
}

// The emulator's clock and its reset, two cards of the view `faults`.
// @ts-check
import { ask, refusal } from "../api.js";
import { urlOption } from "../entry/commands.js";
import { h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { commandLine, dateAndTime, field, lengthOfTime, quoted, say } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";

const PRESETS = [600, 7200, 86_400, 604_800]; // seconds
const UNITS = { s: 1, min: 60, h: 3600, d: 86_400, w: 604_800 };
const LENGTH = /^(\d+(?:\.\d+)?)\s*(s|min|h|d|w)?$/;
const NOTICEABLE = 1000; // milliseconds that a clock is ahead

/**
 * Return the card of the clock, and a function that ends it.
 * @returns {{card: HTMLElement, end: () => void}}
 */
export function clockCard() {
    const by = h("input", { value: "7d", required: true, spellcheck: "false", autocomplete: "off" });
    const date = h("input", { type: "datetime-local", step: 1, required: true });
    const back = h("button", { type: "button", onclick: () => move(ask("DELETE", "clock"), "now") });
    const problem = h("p", { class: "problem", role: "alert" });
    const line = h("div");
    const time = h("p", { class: "clock-time" });
    const kind = h("p", { class: "dim" });
    const showLine = (/** @type {string} */ moved) => update(line, commandLine(`wwspec zone advance ${quoted(moved)}${urlOption()}`));
    const controls = { by, date };
    restoreDraft("clock", controls);
    for (const control of [by, date]) {
        control.addEventListener("input", () => {
            keepDraft("clock", controls);
            problem.textContent = "";
            showLine(control.value.replaceAll(" ", ""));
        });
    }
    showLine(by.value.replaceAll(" ", ""));

    /** @type {{at: number, now: number, running: boolean, ahead: number} | null} */
    let known = null;
    const tick = () => {
        if (known === null) return;
        time.textContent = dateAndTime(nowOf(known));
    };
    const take = () => {
        if (record.clock === null) return;
        known = { at: performance.now(), now: record.clock.now_ms, running: record.clock.running, ahead: record.clock.ahead_ms ?? 0 };
        const isAhead = known.ahead >= NOTICEABLE;
        const ahead = isAhead ? t(known.running ? "clock.ahead" : "clock.moved", { length: lengthOfTime(known.ahead / 1000) }) : "";
        kind.textContent = `${t(known.running ? "clock.runs" : "clock.stands")}${ahead}`;
        back.textContent = t(record.clock.running ? "clock.back" : "clock.back.start");
        back.disabled = !isAhead;
        tick();
    };
    record.addEventListener("clock", take);
    const timer = setInterval(tick, 500);
    take();

    const move = async (/** @type {Promise<{now: number}>} */ moved, /** @type {string} */ word) => {
        problem.textContent = "";
        showLine(word);
        problem.textContent = visible(await refusal(async () => say(t("clock.done", { time: dateAndTime((await moved).now * 1000) }))));
    };
    const forward = (/** @type {number} */ seconds, /** @type {string} */ word) => move(ask("POST", "clock", { advance: seconds }), word);
    const submit = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const seconds = secondsOf(by.value);
        if (seconds === null) problem.textContent = t("clock.wrong", { value: by.value });
        else await forward(seconds, by.value.replaceAll(" ", ""));
    };
    const submitDate = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const left = new Date(date.value).getTime() - (known === null ? 0 : nowOf(known));
        if (left < 0) problem.textContent = t("clock.past", { date: dateAndTime(new Date(date.value).getTime()) });
        else await forward(left / 1000, date.value);
    };
    const forms = [
        h("form", { onsubmit: submit }, h("div", { class: "inline" }, field(t("clock.by"), by), h("button", { class: "primary" }, t("clock.forward")))),
        h("form", { onsubmit: submitDate }, h("div", { class: "inline" }, field(t("clock.to"), date), h("button", {}, t("clock.forward")))),
    ];
    const presets = PRESETS.map((each) => h("button", { type: "button", onclick: () => forward(each, String(each)) }, `+ ${lengthOfTime(each)}`));
    const card = h(
        "section",
        { class: "card", "aria-labelledby": "clock-title" },
        h("h2", { id: "clock-title" }, t("clock.title")),
        time,
        kind,
        h("div", { class: "buttons" }, presets, back),
        forms,
        problem,
        line,
        h("small", { class: "dim" }, t("clock.help")),
    );
    return {
        card,
        end() {
            clearInterval(timer);
            record.removeEventListener("clock", take);
        },
    };
}

/** @returns {HTMLElement} The card that resets the emulator, after a question. */
export function resetCard() {
    const dialog = h("dialog", { "aria-labelledby": "reset-question" });
    const reset = async () => {
        dialog.close();
        await ask("POST", "reset");
        say(t("reset.done"));
    };
    dialog.append(
        h("p", { id: "reset-question" }, t("reset.sure")),
        h(
            "div",
            { class: "buttons" },
            h("button", { type: "button", class: "danger", onclick: reset }, t("reset.action")),
            h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, t("cancel")),
        ),
    );
    return h(
        "section",
        { class: "card", "aria-labelledby": "reset-title" },
        h("h2", { id: "reset-title" }, t("reset.title")),
        h("p", { class: "dim" }, t("reset.help")),
        h("button", { type: "button", class: "danger", onclick: () => dialog.showModal() }, t("reset.action")),
        commandLine(`wwspec zone reset${urlOption()}`),
        dialog,
    );
}

/** @param {{at: number, now: number, running: boolean}} known What was heard of the clock, and when. */
function nowOf({ at, now, running }) {
    return now + (running ? performance.now() - at : 0);
}

/**
 * Return the seconds of a length such as `7d`; null when it is none.
 * @param {string} text
 */
function secondsOf(text) {
    const [, count, unit = "s"] = LENGTH.exec(text.trim().toLowerCase()) ?? [];
    return count === undefined ? null : Number(count) * UNITS[/** @type {keyof typeof UNITS} */ (unit)];
}

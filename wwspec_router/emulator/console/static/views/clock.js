// The emulator's clock and its reset, two cards of the view `faults`.
// @ts-check
import { ask } from "../api.js";
import { urlOption } from "../entry/commands.js";
import { fill, h } from "../dom.js";
import { commandLine, field, say } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import { length } from "./program-tables.js";

const PRESETS = [600, 7200, 259200]; // seconds

/**
 * Return the card of the clock, and a function that ends it.
 * @returns {{card: HTMLElement, end: () => void}}
 */
export function clockCard() {
    const seconds = h("input", { type: "number", min: 0, step: "any", value: 600, required: true });
    const line = h("div");
    const time = h("p", { class: "clock-time" });
    const kind = h("p", { class: "dim" });
    const showLine = () => fill(line, commandLine(`wwspec zone advance ${Number(seconds.value) || 0}${urlOption()}`));
    seconds.addEventListener("input", showLine);
    showLine();

    /** @type {{at: number, now: number, running: boolean} | null} */
    let known = null;
    const tick = () => {
        if (known === null) return;
        time.textContent = dateAndTime(known.now + (known.running ? performance.now() - known.at : 0));
    };
    const take = () => {
        if (record.clock === null) return;
        known = { at: performance.now(), now: record.clock.now_ms, running: record.clock.running && !record.file };
        kind.textContent = known.running ? runs(record.clock.ahead_ms ?? 0) : t("clock.stands");
        tick();
    };
    record.addEventListener("clock", take);
    const timer = setInterval(tick, 500);
    take();

    const forward = async (/** @type {number} */ by) => {
        const { now } = await ask("POST", "clock", { advance: by });
        say(t("clock.done", { time: dateAndTime(now * 1000) }));
    };
    const form = h(
        "form",
        { onsubmit: (/** @type {SubmitEvent} */ event) => (event.preventDefault(), forward(Number(seconds.value))) },
        h("div", { class: "inline" }, field(t("clock.seconds"), seconds), h("button", { class: "primary" }, t("clock.forward"))),
    );
    const presets = PRESETS.map((each) => h("button", { type: "button", onclick: () => forward(each) }, `+ ${t(`clock.preset.${each}`)}`));
    const card = h(
        "section",
        { class: "card", "aria-labelledby": "clock-title" },
        h("h2", { id: "clock-title" }, t("clock.title")),
        time,
        kind,
        h("fieldset", { disabled: record.file !== "" }, h("div", { class: "buttons" }, presets), form),
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

/** @param {number} ahead Milliseconds that the clock is ahead of the real time. */
function runs(ahead) {
    const seconds = Math.round(Math.abs(ahead) / 1000);
    if (seconds < 2) return t("clock.runs"); // what a message takes on its way
    return t(ahead > 0 ? "clock.runs.ahead" : "clock.runs.behind", { time: length(seconds) });
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
        h("fieldset", { disabled: record.file !== "" }, h("button", { type: "button", class: "danger", onclick: () => dialog.showModal() }, t("reset.action"))),
        commandLine(`wwspec zone reset${urlOption()}`),
        dialog,
    );
}

/**
 * @param {number} milliseconds Unix time.
 * @returns {string}
 */
function dateAndTime(milliseconds) {
    const date = new Date(milliseconds);
    const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

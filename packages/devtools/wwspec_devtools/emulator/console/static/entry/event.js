// What the entry of an event has beside others: the message or the command that caused it, and its fetch by the app.
// @ts-check
import { abilityOf, ask, refusal } from "../api.js";
import { docText, h, visible } from "../dom.js";
import { say } from "../parts.js";
import { record } from "../record.js";
import { go, hashOf } from "../route.js";
import { t } from "../texts.js";
import { shortened } from "./links.js";
import { descendants } from "./related.js";

/** @typedef {import("../record.js").Entry} Entry */

const USUAL = "get_callback_data";
const FETCHES = "stored event by notify_id"; // what the program says of the ability that does

/**
 * @param {Entry} entry
 * @returns {HTMLElement[]}
 */
export function causeLines({ cause }) {
    const { fired = false, message = null } = cause ?? {};
    const lines = fired ? [docText(t("entry.cause.fired"))] : [];
    if (message !== null) {
        const { name, from, to, chatid, text } = message;
        lines.push([t("entry.cause.message", { name: visible(name), from: visible(from), to: visible(chatid || to.join(", ")), text: shortened(text) })]);
    }
    return lines.map((line) => h("p", { class: "cause" }, line));
}

/**
 * Return a button by which the app fetches an event of which the program has notified it.
 * @param {Entry} entry Of the event, or of a notification.
 * @returns {HTMLElement | null}
 */
export function fetchButton(entry) {
    if (!["event", "callback"].includes(entry.kind)) return null;
    const notification = entry.kind === "callback" ? entry : descendants(entry).find((row) => row.kind === "callback");
    if (notification === undefined) return null;
    const fetch = async () => {
        const { request } = await record.entry(notification.number);
        const { notify_id = "" } = /** @type {{notify_id?: string}} */ (request);
        const { number } = await ask("POST", "call", { ability_id: (await abilityOf(FETCHES)) || USUAL, notify_id });
        go(hashOf("timeline", number));
    };
    const onclick = async () => {
        const problem = await refusal(fetch);
        if (problem !== "") say(problem, "bad");
    };
    return h("div", { class: "buttons" }, h("button", { type: "button", class: "small", onclick }, t("entry.fetch")));
}

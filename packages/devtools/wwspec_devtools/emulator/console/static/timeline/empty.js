// What the timeline says when it is empty: why, and what to do next.
// @ts-check
import { fill, h } from "../dom.js";
import { copyButton, quoted } from "../parts.js";
import { record } from "../record.js";
import { hashOf } from "../route.js";
import { t } from "../texts.js";

const USUAL = "http://127.0.0.1:8090"; // where the commands look without --url

/** What is shown instead of an empty list. */
export class EmptyTimeline {
    isSearching = false;
    element = h("div", { class: "empty", hidden: true });
    /** What it says; what does not change keeps its elements, and the focus. */
    #said = "";

    /** @param {() => void} clear Clears the filters. */
    constructor(clear) {
        this.clear = clear;
    }

    /** @param {boolean} isEmpty Whether the list is. */
    show(isEmpty) {
        this.element.hidden = !isEmpty;
        if (!isEmpty) return;
        const ability = record.program?.abilities?.[0] ?? "invoke_sync_msg";
        const says = record.rows.size > 0 ? (this.isSearching ? "searching" : "none") : ability;
        if (says === this.#said) return;
        this.#said = says;
        if (says === "searching") fill(this.element, t("timeline.searching"));
        else if (says === "none") fill(this.element, h("p", {}, t("timeline.none")), h("button", { type: "button", onclick: this.clear }, t("timeline.clear")));
        else fill(this.element, nextSteps(ability));
    }
}

/**
 * @param {string} ability One that can be called.
 * @returns {HTMLElement[]}
 */
function nextSteps(ability) {
    const url = location.origin === USUAL ? "" : ` --url ${quoted(location.origin)}`;
    return [
        h("h2", {}, t("timeline.empty")),
        h("p", { class: "dim" }, t("timeline.empty.text")),
        h(
            "div",
            { class: "next-steps" },
            step(t("timeline.empty.call"), `wwspec call ${quoted(ability)}${url}`, "abilities", t("timeline.empty.try")),
            step(t("timeline.empty.event"), `wwspec fire conversation_new_message${url}`, "events", t("timeline.empty.events")),
        ),
    ];
}

/**
 * @param {string} title
 * @param {string} line
 * @param {string} view
 * @param {string} link
 */
function step(title, line, view, link) {
    return h("div", { class: "card" }, h("h3", {}, title), h("p", { class: "command" }, h("code", {}, line), copyButton(line)), h("a", { href: hashOf(view) }, link));
}

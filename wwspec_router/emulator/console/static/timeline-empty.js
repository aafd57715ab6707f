// What the timeline says when it is empty: why, and what to do next.
// @ts-check
import { fill, h } from "./dom.js";
import { commandLine, quoted } from "./parts.js";
import { record } from "./record.js";
import { hashOf } from "./route.js";
import { t } from "./texts.js";

const USUAL = "http://127.0.0.1:8090"; // where the commands look without --url

/** What is shown instead of an empty list. */
export class EmptyTimeline {
    isFiltered = false;
    isSearching = false;
    element = h("div", { class: "empty", hidden: true });

    /** @param {() => void} clear Clears the filters. */
    constructor(clear) {
        this.clear = clear;
    }

    /** @param {boolean} isEmpty Whether the list is. */
    show(isEmpty) {
        this.element.hidden = !isEmpty;
        if (!isEmpty) return;
        if (record.rows.size === 0) fill(this.element, nextSteps());
        else if (this.isSearching) fill(this.element, t("timeline.searching"));
        else fill(this.element, h("p", {}, t("timeline.none")), this.isFiltered && h("button", { type: "button", onclick: this.clear }, t("timeline.clear")));
    }
}

/** @returns {HTMLElement[]} */
function nextSteps() {
    if (record.file) return [h("p", {}, t("timeline.empty.file"))];
    const url = location.origin === USUAL ? "" : ` --url ${quoted(location.origin)}`;
    const ability = record.program?.abilities?.[0] ?? "ping";
    return [
        h("h2", {}, t("timeline.empty")),
        h("p", { class: "dim" }, t("timeline.empty.text")),
        h(
            "div",
            { class: "next-steps" },
            step(t("timeline.empty.call"), `wwspec call ${quoted(ability)}${url}`, "abilities", t("timeline.empty.try")),
            step(t("timeline.empty.event"), `wwspec zone say zhangsan hello${url}`, "events", t("timeline.empty.events")),
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
    return h("div", { class: "card" }, h("h3", {}, title), commandLine(line), h("a", { href: hashOf(view) }, link));
}

// The element of a line of the timeline. It is made once and then shows one line after the other, so that a list of
// any length costs a screenful of elements.
// @ts-check
import { fill, h, setAttribute, visible } from "../dom.js";
import { duration, timeOfDay } from "../parts.js";
import { FlowItem } from "./flow-items.js";
import { barsOf, LANES, LANE_OF, problemsOf, WATERFALL } from "./flow-summary.js";
import { language, t } from "../texts.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("./flow-items.js").Item} Item
 * @typedef {import("./flow-summary.js").Problem} Problem
 */

const SVG = "http://www.w3.org/2000/svg";
const MOST_PROBLEMS = 3; // shown in a line; the rest is counted
const HOUR = 3600;
const DAY = 24 * HOUR;

/** One line of the list. */
export class FlowRow {
    #time = h("span", { class: "when number" });
    #twist = h("span", { class: "twist", "aria-hidden": "true" });
    #kind = h("span", { class: "kind" });
    #name = h("span", { class: "name" });
    #via = h("span", { class: "via dim" });
    #problems = h("span", { class: "problems" });
    #waterfall = new Waterfall();
    #count = h("span", { class: "count number dim" });
    #took = h("span", { class: "took number" });
    #outcome = h("span", { class: "chip" });
    element = h(
        "div",
        { class: "flow" },
        this.#time,
        this.#twist,
        h("span", { class: "what" }, this.#kind, this.#name, this.#via),
        h("span", { class: "second" }, this.#waterfall.element, this.#problems),
        this.#count,
        this.#took,
        this.#outcome,
    );

    /**
     * Show a line.
     * @param {Item} item
     * @param {boolean} isWanted Whether the filters ask for this entry.
     */
    show(item, isWanted) {
        const isFlow = item instanceof FlowItem;
        const row = isFlow ? item.summary.head : item.row;
        const flow = isFlow ? item : item.of;
        const { start, end, running } = flow.summary;
        const failed = isFlow ? flow.summary.failed : row.failed;
        const isOpenable = isFlow && flow.flow.rows.length > 1;
        this.element.className = `row flow${isFlow ? "" : " entry"}${failed ? " failed" : ""}${isWanted ? "" : " unwanted"}${row.kind === "clock" ? " jump" : ""}`;
        setAttribute(this.element, "aria-level", isFlow ? "1" : String(item.depth + 2));
        if (isOpenable) setAttribute(this.element, "aria-expanded", String(flow.open));
        else this.element.removeAttribute("aria-expanded");
        this.element.style.setProperty("--depth", isFlow ? "0" : String(item.depth + 1));
        this.#time.textContent = isFlow ? timeOfDay(row.time_ms / 1000) : `+${duration(row.offset_ms - start)}`;
        this.#time.title = t("timeline.when", { date: dateOf(row.time_ms), offset: (row.offset_ms / 1000).toFixed(3) });
        this.#twist.textContent = isOpenable ? (flow.open ? "▾" : "▸") : "";
        this.#kind.textContent = t(`timeline.kind.${row.kind}`);
        this.#kind.className = `kind lane-${LANE_OF[row.kind]}`;
        this.#title(row);
        this.#count.textContent = isOpenable ? String(flow.flow.rows.length) : "";
        this.#count.title = isOpenable ? t("timeline.entries", { count: flow.flow.rows.length }) : "";
        const isRunning = isFlow ? running : row.duration_ms === null;
        this.#took.textContent = isRunning ? "…" : row.kind === "clock" ? "" : duration(isFlow ? end - start : row.duration_ms);
        this.#waterfall.show(row.kind === "clock" ? [] : isFlow ? flow.flow.rows : [row], flow.summary);
        this.#say(isFlow ? flow.summary.problems : problemsOf(row), row);
        this.#end(isRunning, failed, row, isFlow);
    }

    /** @param {Row} row */
    #title(row) {
        if (row.kind === "clock") {
            this.#name.textContent = row.advanced_ms === null ? t("timeline.advance") : `+${lengthOf(row.advanced_ms / 1000)}`;
            this.#via.textContent = row.advanced_ms === null ? "" : t("timeline.now", { date: dateOf(row.time_ms + row.advanced_ms) });
            return;
        }
        const title = row.ability || row.name;
        this.#name.textContent = visible(title);
        this.#name.title = title;
        this.#via.textContent = [title === row.name ? "" : visible(row.name), row.replay_of ? t("timeline.replay", { number: row.replay_of }) : ""].join(" ").trim();
    }

    /**
     * @param {Problem[]} problems
     * @param {Row} head
     */
    #say(problems, head) {
        if (problems.length === 0 && !this.#problems.hasChildNodes()) return;
        const shown = problems.slice(0, problems.length > MOST_PROBLEMS ? MOST_PROBLEMS - 1 : MOST_PROBLEMS);
        const left = problems.length - shown.length;
        fill(
            this.#problems,
            shown.map((problem) => problemChip(problem, head)),
            left > 0 && h("span", { class: "chip bad" }, `+${left}`),
        );
    }

    /**
     * @param {boolean} isRunning
     * @param {boolean} failed
     * @param {Row} row
     * @param {boolean} isFlow
     */
    #end(isRunning, failed, row, isFlow) {
        const text = isRunning ? "…" : failed ? t("timeline.failed") : isFlow ? "ok" : visible(row.verdict);
        this.#outcome.textContent = row.kind === "clock" ? "" : text;
        this.#outcome.className = `chip end ${isRunning && !failed ? "wait" : failed ? "bad" : "ok"}`;
        this.#outcome.hidden = row.kind === "clock";
    }
}

/** The bars of a line: a track for each lane, and red for what failed. */
class Waterfall {
    element = document.createElementNS(SVG, "svg");
    /** @type {Map<string, SVGPathElement>} */
    #paths = new Map();

    constructor() {
        this.element.setAttribute("viewBox", `0 0 ${WATERFALL.width} ${WATERFALL.height}`);
        this.element.setAttribute("preserveAspectRatio", "none");
        this.element.setAttribute("class", "waterfall");
        this.element.setAttribute("aria-hidden", "true");
        for (const name of [...LANES, "failed"]) {
            const path = document.createElementNS(SVG, "path");
            path.setAttribute("class", `bar-${name}`);
            this.#paths.set(name, path);
            this.element.appendChild(path);
        }
    }

    /**
     * @param {Row[]} rows
     * @param {{start: number, end: number}} span
     */
    show(rows, span) {
        for (const [name, path] of Object.entries(barsOf(rows, span))) {
            const element = this.#paths.get(name);
            if (element) setAttribute(element, "d", path);
        }
    }
}

/**
 * @param {Problem} problem
 * @param {Row} head
 * @returns {HTMLElement}
 */
function problemChip({ row, who, code, more }, head) {
    const name = row.ability || row.name;
    const of = name === (head.ability || head.name) || who === "program" || who === "fault" ? "" : `${visible(row.name)} `;
    const text = who === "contract" || who === "fault" ? t(`timeline.${who}`, { code: visible(code) }) : `${of}${visible(code)} ${t(`timeline.of.${who}`)}`;
    const title = [`${row.name} #${row.number}`, text, more].filter(Boolean).join("\n");
    return h("span", { class: `chip ${who === "fault" ? "warn" : "bad"}`, title: visible(title) }, text);
}

/**
 * Return a length of time as one or two units, such as `10 min` or `3 d 2 h`.
 * @param {number} seconds
 */
function lengthOf(seconds) {
    /** @type {[number, "d" | "h" | "min" | "s"][]} */
    const units = [[DAY, "d"], [HOUR, "h"], [60, "min"], [1, "s"]];
    const parts = [];
    let left = seconds;
    for (const [size, unit] of units) {
        const count = unit === "s" ? Math.round(left * 1000) / 1000 : Math.floor(left / size);
        if (count > 0 && parts.length < 2) parts.push(t(`timeline.unit.${unit}`, { count }));
        left -= count * size;
    }
    return parts.join(" ") || t("timeline.unit.s", { count: 0 });
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {number} milliseconds Unix time. */
function dateOf(milliseconds) {
    const locale = language() === "zh" ? "zh-CN" : "en-GB";
    const format = formats.get(locale) ?? new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
    formats.set(locale, format);
    return format.format(milliseconds);
}

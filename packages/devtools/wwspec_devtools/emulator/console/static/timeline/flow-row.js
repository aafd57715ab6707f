// The element of a line of the timeline. It is made once and then shows one line after the other, so that a list of
// any length costs a screenful of elements.
// @ts-check
import { fill, h, setAttribute, visible } from "../dom.js";
import { dateAndTime, duration, lengthOfTime, timeOfDay } from "../parts.js";
import { barsOf, LANES, LANE_OF, problemsOf, WATERFALL } from "./flow-summary.js";
import { FlowItem, FoldItem } from "./items.js";
import { t } from "../texts.js";
import { phrase } from "../texts/phrases.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("./items.js").Item} Item
 * @typedef {import("./flow-summary.js").Problem} Problem
 */

const SVG = "http://www.w3.org/2000/svg";
const MOST_PROBLEMS = 3; // shown in a line; the rest is counted

/** One line of the list. */
export class FlowRow {
    #time = h("span", { class: "when number" });
    #twist = h("span", { class: "twist", "aria-hidden": "true" });
    #kind = h("span", { class: "kind" });
    #name = h("span", { class: "name" });
    #machine = h("span", { class: "machine dim number" });
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
        h("span", { class: "what" }, this.#kind, this.#name, this.#machine, this.#via),
        h("span", { class: "second" }, this.#waterfall.element, this.#problems),
        this.#count,
        this.#took,
        this.#outcome,
    );

    /**
     * Show a line.
     * @param {Item} item
     * @param {boolean} isWanted Whether the filters ask for this entry.
     * @param {number} longest Milliseconds that the bars of all flows are measured by; 0 for a scale of its own.
     */
    show(item, isWanted, longest) {
        if (item instanceof FoldItem) {
            this.#showFold(item);
            return;
        }
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
        this.#time.title = t("timeline.when", { date: dateAndTime(row.time_ms), offset: (row.offset_ms / 1000).toFixed(3) });
        this.#twist.textContent = isOpenable ? (flow.open ? "▾" : "▸") : "";
        this.#kind.textContent = t(`timeline.kind.${row.kind}`);
        this.#kind.className = `kind lane-${LANE_OF[row.kind]}`;
        this.#title(row, isFlow ? null : flow.summary.head);
        this.#machines(isFlow ? flow.flow.rows : [row]);
        this.#count.textContent = isOpenable ? String(flow.flow.rows.length) : "";
        this.#count.title = isOpenable ? t("timeline.entries", { count: flow.flow.rows.length }) : "";
        const isRunning = isFlow ? running : row.duration_ms === null;
        this.#took.textContent = isRunning ? "…" : row.kind === "clock" ? "" : duration(isFlow ? end - start : row.duration_ms);
        this.#waterfall.show(row.kind === "clock" ? [] : isFlow ? flow.flow.rows : [row], longest > 0 ? { start, end: start + longest } : flow.summary);
        this.#say(isFlow ? flow.summary.problems : problemsOf(row), row);
        this.#end(isRunning, failed, row, isFlow);
    }

    /** @param {FoldItem} fold */
    #showFold(fold) {
        const { rows, depth } = fold;
        const counts = new Map();
        for (const { name } of rows) counts.set(name, (counts.get(name) ?? 0) + 1);
        this.element.className = "row flow fold";
        setAttribute(this.element, "aria-level", String(depth + 1));
        setAttribute(this.element, "aria-expanded", String(fold.open));
        this.element.style.setProperty("--depth", String(depth));
        for (const part of [this.#time, this.#kind, this.#machine, this.#count, this.#took]) part.textContent = part.title = "";
        this.#time.textContent = timeOfDay(/** @type {Row} */ (rows[0]).time_ms / 1000);
        this.#twist.textContent = fold.open ? "▾" : "▸";
        this.#name.textContent = [...counts].map(([name, count]) => `${count} × ${visible(name)}`).join(", ");
        this.#via.textContent = t(fold.open ? "timeline.fold.open" : "timeline.fold");
        fill(this.#problems);
        this.#waterfall.show([], { start: 0, end: 1 });
        this.#outcome.hidden = true;
    }

    /**
     * @param {Row} row
     * @param {Row | null} head The first entry of its flow, for a line below it: what that one says is not said again.
     */
    #title(row, head) {
        if (row.kind === "clock") {
            this.#name.textContent = row.advanced_ms === null ? t("timeline.advance") : `${row.advanced_ms < 0 ? "−" : "+"}${lengthOfTime(Math.abs(row.advanced_ms) / 1000)}`;
            this.#via.textContent = row.advanced_ms === null ? "" : t("timeline.now", { date: dateAndTime(row.time_ms + row.advanced_ms) });
            return;
        }
        const title = head === null ? row.ability || row.name : row.name;
        const other = head === null ? row.name : row.ability;
        const isSaid = other === title || other === head?.ability;
        this.#name.textContent = visible(title);
        this.#name.title = title;
        this.#via.textContent = [isSaid ? "" : visible(other), row.replay_of ? t("timeline.replay", { number: row.replay_of }) : ""].join(" ").trim();
    }

    /** @param {Row[]} rows Show on which machines the program worked, among several. */
    #machines(rows) {
        const numbers = [...new Set(rows.map(({ machine }) => machine).filter(Boolean))];
        if (numbers.length === 0 && this.#machine.textContent === "") return;
        this.#machine.textContent = numbers.map((number) => `M${number}`).join(" ");
        this.#machine.title = numbers.length ? t("timeline.machines", { numbers: numbers.join(", ") }) : "";
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
    const title = [`${row.name} #${row.number}`, text, phrase(more)].filter(Boolean).join("\n");
    return h("span", { class: `chip ${who === "fault" ? "warn" : "bad"}`, title: visible(title) }, text);
}

// The element of a line of the timeline. It is made once and then shows one line after the other, so that a list of
// any length costs a screenful of elements.
// @ts-check
import { fill, h, setAttribute, visible } from "../dom.js";
import { dateAndTime, duration, lengthOfTime, VERDICT_CLASSES } from "../parts.js";
import { barsOf, LANES, LANE_OF, WATERFALL } from "./flow-summary.js";
import { record } from "../record.js";
import { FlowItem, FoldItem } from "./items.js";
import { inLanguage, t } from "../texts.js";

/**
 * @typedef {import("../record.js").Row} Row
 * @typedef {import("./items.js").Item} Item
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
        const { start, end, verdict } = isFlow ? flow.summary : { ...flow.summary, verdict: row.verdict };
        const failed = verdict === "failed" || verdict === "dropped";
        const isOpenable = isFlow && flow.flow.rows.length > 1;
        this.element.className = `row flow${isFlow ? "" : " entry"}${failed ? " failed" : ""}${isWanted ? "" : " unwanted"}${row.kind === "clock" ? " jump" : ""}`;
        setAttribute(this.element, "aria-level", isFlow ? "1" : String(item.depth + 2));
        if (isOpenable) setAttribute(this.element, "aria-expanded", String(flow.open));
        else this.element.removeAttribute("aria-expanded");
        this.element.style.setProperty("--depth", isFlow ? "0" : String(item.depth + 1));
        this.#time.textContent = isFlow ? when(row) : row.offset_ms < start ? "" : `+${duration(row.offset_ms - start)}`;
        this.#time.title = t("timeline.when", { date: dateAndTime(row.time_ms), offset: (row.offset_ms / 1000).toFixed(3) });
        this.#twist.textContent = isOpenable ? (flow.open ? "▾" : "▸") : "";
        this.#kind.textContent = t(`timeline.kind.${row.kind}`);
        this.#kind.className = `kind lane-${LANE_OF[row.kind]}`;
        this.#title(row, isFlow ? null : flow.summary.head, isFlow ? flow.tokens.map(({ flow: { rows } }) => rows[0]?.name ?? "") : []);
        this.#machines(isFlow ? flow.flow.rows : [row]);
        this.#count.textContent = isOpenable ? String(flow.flow.rows.length) : "";
        this.#count.title = isOpenable ? t("timeline.entries", { count: flow.flow.rows.length }) : "";
        this.#took.textContent = verdict === "under way" ? "…" : row.kind === "clock" ? "" : duration(isFlow ? end - start : row.duration_ms);
        this.#waterfall.show(row.kind === "clock" ? [] : isFlow ? flow.flow.rows : [row], longest > 0 ? { start, end: start + longest } : flow.summary);
        this.#say(isFlow ? flow.summary.failures : [row].filter(({ reason }) => inLanguage(reason) !== ""), isFlow ? flow.summary.faults : row.faults);
        this.#outcome.textContent = t(`verdict.${verdict}`);
        this.#outcome.className = `chip end ${VERDICT_CLASSES[verdict]}`;
        this.#outcome.hidden = row.kind === "clock";
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
        this.#time.textContent = when(/** @type {Row} */ (rows[0]));
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
     * @param {string[]} tokens Names of the calls that fetched a token for it.
     */
    #title(row, head, tokens) {
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
        this.#via.textContent = [...tokens.map((name) => `${visible(name)} ›`), isSaid ? "" : visible(other), row.replay_of ? t("timeline.replay", { number: row.replay_of }) : ""].join(" ").trim();
    }

    /** @param {Row[]} rows Show on which machines the program worked, among several. */
    #machines(rows) {
        const numbers = [...new Set(rows.map(({ machine }) => machine).filter(Boolean))];
        if (numbers.length === 0 && this.#machine.textContent === "") return;
        this.#machine.textContent = numbers.map((number) => `M${number}`).join(" ");
        this.#machine.title = numbers.length ? t("timeline.machines", { numbers: numbers.join(", ") }) : "";
    }

    /**
     * @param {Row[]} failures Entries whose reasons are shown.
     * @param {string[]} faults
     */
    #say(failures, faults) {
        const chips = [...failures.map(reasonChip), ...faults.map((id) => h("span", { class: "chip warn" }, t("timeline.fault", { id: visible(id) })))];
        if (chips.length === 0 && !this.#problems.hasChildNodes()) return;
        const shown = chips.slice(0, chips.length > MOST_PROBLEMS ? MOST_PROBLEMS - 1 : MOST_PROBLEMS);
        const left = chips.length - shown.length;
        fill(this.#problems, shown, left > 0 && h("span", { class: "chip bad" }, `+${left}`));
    }
}

/**
 * Return the time of a line, with its day once the clock has jumped to another one.
 * @param {Row} row
 */
function when({ time_ms }) {
    const [day = "", time = ""] = dateAndTime(time_ms).split(" ");
    const [first = { time_ms }] = record.rows.values();
    return dateAndTime(first.time_ms).startsWith(day) ? time : `${day.slice(5)} ${time.slice(0, 5)}`;
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

/** @param {Row} row */
function reasonChip({ name, number, verdict, reason }) {
    const text = visible(inLanguage(reason));
    return h("span", { class: `chip ${VERDICT_CLASSES[verdict]}`, title: `${visible(name)} #${number}\n${text}` }, text);
}

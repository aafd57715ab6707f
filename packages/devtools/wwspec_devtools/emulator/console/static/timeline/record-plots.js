// The plots above the timeline: entries, failures and durations over the whole record. They cost nothing while closed.
// @ts-check
import { h, update } from "../dom.js";
import { duration, lengthOfTime, timeOfDay } from "../parts.js";
import { plotCard } from "../plot.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import { cut } from "./bins.js";

/**
 * @typedef {import("./bins.js").Bin} Bin
 * @typedef {import("./query.js").Condition} Condition
 */

const KEPT = "wwspec-plots";
const PAUSE = 1000; // milliseconds between two drawings of what comes in

export class RecordPlots {
    /** @type {import("./bins.js").Cut | null} */
    #cut = null;
    /** Where the chosen bin begins; the last one follows the record. */
    #chosen = Infinity;
    #timer = 0;
    #drawn = -Infinity;
    #plots = h("div", { class: "plots", onpointermove: (/** @type {MouseEvent} */ event) => this.#point(event), onclick: (/** @type {MouseEvent} */ event) => this.#point(event) && this.#go() });
    #slider = h("input", {
        type: "range",
        min: 0,
        "aria-label": t("plots.part"),
        oninput: () => this.#move(this.#slider.valueAsNumber),
        onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && this.#go(),
    });
    #said = h("span", { class: "dim" });
    #show = h("button", { type: "button", class: "small", onclick: () => this.#go() }, t("plots.show"));
    element = h("section", { id: "record-plots", class: "record-plots", "aria-label": t("plots") }, this.#plots, h("div", { class: "part" }, this.#slider, this.#show, this.#said));
    /** Opens and closes them. */
    button = h("button", { type: "button", class: "small", "aria-controls": "record-plots", title: t("plots.about"), onclick: () => this.#toggle() }, t("plots"));

    /**
     * @param {() => Condition | null | undefined} condition Returns what entries are asked for; undefined while that is
     *   not known.
     * @param {(number: number) => void} choose Called for the first entry of the bin that the reader chooses.
     */
    constructor(condition, choose) {
        this.condition = condition;
        this.choose = choose;
        this.#open(localStorage.getItem(KEPT) === "open");
    }

    /** Draw soon: something came in. */
    changed() {
        if (this.element.hidden || this.#timer) return;
        this.#timer = setTimeout(() => this.draw(), Math.max(0, this.#drawn + PAUSE - performance.now()));
    }

    /** Draw what is there. */
    draw() {
        this.end();
        if (this.element.hidden) return;
        const condition = this.condition();
        if (condition === undefined) return;
        this.#drawn = performance.now();
        this.#cut = cut(record.rows, condition);
        this.#render();
    }

    end() {
        clearTimeout(this.#timer);
        this.#timer = 0;
    }

    #toggle() {
        const isOpen = this.element.hidden !== false;
        localStorage.setItem(KEPT, isOpen ? "open" : "closed");
        this.#open(isOpen);
        this.draw();
    }

    /** @param {boolean} isOpen */
    #open(isOpen) {
        this.element.hidden = !isOpen;
        this.button.setAttribute("aria-expanded", String(isOpen));
    }

    #render() {
        const bin = this.#bin();
        this.#slider.max = String((this.#cut?.bins.length ?? 1) - 1);
        this.#slider.valueAsNumber = bin ? (this.#cut?.bins.indexOf(bin) ?? 0) : 0;
        const said = bin ? sayBin(bin) : t("session.empty");
        this.#slider.setAttribute("aria-valuetext", said);
        this.#slider.disabled = bin === undefined;
        this.#said.textContent = said;
        this.#show.disabled = !bin?.first;
        update(this.#plots, this.#cut && bin ? plotsOf(this.#cut, bin) : null);
    }

    /** @returns {Bin | undefined} The chosen one. */
    #bin() {
        const bins = this.#cut?.bins ?? [];
        return bins.findLast(({ at }) => at <= this.#chosen) ?? bins[0];
    }

    /** @param {number} index Let this be the chosen bin. */
    #move(index) {
        const bins = this.#cut?.bins ?? [];
        const chosen = index >= bins.length - 1 ? Infinity : (bins[Math.max(0, index)]?.at ?? Infinity);
        if (chosen === this.#chosen) return;
        this.#chosen = chosen;
        this.#render();
    }

    /**
     * Choose the bin under the pointer.
     * @param {MouseEvent} event
     * @returns {boolean} Whether there is one.
     */
    #point(event) {
        const area = /** @type {Element} */ (event.target).closest("svg")?.getBoundingClientRect();
        if (area && this.#cut) this.#move(Math.floor(((event.clientX - area.left) / area.width) * this.#cut.bins.length));
        return area !== undefined;
    }

    #go() {
        const number = this.#bin()?.first;
        if (number) this.choose(number);
    }
}

/**
 * Return what is said of a bin.
 * @param {Bin} bin
 */
function sayBin({ time, count, failed, p50, p99 }) {
    const from = timeOfDay(time / 1000);
    return count === 0 ? t("plots.part.empty", { time: from }) : t("plots.part.figures", { time: from, count, failed, p50: known(p50), p99: known(p99) });
}

/** @param {number | null} milliseconds */
function known(milliseconds) {
    return milliseconds === null ? "–" : duration(milliseconds);
}

/**
 * @param {import("./bins.js").Cut} cut
 * @param {Bin} chosen
 * @returns {HTMLElement[]}
 */
function plotsOf({ span, width, bins, all }, chosen) {
    const from = /** @type {Bin} */ (bins[0]).at;
    const to = from + bins.length * width;
    const common = { from, to, start: timeOfDay(/** @type {Bin} */ (bins[0]).time / 1000), marks: [chosen.at + width / 2] };
    const each = { width: lengthOfTime(width / 1000) };
    const steps = (/** @type {(bin: Bin) => number | null} */ read) => bins.flatMap((bin) => [bin.at, bin.at + width].map((at) => ({ at, value: read(bin) })));
    const none = [all.count ? 0 : null, null].map((value) => ({ at: from, value })); // draws nothing: 0 is known when there are entries
    const bars = bins.filter(({ failed }) => failed).flatMap(({ at, failed }) => [0, failed, failed, 0, null].map((value, corner) => ({ at: corner < 2 ? at : at + width, value })));
    const card = (/** @type {Pick<Parameters<typeof plotCard>[0], "title" | "value" | "more" | "tone" | "lines" | "unit"> & {more: string}} */ what) =>
        plotCard({ ...common, ...what, label: (top) => t("plots.label", { title: what.title, value: what.value, more: what.more, top }) });
    return [
        card({
            title: t("plots.entries", each),
            value: String(all.count),
            more: t("plots.span", { time: lengthOfTime(Math.ceil(span / 1000)) }),
            lines: [{ points: steps(({ count }) => count), kind: "main" }],
            unit: String,
        }),
        card({
            title: t("plots.failed", each),
            value: String(all.failed),
            more: t("plots.of", { count: all.count }),
            tone: all.failed ? "bad" : "",
            lines: [{ points: [...none, ...bars], kind: "bad" }],
            unit: String,
        }),
        card({
            title: t("plots.duration"),
            value: known(all.p99),
            more: t("plot.half", { time: known(all.p50) }),
            lines: [
                { points: steps(({ p50 }) => p50), kind: "second" },
                { points: steps(({ p99 }) => p99), kind: "main" },
            ],
            unit: duration,
        }),
    ];
}

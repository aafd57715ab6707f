// Small plots of the last minutes.
// @ts-check
import { h } from "../dom.js";
import { t } from "../texts.js";
import { length } from "./program-tables.js";

const WIDTH = 240;
const HEIGHT = 48;

/** @typedef {{points: import("./history.js").Point[], kind: "main" | "bad" | "second"}} Line */

/**
 * Return a card with a number and its plot.
 * @param {object} what
 * @param {string} what.title
 * @param {string} what.value What it is now.
 * @param {string} [what.more] Beside it.
 * @param {"bad" | ""} [what.tone]
 * @param {Line[]} what.lines
 * @param {number} what.now
 * @param {number} what.span Milliseconds before that that are shown.
 * @param {number[]} what.marks Moments to be marked.
 * @param {(value: number) => string} what.unit Writes a value.
 * @returns {HTMLElement}
 */
export function plotCard({ title, value, more = "", tone = "", lines, now, span, marks, unit }) {
    const values = lines.flatMap(({ points }) => points.map((point) => point.value)).filter((each) => each !== null);
    const top = Math.max(0, ...values);
    const highest = values.length ? unit(top) : "–";
    const label = t("program.plot", { title, value, top: highest });
    return h(
        "section",
        { class: "card plot" },
        h("h3", {}, title),
        h("p", { class: `figure ${tone}` }, value, more && h("small", { class: "dim" }, ` ${more}`)),
        drawing(lines, marks, { now, span, top }, label),
        h("p", { class: "dim axis" }, h("span", {}, t("program.ago", { time: length(span / 1000) })), h("span", {}, t("program.top", { top: highest }))),
    );
}

/**
 * @param {Line[]} lines
 * @param {number[]} marks
 * @param {{now: number, span: number, top: number}} scale
 * @param {string} label
 * @returns {SVGElement}
 */
function drawing(lines, marks, { now, span, top }, label) {
    const x = (/** @type {number} */ at) => WIDTH * (1 - (now - at) / span);
    const y = (/** @type {number} */ value) => HEIGHT - 1 - (top ? ((HEIGHT - 3) * value) / top : 0);
    const svg = part("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
    svg.appendChild(part("path", { class: "ground", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }));
    for (const at of marks) svg.appendChild(part("path", { class: "mark", d: `M${x(at).toFixed(1)} 0V${HEIGHT}` }));
    for (const { points, kind } of lines) svg.appendChild(part("path", { class: `line ${kind}`, d: path(points, x, y) }));
    return svg;
}

/**
 * Return a path with gaps where nothing is known.
 * @param {import("./history.js").Point[]} points
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 * @returns {string}
 */
function path(points, x, y) {
    let joined = false;
    return points
        .map(({ at, value }) => {
            const place = value === null ? "" : `${joined ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
            joined = value !== null;
            return place;
        })
        .join("");
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @returns {SVGElement}
 */
function part(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

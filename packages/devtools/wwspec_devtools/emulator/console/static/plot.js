// Small plots over time.
// @ts-check
import { h } from "./dom.js";
import { t } from "./texts.js";

const WIDTH = 240;
const HEIGHT = 48;

/**
 * @typedef {{at: number, value: number | null}} Point null: nothing is known between this point and the one before.
 * @typedef {{points: Point[], kind: "main" | "bad" | "second"}} Line
 */

/**
 * Return a card with a number and its plot.
 * @param {object} what
 * @param {string} what.title
 * @param {string} what.value What it is now, or in all.
 * @param {string} [what.more] Beside it.
 * @param {"bad" | ""} [what.tone]
 * @param {Line[]} what.lines
 * @param {number} what.from The moment at its left end, in milliseconds.
 * @param {number} what.to
 * @param {string} what.start What is said of the left end.
 * @param {number[]} what.marks Moments to be marked.
 * @param {(value: number) => string} what.unit Writes a value.
 * @param {(top: string) => string} what.label Says all of it in words, with the highest value.
 * @returns {HTMLElement}
 */
export function plotCard({ title, value, more = "", tone = "", lines, from, to, start, marks, unit, label }) {
    const values = lines.flatMap(({ points }) => points.map((point) => point.value)).filter((each) => each !== null);
    const top = Math.max(0, ...values);
    const highest = values.length ? unit(top) : "–";
    return h(
        "section",
        { class: "card plot" },
        h("h3", {}, title),
        h("p", { class: `figure ${tone}` }, value, more && h("small", { class: "dim" }, ` ${more}`)),
        drawing(lines, marks, { from, to, top }, label(highest)),
        h("p", { class: "dim axis" }, h("span", {}, start), h("span", {}, t("plot.top", { top: highest }))),
    );
}

/**
 * @param {Line[]} lines
 * @param {number[]} marks
 * @param {{from: number, to: number, top: number}} scale
 * @param {string} label
 * @returns {SVGElement}
 */
function drawing(lines, marks, { from, to, top }, label) {
    const x = (/** @type {number} */ at) => (WIDTH * (at - from)) / (to - from);
    const y = (/** @type {number} */ value) => HEIGHT - 1 - (top ? ((HEIGHT - 3) * value) / top : 0);
    const svg = part("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
    svg.appendChild(part("path", { class: "ground", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }));
    for (const at of marks) svg.appendChild(part("path", { class: "mark", d: `M${x(at).toFixed(1)} 0V${HEIGHT}` }));
    for (const { points, kind } of lines) svg.appendChild(part("path", { class: `line ${kind}`, d: path(points, x, y) }));
    return svg;
}

/**
 * Return a path with gaps where nothing is known.
 * @param {Point[]} points
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

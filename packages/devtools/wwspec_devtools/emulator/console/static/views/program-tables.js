// Tables of the view `program`.
// @ts-check
import { h, visible } from "../dom.js";
import { duration } from "../parts.js";
import { t } from "../texts.js";

/** @typedef {import("./history.js").Status} Status */

/**
 * @param {Status} status
 * @returns {HTMLElement} Calls, errors and percentiles by ability.
 */
export function abilityTable({ abilities }) {
    const most = Math.max(1, ...abilities.map(({ calls }) => calls));
    const slowest = Math.max(1, ...abilities.map(({ p99_us }) => p99_us ?? 0));
    const rows = abilities.map(({ ability_id, calls, errors, p50_us, p99_us }) =>
        h(
            "tr",
            {},
            h("th", { scope: "row", class: "mono" }, visible(ability_id)),
            barCell(String(calls), calls / most, "main"),
            h("td", { class: "number" }, errors ? h("span", { class: "chip bad" }, errors) : h("span", { class: "dim" }, "0")),
            h("td", { class: "number" }, microseconds(p50_us)),
            barCell(microseconds(p99_us), (p99_us ?? 0) / slowest, "second"),
        ),
    );
    const columns = ["program.column.ability", "program.column.calls", "program.column.errors", "program.column.p50", "program.column.p99"];
    return table("abilities", columns, rows, t("program.abilities.none"), t("program.abilities.help"));
}

/**
 * @param {Status} status
 * @returns {HTMLElement} Errors by errcode.
 */
export function errorTable({ errors }) {
    const most = Math.max(1, ...errors.map(({ count }) => count));
    const rows = errors.map(({ errcode, count }) =>
        h("tr", {}, h("th", { scope: "row", class: "mono" }, errcode === -1 ? t("program.errors.others") : errcode), barCell(String(count), count / most, "bad")),
    );
    return table("errors", ["program.column.errcode", "program.column.calls"], rows, t("program.errors.none"));
}

/**
 * @param {Status} status
 * @returns {HTMLElement} The oldest jobs.
 */
export function jobTable(status) {
    const rows = status.oldest_jobs.map(({ ability_id, state, attempt, lease_s, age_s }) =>
        h(
            "tr",
            {},
            h("th", { scope: "row", class: "mono" }, visible(ability_id)),
            h("td", {}, h("span", { class: `chip ${TONES[state] ?? ""}` }, jobState(state))),
            h("td", { class: "number" }, attempt),
            h("td", { class: "number" }, !lease_s ? h("span", { class: "dim" }, "–") : state === "postponed" ? t("program.job.due", { time: length(lease_s) }) : length(lease_s)),
            h("td", { class: "number" }, length(age_s)),
        ),
    );
    const columns = ["program.column.job", "program.column.state", "program.column.attempt", "program.column.lease", "program.column.age"];
    const { jobs_running, jobs_waiting, jobs_claimed, jobs_given_up } = status;
    const sums = t("program.jobs.sums", { waiting: jobs_waiting, claimed: jobs_claimed, running: jobs_running, given_up: jobs_given_up });
    return table("jobs", columns, rows, t("program.jobs.none"), sums);
}

/** @type {Record<string, string>} */
const TONES = { running: "ok", reporting: "ok", claimed: "ok", "left behind": "bad", postponed: "warn" };

/**
 * @param {string} state
 * @returns {string}
 */
function jobState(state) {
    return state in TONES || state === "waiting" ? t(`program.job.${state}`) : visible(state);
}

const LEFT = ["program.column.ability", "program.column.errcode", "program.column.job", "program.column.state"];

/**
 * @param {string} name
 * @param {string[]} columns
 * @param {HTMLElement[]} rows
 * @param {string} none Said when there are no rows.
 * @param {string} [help]
 * @returns {HTMLElement}
 */
function table(name, columns, rows, none, help = "") {
    const heads = columns.map((key) => h("th", { scope: "col", class: LEFT.includes(key) ? "" : "number" }, t(key)));
    return h(
        "section",
        { class: `card ${name}`, "aria-labelledby": `${name}-title` },
        h("h2", { id: `${name}-title` }, t(`program.${name}.title`)),
        rows.length
            ? h("table", { "aria-labelledby": `${name}-title` }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows))
            : h("p", { class: "dim" }, none),
        help && h("small", { class: "dim" }, help),
    );
}

/**
 * @param {string} text
 * @param {number} share From 0 to 1.
 * @param {"main" | "second" | "bad"} kind
 * @returns {HTMLElement} A number with a bar below it.
 */
function barCell(text, share, kind) {
    const bar = h("span", { class: `bar ${kind}`, "aria-hidden": "true" });
    bar.style.width = `${(share * 100).toFixed(1)}%`;
    return h("td", { class: "number" }, text, h("span", { class: "track" }, bar));
}

/**
 * Return microseconds as a short text, and a dash where nothing was measured.
 * @param {number | undefined} value
 */
export function microseconds(value) {
    return value === undefined ? "–" : duration(value / 1000);
}

/**
 * Return a number of seconds as a short text.
 * @param {number} seconds
 * @returns {string}
 */
export function length(seconds) {
    const whole = Math.floor(seconds);
    if (whole < 60) return t("seconds", { count: whole });
    const minutes = Math.floor(whole / 60);
    if (minutes < 60 && whole % 60 === 0) return t("program.minutes", { minutes });
    if (minutes < 60) return t("program.minutes.seconds", { minutes, seconds: whole % 60 });
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? t("program.hours.minutes", { hours, minutes: minutes % 60 }) : t("program.days.hours", { days: Math.floor(hours / 24), hours: hours % 24 });
}

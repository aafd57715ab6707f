// The program: how it is doing, live. `#/program?ability=figures` says which ability has its figures.
// @ts-check
import { fill, h, visible } from "../dom.js";
import { field, timeOfDay } from "../parts.js";
import { plotCard } from "../plot.js";
import { record } from "../record.js";
import { go, here, hashOf } from "../route.js";
import { t } from "../texts.js";
import { FailedJobs } from "./failed-jobs.js";
import { poll } from "./figures.js";
import { History } from "./history.js";
import { missingFigures, otherAbility, programDown } from "./program-help.js";
import { abilityTable, errorTable, jobTable, length, microseconds } from "./program-tables.js";
import { UnderWay } from "./under-way.js";

/** What was seen; it outlives the view, with a gap for the time in which nobody looked. */
let history = new History();
let historyOf = "";

/** @type {import("../app.js").View} */
export const view = {
    show(main, place) {
        const ability = place.query.get("ability") ?? "status";
        const state = h("div");
        const help = h("div", { class: "wide" });
        const plots = h("div", { class: "plots wide" });
        const tables = h("div", { class: "tables wide" });
        const underWay = new UnderWay();
        const failedJobs = new FailedJobs();
        /** @type {import("./figures.js").Answer | null} */
        let answer = null;
        let shownHelp = "";

        const drawState = () => fill(state, programState(answer));
        const take = (/** @type {import("./figures.js").Answer} */ taken) => {
            const target = `${record.program?.url} ${ability}`;
            if (historyOf !== target) history = new History();
            historyOf = target;
            answer = taken;
            if (taken.kind === "ok") history.add(performance.now(), taken.status, ability);
            drawState();
            const helpShown = taken.kind === "none" ? `none ${taken.errcode} ${taken.errmsg}` : taken.kind;
            if (helpShown !== shownHelp) fill(help, helpFor(taken, ability)); // else what is in it would lose the focus
            shownHelp = helpShown;
            fill(plots, taken.kind === "ok" ? plotsOf(taken.status) : null);
            fill(tables, taken.kind === "ok" ? [abilityTable(taken.status), errorTable(taken.status), jobTable(taken.status)] : null);
            underWay.draw(taken.kind === "ok" ? taken.status.hung : 0);
            void failedJobs.draw(taken.kind === "ok" ? (taken.status.jobs_set_aside ?? 0) : 0);
        };
        for (const name of ["program", "state"]) record.addEventListener(name, drawState);
        drawState();
        if (record.file) fill(help, h("p", { class: "card dim" }, t("program.file")));
        const polled = record.file ? null : poll(() => ability, take);
        main.appendChild(
            h(
                "div",
                { class: "page program" },
                h("section", { class: "card wide", "aria-labelledby": "program-title" }, h("h1", { id: "program-title" }, t("nav.program")), state, abilityForm(ability)),
                help,
                plots,
                underWay.card,
                failedJobs.card,
                tables,
            ),
        );
        return () => {
            polled?.end();
            for (const name of ["program", "state"]) record.removeEventListener(name, drawState);
        };
    },
};

/**
 * Return the form that names the ability.
 * @param {string} ability
 * @returns {HTMLElement}
 */
function abilityForm(ability) {
    const input = h("input", { value: ability, required: true, autocomplete: "off", spellcheck: "false", class: "mono" });
    const use = (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const place = hashOf("program", "", { ability: input.value === "status" ? "" : input.value });
        if (place !== hashOf("program", "", here().query)) go(place);
    };
    return h(
        "details",
        {},
        h("summary", {}, t("program.ability"), " ", h("code", {}, visible(ability))),
        h("form", { class: "inline", onsubmit: use }, field(t("program.ability.label"), input, t("program.ability.help")), h("button", { disabled: record.file !== "" }, t("program.ability.use"))),
    );
}

/**
 * @param {import("./figures.js").Answer | null} answer
 * @returns {HTMLElement} What is known of the program.
 */
function programState(answer) {
    const program = record.program;
    if (program === null) return h("p", { class: "dim" }, t("loading"));
    const status = answer?.kind === "ok" ? answer.status : null;
    const kind = program.state === "up" ? "ok" : program.state === "down" ? "bad" : "";
    const began = status ? Date.now() - status.uptime * 1000 : program.since_ms;
    const since = began ? t("program.since", { time: timeOfDay(began / 1000) }) : "";
    const { pids } = program;
    const counted = program.machines?.length ? 0 : status?.processes; // the figures are of one machine
    /** @type {[string, import("../dom.js").Child | import("../dom.js").Child[]][]} */
    const facts = [
        [t("program.state"), [h("span", { class: `chip ${kind}` }, t(`program.state.${program.state}`)), " ", since]],
        [t("program.url"), h("code", {}, visible(program.url))],
        [t("program.processes"), [counted ? `${counted} ` : "", pids.length ? h("span", { class: "dim" }, `PID ${pids.join(", ")}`) : counted ? "" : "–"]],
        ...machinesOf(program),
        [t("program.sdk"), t(pids.length ? "program.sdk.standin" : "program.sdk.unknown")],
        [t("program.events"), t(program.receives_events ? "program.events.yes" : "program.events.no")],
    ];
    if (status) {
        const store = status.store === "ok" ? t("program.store.ok", { rows: status.store_rows, bytes: bytes(status.store_bytes) }) : t("program.store.unavailable");
        facts.push([t("program.uptime"), length(status.uptime)]);
        facts.push([t("program.store"), h("span", { class: status.store === "ok" ? "" : "chip bad" }, store)]);
    }
    return h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/**
 * @param {import("../record.js").Program} program
 * @returns {[string, import("../dom.js").Child[]][]} How each of several machines does, and whose figures are shown.
 */
function machinesOf({ machines = [] }) {
    if (machines.length === 0) return [];
    const chips = machines.map(({ number, state, order, fault }) => {
        const kind = order ? "warn" : fault || state === "down" ? "bad" : state === "up" ? "ok" : "";
        const said = order ? t("program.machine.changes") : fault ? t("program.machine.fault") : t(`program.state.${state}`);
        return h("span", { class: `chip ${kind}`, title: visible(fault) }, `M${number} ${said}`);
    });
    const asked = machines.find(({ state, order, fault }) => state !== "stopped" && !order && !fault);
    return [[t("program.machines"), [...chips.flatMap((chip) => [chip, " "]), asked ? h("span", { class: "dim" }, t("program.machines.figures", { number: asked.number })) : ""]]];
}

/**
 * @param {import("./figures.js").Answer} answer
 * @param {string} ability
 * @returns {HTMLElement | null} What to do when there are no figures.
 */
function helpFor(answer, ability) {
    switch (answer.kind) {
        case "ok":
            return null;
        case "none":
            return missingFigures(ability, answer);
        case "other":
            return otherAbility(ability);
        case "down":
            return programDown();
        case "gone":
            return h("p", { class: "card", role: "alert" }, t("offline"));
        case "failed":
            return h("p", { class: "card", role: "alert" }, t("program.failed", { reason: visible(answer.text) }));
    }
}

/**
 * @param {import("./history.js").Status} status
 * @returns {HTMLElement[]}
 */
function plotsOf(status) {
    const now = performance.now();
    const span = history.span(now);
    const common = { from: now - span, to: now, start: t("program.ago", { time: length(span / 1000) }), marks: history.restarts };
    const card = (/** @type {Pick<Parameters<typeof plotCard>[0], "title" | "value" | "more" | "tone" | "lines" | "unit">} */ what) =>
        plotCard({ ...common, ...what, label: (top) => t("program.plot", { title: what.title, value: what.value, top }) });
    const each = (/** @type {number} */ value) => (value >= 100 ? String(Math.round(value)) : String(Number(value.toFixed(1))));
    const calls = history.rate("calls");
    const errors = history.rate("errors");
    const errorRate = errors.at(-1)?.value ?? 0;
    const jobs = (/** @type {import("./history.js").Status} */ { jobs_waiting, jobs_claimed }) => jobs_waiting + jobs_claimed;
    return [
        card({
            title: t("program.calls"),
            value: each(calls.at(-1)?.value ?? 0),
            more: errorRate ? t("program.calls.errors", { count: each(errorRate) }) : t("program.calls.total", { count: history.samples.at(-1)?.calls ?? 0 }),
            tone: errorRate ? "bad" : "",
            lines: [
                { points: calls, kind: "main" },
                { points: errors, kind: "bad" },
            ],
            unit: each,
        }),
        card({
            title: t("program.threads"),
            value: t("program.threads.busy", { busy: status.busy, threads: status.threads }),
            more: t("program.threads.queued", { count: status.queued }),
            tone: status.queued ? "bad" : "",
            lines: [
                { points: history.gauge(({ threads }) => threads), kind: "second" },
                { points: history.gauge(({ busy }) => busy), kind: "main" },
                { points: history.gauge(({ queued }) => queued), kind: "bad" },
            ],
            unit: each,
        }),
        card({
            title: t("program.queue"),
            value: microseconds(status.queue_p99_us),
            more: t("plot.half", { time: microseconds(status.queue_p50_us) }),
            lines: [{ points: history.gauge(({ queue_p99_us }) => queue_p99_us ?? null), kind: "main" }],
            unit: microseconds,
        }),
        card({
            title: t("program.jobs"),
            value: String(jobs(status)),
            more: ended(status),
            lines: [{ points: history.gauge(jobs), kind: "main" }],
            unit: each,
        }),
    ];
}

/**
 * @param {import("./history.js").Status} status
 * @returns {string} How asynchronous calls, and events with own code, have ended.
 */
function ended({ jobs_ended, jobs_failed, events_ended = 0, events_failed = 0 }) {
    const jobs = jobs_ended ? t("program.jobs.ended", { ended: jobs_ended, failed: jobs_failed }) : "";
    const events = events_ended ? t("program.events.ended", { ended: events_ended, failed: events_failed }) : "";
    return [jobs, events].filter(Boolean).join(t("program.jobs.and"));
}

/**
 * @param {number} count
 * @returns {string}
 */
function bytes(count) {
    if (count < 1000) return `${count} B`;
    return count < 1_000_000 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}

// The program: its state and machines, what is under way or hangs, and the jobs that failed for good.
// @ts-check
import { abilityOf, ApiError, ask } from "../api.js";
import { h, update, visible } from "../dom.js";
import { readJson } from "../json/text.js";
import { copyButton, timeOfDay } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import { FailedJobs } from "./failed-jobs.js";
import { machineChip } from "./machines.js";
import { UnderWay } from "./under-way.js";

const PAUSE = 2000; // milliseconds between two questions
const FIGURES = "figures of the program"; // the target of the ability of `kind = "status"`

/**
 * @typedef {object} Status What is read of the program's figures: see wwspec_router/monitoring/status.py.
 * @property {number} hung Threads that the program has replaced.
 * @property {number} [jobs_set_aside] Left out as long as nothing has failed for good.
 * @property {{ability_id: string, state: string, attempt: number, lease_s: number, age_s: number}[]} [oldest_jobs]
 */

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        const state = h("div");
        const help = h("div", { class: "help" });
        const underWay = new UnderWay();
        const failedJobs = new FailedJobs();
        const drawState = () => {
            update(state, programState());
            update(help, record.program?.state === "down" && programDown());
        };
        record.addEventListener("program", drawState);
        drawState();
        const end = poll((status) => {
            underWay.draw(status);
            void failedJobs.draw(status?.jobs_set_aside ?? 0);
        });
        main.appendChild(
            h(
                "div",
                { class: "page program" },
                h("section", { class: "card", "aria-labelledby": "program-title" }, h("h1", { id: "program-title" }, t("nav.program")), state),
                help,
                underWay.card,
                failedJobs.card,
            ),
        );
        return () => {
            end();
            record.removeEventListener("program", drawState);
        };
    },
};

/** @returns {HTMLElement} What is known of the program. */
function programState() {
    const program = record.program;
    if (program === null) return h("p", { class: "dim" }, t("loading"));
    const kind = program.state === "up" ? "ok" : program.state === "down" ? "bad" : "";
    const since = program.since_ms ? t("program.since", { time: timeOfDay(program.since_ms / 1000) }) : "";
    const { pids } = program;
    /** @type {[string, import("../dom.js").Child | import("../dom.js").Child[]][]} */
    const facts = [
        [t("program.state"), [h("span", { class: `chip ${kind}` }, t(`program.state.${program.state}`)), " ", since]],
        [t("program.url"), h("code", {}, visible(program.url))],
        [t("program.processes"), pids.length ? `PID ${pids.join(", ")}` : "–"],
        ...machinesOf(program),
        [t("program.sdk"), t(pids.length ? "program.sdk.standin" : "program.sdk.unknown")],
        [t("program.events"), t(program.receives_events ? "program.events.yes" : "program.events.no")],
    ];
    return h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/**
 * @param {import("../record.js").Program} program
 * @returns {[string, import("../dom.js").Child[]][]} How each of several machines does, and which one tells what hangs.
 */
function machinesOf({ machines = [] }) {
    if (machines.length === 0) return [];
    const chips = machines.map(machineChip);
    const asked = machines.find(({ state, order, fault }) => state !== "stopped" && !order && !fault);
    return [[t("program.machines"), [...chips.flatMap((chip) => [chip, " "]), asked ? h("span", { class: "dim" }, t("program.machines.threads", { number: asked.number })) : ""]]];
}

/** @returns {HTMLElement} How to start the program. */
function programDown() {
    const { url = "", since_ms = null } = record.program ?? {};
    const port = /:(\d+)\/?$/.exec(url)?.[1] ?? "8080";
    const line = `WWSPEC_EMULATOR_URL=${location.origin} wwspec serve --sdk emulator --port ${port}`;
    return h(
        "section",
        { class: "card", role: "alert", "aria-labelledby": "down-title" },
        h("h2", { id: "down-title" }, since_ms ? t("program.down.since", { since: timeOfDay(since_ms / 1000) }) : t("program.down")),
        h("p", {}, t("program.down.dev")),
        h("p", {}, t("program.down.start")),
        h("div", { class: "snippet" }, h("pre", {}, line), copyButton(line)),
    );
}

/**
 * Ask the program how it is doing again and again; not while the page is hidden.
 * @param {(status: Status | null) => void} take Gets null when the program tells nothing.
 * @returns {() => void} Ends it.
 */
function poll(take) {
    let [turn, timer] = [0, 0];
    const next = async () => {
        clearTimeout(timer);
        const mine = (turn += 1);
        if (document.hidden) return;
        const status = await statusOf();
        if (mine !== turn) return;
        take(status);
        timer = setTimeout(next, PAUSE);
    };
    document.addEventListener("visibilitychange", next);
    void next();
    return () => {
        turn += 1;
        clearTimeout(timer);
        document.removeEventListener("visibilitychange", next);
    };
}

/** The ability that tells how the program is doing, and since which registration of abilities that is known. */
const known = { ability: "", registrations: -1 };

/** @returns {Promise<Status | null>} */
async function statusOf() {
    try {
        const { registrations = 0 } = record.program ?? {};
        if (known.registrations !== registrations) Object.assign(known, { ability: (await abilityOf(FIGURES)) || "status", registrations });
        const { reply } = await ask("POST", "figures", { ability_id: known.ability });
        const status = /** @type {any} */ (readJson(reply));
        return typeof status?.hung === "number" ? status : null;
    } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return null;
    }
}

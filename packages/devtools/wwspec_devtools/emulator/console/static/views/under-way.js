// What is under way: calls and events that the program has had for a while, its jobs, and threads that it gave up.
// @ts-check
import { h, update, visible } from "../dom.js";
import { lengthOfTime } from "../parts.js";
import { record } from "../record.js";
import { hashOf } from "../route.js";
import { t } from "../texts.js";

const LONG = 1000; // milliseconds

/** @type {Record<string, string>} State of a job -> its colour. */
const TONES = { waiting: "", running: "ok", reporting: "ok", claimed: "ok", "left behind": "bad", postponed: "warn" };

export class UnderWay {
    #list = h("ul", { class: "under-way" });
    #jobs = h("ul", { class: "under-way", "aria-label": t("program.jobs") });
    #none = h("p", { class: "dim" });
    #unknown = h("p", { class: "dim", hidden: true }, t("program.unknown"));
    #threads = h("p", { class: "hung", hidden: true });
    /** @type {Map<number, {since: number, item: HTMLElement, time: HTMLElement}>} By entry number. */
    #seen = new Map();
    /** The card, at any time. */
    card = h(
        "section",
        { class: "card", "aria-labelledby": "hang-title" },
        h("h2", { id: "hang-title" }, t("program.hang")),
        this.#threads,
        this.#list,
        this.#jobs,
        this.#none,
        this.#unknown,
    );

    /**
     * Show how things are now. Items stay the same elements as long as their call is under way.
     * @param {import("./program.js").Status | null} status null when the program tells nothing.
     */
    draw(status) {
        const { hung = 0, oldest_jobs: jobs = [] } = status ?? {};
        this.#unknown.hidden = status !== null || record.program?.state !== "up";
        update(this.#jobs, jobs.map(jobLine));
        this.#jobs.hidden = jobs.length === 0;
        this.#threads.hidden = hung === 0;
        this.#threads.textContent = t("program.hang.threads", { count: hung });
        const now = performance.now();
        const rows = [...record.rows.values()];
        const newest = rows.reduce((latest, row) => Math.max(latest, row.offset_ms + (row.duration_ms ?? 0)), 0);
        const open = rows.filter((row) => row.duration_ms === null && (row.kind === "call" || row.kind === "event"));
        const numbers = new Set(open.map((row) => row.number));
        for (const [number, { item }] of this.#seen) {
            if (numbers.has(number)) continue;
            item.remove();
            this.#seen.delete(number);
        }
        for (const row of open) {
            // Nobody tells when it is now on the emulator's side: it lasts at least until the newest exchange.
            const known = this.#seen.get(row.number) ?? this.#add(row, now - Math.max(0, newest - row.offset_ms));
            const lasted = now - known.since;
            if (lasted >= LONG && !known.item.isConnected) this.#list.appendChild(known.item);
            known.time.textContent = lengthOfTime(Math.floor(lasted / 1000));
        }
        this.#list.hidden = this.#list.childElementCount === 0;
        this.#none.textContent = t(status === null ? "program.hang.no-call" : "program.hang.none");
        this.#none.hidden = hung > 0 || !this.#jobs.hidden || !this.#list.hidden;
    }

    /**
     * @param {import("../record.js").Row} row
     * @param {number} since
     */
    #add(row, since) {
        const time = h("span", { class: "chip bad" });
        const link = h("a", { href: hashOf("timeline", row.number) }, visible(row.name));
        const item = h("li", {}, time, " ", link, h("span", { class: "dim" }, ` ${t(`program.hang.${row.kind}`)}${row.pid === null ? "" : ` · PID ${row.pid}`}`));
        const known = { since, item, time };
        this.#seen.set(row.number, known);
        return known;
    }
}

/** @param {NonNullable<import("./program.js").Status["oldest_jobs"]>[number]} job */
function jobLine({ ability_id, state, attempt, lease_s, age_s }) {
    const due = state === "postponed" ? ` · ${t("program.job.due", { due: lengthOfTime(lease_s) })}` : "";
    const said = `${t("program.job.what", { attempt, age: lengthOfTime(age_s) })}${due}`;
    const chip = h("span", { class: `chip ${TONES[state] ?? ""}` }, state in TONES ? t(`program.job.${state}`) : visible(state));
    return h("li", {}, chip, " ", h("span", { class: "mono" }, visible(ability_id)), h("span", { class: "dim" }, ` ${said}`));
}

// The jobs that failed for good, which can be run again or dropped: of a program with an ability of `kind = "jobs"`.
// @ts-check
import { abilityOf, ask, refusal } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { lengthOfTime } from "../parts.js";
import { t } from "../texts.js";

const JOBS = "jobs that failed for good"; // the target of the ability of `kind = "jobs"`

/**
 * @typedef {{job_id: string, name: string, attempts: number, error: string, errcode: number, failed_s: number}} Job
 */

export class FailedJobs {
    #list = h("tbody");
    #said = h("p", { role: "status" });
    #shown = -1;
    #ability = "";
    /** The card; it is hidden while there is nothing to show. */
    card = h(
        "section",
        { class: "card", "aria-labelledby": "failed-title", hidden: true },
        h("h2", { id: "failed-title" }, t("program.failed-jobs")),
        h("table", { "aria-labelledby": "failed-title" }, this.#list),
        this.#said,
        h("small", { class: "dim" }, t("program.failed-jobs.help")),
    );

    /**
     * Show the jobs anew when their number has changed: a call of each poll would fill the record.
     * @param {number} count How many the program has.
     */
    async draw(count) {
        if (count === this.#shown) return;
        this.#shown = count;
        if (count) await this.#load();
        else this.card.hidden = true;
    }

    async #load() {
        this.#ability = await abilityOf(JOBS);
        const answer = this.#ability ? await this.#ask({ action: "list", limit: 100 }) : null;
        if (answer) fill(this.#list, answer.jobs.map((/** @type {Job} */ job) => this.#row(job)));
        this.card.hidden = !answer;
    }

    /** @param {Job} job */
    #row({ job_id, name, attempts, error, errcode, failed_s }) {
        const button = (/** @type {string} */ action) => {
            const change = async () => {
                if ((await this.#ask({ action, job_id })) === null) return;
                row.remove();
                this.#shown = -1; // it may fail again before the next poll
            };
            const text = t(`program.failed-jobs.${action}`);
            return h("button", { type: "button", onclick: change, "aria-label": `${text}: ${visible(name)} ${job_id.slice(0, 8)}` }, text);
        };
        const what = t("program.failed-jobs.what", { attempts, error: visible(error), errcode, time: lengthOfTime(Math.floor(failed_s)) });
        const head = h("th", { scope: "row", class: "mono", title: visible(job_id) }, visible(name));
        const row = h("tr", {}, head, h("td", {}, what), h("td", { class: "number" }, button("retry"), " ", button("drop")));
        return row;
    }

    /**
     * @param {object} request
     * @returns {Promise<any>} The program's reply; null when it refuses, which is then said.
     */
    async #ask(request) {
        let reply;
        const problem = await refusal(async () => {
            const { answer } = await ask("POST", "call", { ability_id: this.#ability, data: JSON.stringify(request) });
            reply = answer.errcode ? answer : JSON.parse(answer.response_data);
        });
        const { errcode = 0, errmsg = "" } = reply ?? {};
        this.#said.textContent = visible(errcode ? `${errcode}: ${errmsg}` : problem);
        return errcode || problem ? null : reply;
    }
}

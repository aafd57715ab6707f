// Calls an ability as the app does: a form made from its contract, the same as JSON, and the reply.
// @ts-check
import { ApiError, ask } from "../api.js";
import { fill, h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { JsonTree } from "../json/tree.js";
import { readJson } from "../json/text.js";
import { jsonFault, writeJson } from "../json/write.js";
import { urlOption } from "../entry/commands.js";
import { commandLine, field, quoted, verdictChip } from "../parts.js";
import { record } from "../record.js";
import { hashOf } from "../route.js";
import { schemaForm } from "../schema/form.js";
import { schemaOfExample } from "../schema/schema.js";
import { t } from "../texts.js";
import { flowSteps } from "./flow-steps.js";
import { suggestIds } from "./known-ids.js";

const PATH = /(\$[^\s`:,;)]*)/; // of the first place that an errmsg names

/**
 * @param {HTMLElement} pane
 * @param {string} id Empty: it is asked for.
 * @param {import("./abilities.js").Ability} ability
 * @returns {() => void} Ends it.
 */
export function callPane(pane, id, ability) {
    const schema = ability.schemas?.input ?? (id ? schemaOfExample(ability.input) : {});
    const name = h("input", { spellcheck: "false", autocomplete: "off", required: true, value: id });
    const raw = h("textarea", { rows: 8, spellcheck: "false", "aria-label": t("call.json") });
    const notify = h("input", { spellcheck: "false", autocomplete: "off" });
    const isAsync = h("input", { type: "checkbox" });
    const problem = h("p", { class: "problem", role: "alert" });
    const line = h("div");
    const result = h("div", { role: "region", "aria-label": t("entry.reply") });
    const ids = suggestIds();
    const form = schemaForm(schema, () => ((raw.value = writeJson(form.get() ?? {}, 4)), changed()), ids.listOf);

    const draft = `call ${id}`;
    const controls = { name, raw, notify, isAsync };
    const changed = () => {
        keepDraft(draft, controls);
        raw.rows = Math.max(8, Math.min(24, raw.value.split("\n").length));
        const words = ["wwspec call", quoted(name.value || "ABILITY"), quoted(compact(raw.value))];
        if (notify.value) words.push("--notify-id", quoted(notify.value));
        if (isAsync.checked) words.push("--async");
        update(line, commandLine(`${words.join(" ")}${urlOption()}`));
    };
    const put = (/** @type {unknown} */ value) => {
        form.set(value);
        raw.value = writeJson(form.get() ?? {}, 4);
        problem.textContent = "";
        changed();
    };
    raw.addEventListener("input", () => {
        problem.textContent = jsonFault(raw.value);
        if (!problem.textContent) form.set(readJson(raw.value));
        changed();
    });
    for (const each of [name, notify, isAsync]) each.addEventListener("input", changed);

    const flow = { end: () => {} };
    const send = async (/** @type {Event} */ event) => {
        event.preventDefault();
        flow.end();
        form.clear();
        problem.textContent = "";
        fill(result, h("p", { class: "dim" }, t("call.sending")));
        try {
            const body = { ability_id: name.value, data: raw.value, notify_id: notify.value, asynchronous: isAsync.checked };
            const called = await ask("POST", "call", body);
            flow.end = showResult(result, called, (path, text) => form.mark(path, text));
        } catch (error) {
            fill(result);
            if (!(error instanceof ApiError)) throw error;
            problem.textContent = error.message;
        }
    };
    const submit = h("button", { class: "primary", title: "Ctrl+Enter" }, t("call.send"));
    const onKey = (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) entry.requestSubmit();
    };
    const entry = h(
        "form",
        { onsubmit: send, onkeydown: onKey },
        id ? null : field(t("call.id"), name),
        h("h3", {}, t("call.json")),
        raw,
        problem,
        presets(id, ability, put),
        h("div", { class: "call-more" }, field(t("call.notify"), notify), h("label", { class: "check" }, isAsync, " ", t("call.async")), submit),
        line,
    );
    if (restoreDraft(draft, controls)) raw.dispatchEvent(new Event("input"));
    else put(undefined);
    const fields = h(
        "div",
        { onkeydown: onKey },
        h("h3", {}, t("entry.request")),
        ability.schemas ? null : h("p", { class: "dim" }, t("call.derived")),
        hasFields(schema) ? form.element : h("p", { class: "dim" }, t("form.empty")),
    );
    fill(pane, h("div", { class: "sides" }, id ? fields : null, h("div", {}, entry, result)), ids.lists);
    return () => flow.end();
}

/**
 * @param {string} id
 * @param {import("./abilities.js").Ability} ability
 * @param {(value: unknown) => void} put
 */
function presets(id, ability, put) {
    const example = h("button", { type: "button", class: "small", onclick: () => put(ability.input) }, t("call.example"));
    const clear = h("button", { type: "button", class: "small", onclick: () => put(undefined) }, t("call.clear"));
    return h("div", { class: "buttons" }, id ? example : null, clear);
}

/**
 * @param {HTMLElement} place
 * @param {{number: number, answer: {errcode: number, errmsg: string, response_data?: string, jobid?: string} | null}} called
 * @param {(path: string, text: string) => void} mark Shows what is wrong with the request at a path.
 * @returns {() => void}
 */
function showResult(place, { number, answer }, mark) {
    const steps = flowSteps(number);
    const head = h("p", { class: "result" }, h("a", { href: hashOf("timeline", number) }, t("call.entry", { number })));
    const reply = valueOf(answer?.response_data);
    const own = typeof reply?.errcode === "number" ? reply.errcode : 0;
    const errmsg = own ? String(reply.errmsg ?? "") : answer?.errcode ? answer.errmsg : "";
    const path = PATH.exec(errmsg)?.[1];
    if (path && (answer?.errcode === 790016 || own)) mark(path, errmsg);
    const job = h("div");
    fill(
        place,
        h("h3", {}, t("entry.reply")),
        head,
        steps.element,
        answer === null && h("p", {}, t("call.cut")),
        answer?.response_data !== undefined && tree(reply),
        job,
    );
    head.scrollIntoView({ block: "nearest" });
    const endJob = answer?.jobid ? followJob(job, number, answer.jobid) : () => {};
    return () => {
        steps.end();
        endJob();
    };
}

/**
 * Show the result of an asynchronous call once the program reports it.
 * @param {HTMLElement} place
 * @param {number} number Of the call's entry.
 * @param {string} jobid
 * @returns {() => void}
 */
function followJob(place, number, jobid) {
    fill(place, h("p", { role: "status" }, t("call.job", { jobid })));
    const showReport = async () => {
        const report = record.flows.get(record.rows.get(number)?.flow ?? number)?.rows.find((row) => row.name === "program_async_job_call_back" && row.verdict !== "under way");
        if (report === undefined) return;
        end();
        const entry = await record.entry(report.number);
        const { result = "" } = /** @type {{result?: string}} */ (entry.request);
        const link = h("a", { href: hashOf("timeline", report.number) }, t("call.entry", { number: report.number }));
        fill(place, h("p", { class: "result", role: "status" }, t("call.job.done", { jobid }), verdictChip(report), link), tree(valueOf(result)));
    };
    const end = () => record.removeEventListener("rows", showReport);
    record.addEventListener("rows", showReport);
    void showReport();
    return end;
}

/**
 * @param {unknown} value
 * @returns {HTMLElement}
 */
function tree(value) {
    const element = new JsonTree();
    element.value = value;
    return element;
}

/**
 * @param {string | undefined} text
 * @returns {any} Its JSON value, or the text itself.
 */
function valueOf(text = "null") {
    const value = readJson(text);
    return value === undefined ? text : value;
}

/** @param {string} text */
function compact(text) {
    return jsonFault(text) ? text : writeJson(readJson(text));
}

/** @param {import("../schema/schema.js").Schema} schema */
function hasFields(schema) {
    const whole = schema.$ref ? schema.$defs[schema.$ref.replace("#/$defs/", "")] : schema;
    return whole.type !== "object" || Object.keys(whole.properties ?? {}).length > 0;
}

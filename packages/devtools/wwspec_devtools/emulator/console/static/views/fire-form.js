// Fires an event: one of WeCom's from a form, whose empty fields the emulator fills in, or any JSON as it is.
// @ts-check
import { ApiError, ask } from "../api.js";
import { fill, h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { urlOption } from "../entry/commands.js";
import { JsonTree } from "../json/tree.js";
import { readJson } from "../json/text.js";
import { jsonFault, writeJson } from "../json/write.js";
import { commandLine, field, quoted } from "../parts.js";
import { record } from "../record.js";
import { go, hashOf } from "../route.js";
import { schemaForm } from "../schema/form.js";
import { t } from "../texts.js";
import { flowSteps } from "./flow-steps.js";
import { suggestIds } from "./known-ids.js";

const KNOWLEDGE = ["knowledge_base_id", "knowledge_base_name"];
/** @type {Record<string, string[]>} Event -> fields of its own object. */
const FIELDS = {
    chat_archive_audit_approved_single: ["userid", "external_userid"],
    chat_archive_audit_approved_room: ["chatid", "external_userid"],
    conversation_new_message: ["token"],
    hit_keyword: ["token"],
    auth_knowledge_base: KNOWLEDGE,
    unauth_knowledge_base: KNOWLEDGE,
    delete_knowledge_base: KNOWLEDGE,
    knowledge_base_learn_done: [...KNOWLEDGE, "doc_id", "learn_status"],
    chat_archive_export_finished: ["jobid"],
};
/** The events that WeCom sends. */
export const EVENTS = Object.keys(FIELDS);
const NUMBERS = ["doc_id", "learn_status", "timestamp"];
/** The choice of an event that is given whole. */
const WHOLE = "whole";
const FIRST = "conversation_new_message";

/**
 * @param {import("./events.js").Info} info
 * @returns {{card: HTMLElement, show: (place: import("../route.js").Place) => void, end: () => void}}
 */
export function fireForm(info) {
    const names = info.events.length ? info.events : EVENTS;
    const choice = h("select", {}, [...names, WHOLE].map((name) => h("option", { value: name }, name === WHOLE ? t("fire.whole") : name)));
    const about = h("p", { class: "dim" });
    const body = h("div");
    const problem = h("p", { class: "problem", role: "alert" });
    const line = h("div");
    const result = h("div", { role: "region", "aria-label": t("fire.result") });
    const ids = suggestIds();
    const whole = h("textarea", { rows: 8, spellcheck: "false" });
    let form = schemaForm({}, () => {});
    let drawn = "";
    let ending = () => {};

    const draftName = () => `fire ${choice.value}`;
    const fields = {
        get value() {
            return writeJson(form.get() ?? {});
        },
        set value(text) {
            form.set(readJson(text));
        },
    };
    const controls = { whole, fields };
    const drawLine = () => {
        problem.textContent = "";
        keepDraft(draftName(), controls);
        if (choice.value === WHOLE) {
            update(line, commandLine(`wwspec fire --file event.json${urlOption()}`), h("small", { class: "dim" }, t("fire.whole.file")));
            return;
        }
        const set = Object.entries(fieldsOf(form)).map(([name, value]) => ` --set ${quoted(`${name}=${asValue(value)}`)}`);
        update(line, commandLine(`wwspec fire ${choice.value}${set.join("")}${urlOption()}`));
    };
    const draw = () => {
        const isWhole = choice.value === WHOLE;
        about.textContent = t(isWhole ? "fire.about.whole" : choice.value in FIELDS ? `fire.about.${choice.value}` : "fire.about");
        form = schemaForm(schemaOf(FIELDS[choice.value] ?? []), drawLine, ids.listOf);
        restoreDraft(draftName(), controls);
        if (isWhole && !whole.value) whole.value = writeJson({ event_type: FIRST, timestamp: Math.floor((record.clock?.now_ms ?? Date.now()) / 1000), [FIRST]: { token: "" } }, 4);
        fill(body, isWhole ? field(t("fire.json"), whole) : form.element);
        drawLine();
    };
    choice.addEventListener("input", () => go(hashOf("events", choice.value), { replace: true }));
    whole.addEventListener("input", drawLine);

    const send = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        ending();
        problem.textContent = "";
        fill(result);
        if (choice.value === WHOLE && (problem.textContent = jsonFault(whole.value))) return;
        try {
            if (record.program && !record.program.receives_events) await ask("POST", "receive-events");
            const answer = choice.value === WHOLE ? await ask("POST", "fire", whole.value) : await ask("POST", `fire/${choice.value}`, writeJson(fieldsOf(form)));
            ending = showFired(result, answer);
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            problem.textContent = visible(error.message);
            if (error.answer?.number) ending = showFired(result, error.answer);
        }
    };
    const entry = h(
        "form",
        { onsubmit: send },
        field(t("fire.event"), choice),
        about,
        body,
        problem,
        h("button", { class: "primary" }, t("fire.send")),
    );
    const card = h(
        "section",
        { class: "card", "aria-labelledby": "fire-title" },
        h("h2", { id: "fire-title" }, t("fire.title")),
        entry,
        line,
        result,
        ids.lists,
    );
    return {
        card,
        show(place) {
            const chosen = [...names, WHOLE].includes(place.id) ? place.id : FIRST;
            if (chosen === drawn) return;
            choice.value = drawn = chosen;
            draw();
        },
        end: () => ending(),
    };
}

/**
 * Show an event that was fired; how it ended is said by its line of what followed.
 * @param {HTMLElement} place
 * @param {{event: unknown, reply: string, number: number}} fired
 * @returns {() => void}
 */
function showFired(place, { event, reply, number }) {
    const steps = flowSteps(number);
    const sent = new JsonTree();
    sent.value = event;
    fill(
        place,
        h("p", { class: "result" }, h("a", { href: hashOf("timeline", number) }, t("call.entry", { number }))),
        reply && h("p", {}, t("fire.reply"), " ", h("code", {}, visible(reply))),
        steps.element,
        h("details", {}, h("summary", {}, t("fire.sent")), sent),
    );
    return steps.end;
}

/**
 * @param {string[]} names
 * @returns {import("../schema/schema.js").Schema}
 */
function schemaOf(names) {
    const properties = [...names, "timestamp"].map((name) => [name, { type: NUMBERS.includes(name) ? "integer" : "string", description: t(`fire.field.${name}`) }]);
    return { type: "object", properties: Object.fromEntries(properties) };
}

/**
 * @param {{get: () => unknown}} form
 * @returns {Record<string, unknown>}
 */
function fieldsOf(form) {
    return /** @type {Record<string, unknown>} */ (form.get() ?? {});
}

/**
 * Return a value as `--set` takes it: JSON, or text that is none.
 * @param {unknown} value
 * @returns {string}
 */
function asValue(value) {
    if (typeof value !== "string" || jsonFault(value) === "") return writeJson(value);
    return value;
}

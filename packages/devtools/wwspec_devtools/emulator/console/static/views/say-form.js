// Lets a person of the corp say something: the program gets an event, and another one when it hits a keyword rule.
// @ts-check
import { ApiError, ask } from "../api.js";
import { fill, h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { urlOption } from "../entry/commands.js";
import { commandLine, copyButton, field, quoted } from "../parts.js";
import { hashOf } from "../route.js";
import { t } from "../texts.js";
import { flowSteps } from "./flow-steps.js";

const MSGTYPES = 29;
const TEXT = 1;

/**
 * @param {import("./events.js").Info} info
 * @param {() => void} onSaid
 * @returns {{card: HTMLElement, put: (given: {from?: string, group?: string}) => void, end: () => void}}
 */
export function sayForm(info, onSaid) {
    const people = { ...info.employees, ...info.customers, ...Object.fromEntries(info.robots.map((id) => [id, ""])) };
    const [first = "", second = ""] = Object.keys(info.employees);
    const from = h("input", { list: "say-people", required: true, spellcheck: "false", autocomplete: "off", value: first });
    const to = h("input", { spellcheck: "false", autocomplete: "off", list: "say-people", value: second });
    const groups = Object.entries(info.groups).map(([id, { name }]) => h("option", { value: id }, visible(name ? `${name} · ${id}` : id)));
    const group = h("select", {}, h("option", { value: "" }, t("say.no.group")), groups);
    const text = h("textarea", { rows: 3, required: true });
    const msgtype = h("input", { type: "number", min: 0, max: MSGTYPES - 1, value: TEXT, required: true });
    const line = h("div");
    const problem = h("p", { class: "problem", role: "alert" });
    const result = h("div", { role: "region", "aria-label": t("say.result") });
    let ending = () => {};

    const receivers = () => (group.value ? [] : to.value.split(/[\s,，]+/).filter(Boolean));
    const controls = { from, to, group, text, msgtype };
    const drawLine = () => {
        keepDraft("say", controls);
        problem.textContent = "";
        to.disabled = group.value !== "";
        for (const each of [from, to]) each.setAttribute("aria-invalid", "false");
        const options = receivers().map((each) => ` --to ${quoted(each)}`);
        if (group.value) options.push(` --group ${quoted(group.value)}`);
        if (Number(msgtype.value) !== TEXT) options.push(` --msgtype ${Number(msgtype.value)}`);
        options.push(urlOption());
        const said = ` ${quoted(from.value || "FROM")} ${quoted(text.value || "TEXT")}`;
        const isOption = /^-/.test(from.value) || /^-/.test(text.value);
        update(line, commandLine(isOption ? `wwspec zone say${options.join("")} --${said}` : `wwspec zone say${said}${options.join("")}`));
    };
    for (const each of [from, to, group, text, msgtype]) each.addEventListener("input", drawLine);

    const send = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        ending();
        fill(result);
        problem.textContent = "";
        const message = { from: from.value, text: text.value, to: receivers(), group: group.value, msgtype: Number(msgtype.value) };
        try {
            ending = showSaid(result, await ask("POST", "say", message));
            onSaid();
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            problem.textContent = visible(error.message);
            from.setAttribute("aria-invalid", String(error.message.includes(`'${from.value}'`)));
            to.setAttribute("aria-invalid", String(message.to.some((each) => error.message.includes(`'${each}'`)) || /to or group/.test(error.message)));
        }
    };
    restoreDraft("say", controls);
    drawLine();
    const card = h(
        "section",
        { class: "card", "aria-labelledby": "say-title" },
        h("h2", { id: "say-title" }, t("say.title")),
        h(
            "form",
            { onsubmit: send },
            h("div", { class: "pair" }, field(t("say.from"), from), field(t("say.msgtype"), msgtype)),
            h("div", { class: "pair" }, field(t("say.to"), to), field(t("say.group"), group)),
            field(t("say.text"), text),
            problem,
            h("button", { class: "primary" }, t("say.send")),
        ),
        line,
        result,
        h("datalist", { id: "say-people" }, Object.entries(people).map(([id, name]) => h("option", { value: id }, visible(name)))),
    );
    return {
        card,
        put(given) {
            if (given.from !== undefined) from.value = given.from;
            if (given.group !== undefined) group.value = given.group;
            drawLine();
            text.focus();
        },
        end: () => ending(),
    };
}

/**
 * @param {HTMLElement} place
 * @param {{msgid: string, number: number | null}} said
 * @returns {() => void}
 */
function showSaid(place, { msgid, number }) {
    const message = h("p", { class: "result" }, "msgid ", h("code", {}, msgid), copyButton(msgid));
    if (number === null) {
        fill(place, message, h("p", { class: "dim" }, t("say.nobody")));
        return () => {};
    }
    const steps = flowSteps(number);
    fill(place, message, h("p", {}, h("a", { href: hashOf("timeline", number) }, t("call.entry", { number }))), steps.element);
    return steps.end;
}

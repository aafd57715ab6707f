// Who and what there is in the emulated corp, with ids to copy: people, groups, messages, knowledge bases, rules.
// @ts-check
import { get } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { urlOption } from "../entry/commands.js";
import { commandLine, copyButton, dateAndTime, quoted } from "../parts.js";
import { hashOf, here } from "../route.js";
import { t } from "../texts.js";

const LISTS = ["messages", "people", "groups", "knowledge", "rules"];
const SHOWN = 500;
const PAGE = 50;

/** @typedef {import("../dom.js").Child} Child */
/** @typedef {{from?: string, group?: string}} Speech */
/**
 * @typedef {object} Rows
 * @property {Child[][]} rows
 * @property {number | null} next Where the next page begins.
 */

/**
 * @param {import("./events.js").Info} info
 * @param {(given: Speech) => void} speak Begin a message.
 * @returns {{card: HTMLElement, show: (place: import("../route.js").Place) => void, refresh: () => void}}
 */
export function corpLists(info, speak) {
    const tabs = h("nav", { class: "tabs", "aria-label": t("lists.title") });
    const filter = h("input", { type: "search", spellcheck: "false", "aria-label": t("lists.filter"), placeholder: t("lists.filter") });
    const body = h("tbody");
    const head = h("tr");
    const more = h("button", { type: "button" }, t("lists.more"));
    const line = h("div");
    const none = h("p", { class: "dim", role: "status" });
    let name = "";
    let asked = 0;
    /** @type {number | null} */
    let next = null;

    const load = async (/** @type {boolean} */ isFirst) => {
        const ticket = ++asked;
        const { rows, next: following } = await rowsOf(name, info, filter.value, isFirst ? null : next, speak);
        if (ticket !== asked) return;
        if (isFirst) fill(body);
        body.append(...rows.map((cells) => h("tr", {}, cells.map((each) => h("td", {}, each)))));
        next = following;
        more.hidden = next === null;
        none.textContent = body.childNodes.length ? "" : t("lists.none");
    };
    const draw = () => {
        fill(tabs, LISTS.map((each) => h("a", { href: hashOf("events", here().id, { list: each }), "aria-current": each === name && "true" }, t(`lists.${each}`))));
        fill(head, (HEADS[name] ?? []).map((each) => h("th", {}, t(`lists.head.${each}`))), h("th", {}, h("span", { class: "visually-hidden" }, t("copy"))));
        table.dataset.list = name;
        filter.hidden = name === "rules";
        const text = name === "messages" && filter.value ? ` --text ${quoted(filter.value)}` : "";
        const verb = name === "messages" || name === "rules" ? name : "info";
        fill(line, commandLine(`wwspec zone ${verb}${text}${urlOption()}`));
        void load(true);
    };
    filter.addEventListener("input", draw);
    more.addEventListener("click", () => load(false));
    const table = h("table", {}, h("thead", {}, head), body);
    const card = h(
        "section",
        { class: "card lists", "aria-labelledby": "lists-title" },
        h("h2", { id: "lists-title" }, t("lists.title")),
        tabs,
        h("div", { class: "toolbar" }, filter, h("button", { type: "button", onclick: draw }, t("lists.refresh"))),
        h("div", { class: "scroll", tabindex: "0" }, table),
        none,
        more,
        line,
    );
    return {
        card,
        show(place) {
            const chosen = place.query.get("list") ?? "";
            const wanted = LISTS.includes(chosen) ? chosen : "messages";
            const text = place.query.get("text") ?? "";
            if (wanted === name && text === "") return;
            name = wanted;
            filter.value = text;
            draw();
        },
        refresh() {
            if (name === "messages") draw();
        },
    };
}

/** @type {Record<string, string[]>} */
const HEADS = {
    people: ["id", "name", "kind"],
    groups: ["chatid", "name", "members"],
    messages: ["time", "from", "to", "text", "msgid"],
    knowledge: ["id", "name"],
    rules: ["rule", "name", "looks", "time"],
};

/**
 * @param {string} name Of the list.
 * @param {import("./events.js").Info} info
 * @param {string} filter
 * @param {number | null} from
 * @param {(given: Speech) => void} speak
 * @returns {Promise<Rows>}
 */
async function rowsOf(name, info, filter, from, speak) {
    if (name === "messages") {
        const { messages, next } = await get("messages", { limit: PAGE, text: filter, before: from ?? "" });
        return { rows: messages.map((/** @type {any} */ each) => messageRow(each, info)), next };
    }
    if (name === "rules") {
        const { rules, next } = await get("rules", { limit: PAGE, after: from ?? "" });
        return { rows: rules.map(ruleRow), next };
    }
    const all = { people: () => peopleRows(info, speak), groups: () => groupRows(info, speak), knowledge: () => knowledgeRows(info) };
    const wanted = filter.toLowerCase();
    const found = all[/** @type {keyof typeof all} */ (name)]().filter(({ text }) => text.toLowerCase().includes(wanted));
    return { rows: found.slice(0, SHOWN).map((each) => each.cells), next: null };
}

/**
 * @param {import("./events.js").Info} info
 * @param {(given: Speech) => void} speak
 */
function peopleRows(info, speak) {
    const kinds = /** @type {const} */ ({ employee: Object.entries(info.employees), customer: Object.entries(info.customers), robot: info.robots.map((id) => [id, ""]) });
    return Object.entries(kinds).flatMap(([kind, people]) =>
        people.map(([id = "", name = ""]) => ({
            text: `${id} ${name} ${t(`lists.kind.${kind}`)}`,
            cells: [code(id), visible(name), t(`lists.kind.${kind}`), actions(id, h("button", { type: "button", class: "small", "aria-label": t("lists.speak.label", { name: name || id }), onclick: () => speak({ from: id }) }, t("lists.speak")))],
        })),
    );
}

/**
 * @param {import("./events.js").Info} info
 * @param {(given: Speech) => void} speak
 */
function groupRows(info, speak) {
    return Object.entries(info.groups).map(([chatid, { name, members }]) => ({
        text: `${chatid} ${name}`,
        cells: [code(chatid), visible(name), members.map((id) => nameOf(id, info)).join(", "), actions(chatid, h("button", { type: "button", class: "small", onclick: () => speak({ from: members[0], group: chatid }) }, t("lists.speak.here")))],
    }));
}

/** @param {import("./events.js").Info} info */
function knowledgeRows(info) {
    return Object.entries(info.knowledge_bases).map(([id, name]) => ({ text: `${id} ${name}`, cells: [code(id), visible(name), actions(id)] }));
}

/**
 * @param {any} message
 * @param {import("./events.js").Info} info
 * @returns {Child[]}
 */
function messageRow(message, info) {
    const group = info.groups[message.chatid];
    const to = message.chatid ? group?.name || message.chatid : message.to.map((/** @type {string} */ id) => nameOf(id, info)).join(", ");
    const kind = message.msgtype === 1 ? null : h("span", { class: "chip" }, t("lists.msgtype", { type: message.msgtype }));
    return [h("span", { class: "time" }, dateAndTime(message.send_time * 1000)), visible(message.name), visible(to), h("span", {}, kind, kind && " ", visible(message.text)), code(message.msgid), actions(message.msgid)];
}

/**
 * @param {any} rule
 * @returns {Child[]}
 */
function ruleRow(rule) {
    const words = (rule.keyword?.word_list ?? []).join(", ");
    const behaviours = rule.semantics?.semantics_list?.length ? t("lists.behaviours", { list: rule.semantics.semantics_list.join(", ") }) : "";
    return [code(rule.rule_id), visible(rule.name), visible([words, behaviours].filter(Boolean).join(" · ")), h("span", { class: "time" }, dateAndTime(rule.create_time * 1000)), actions(rule.rule_id)];
}

/** @param {string} id */
function code(id) {
    return h("code", {}, visible(id));
}

/**
 * @param {string} id
 * @param {...HTMLElement} more
 */
function actions(id, ...more) {
    const copy = copyButton(id);
    copy.setAttribute("aria-label", t("lists.copy", { id }));
    return h("div", { class: "buttons" }, copy, more);
}

/**
 * @param {string} id
 * @param {import("./events.js").Info} info
 */
function nameOf(id, info) {
    return visible(info.employees[id] ?? info.customers[id] ?? id);
}

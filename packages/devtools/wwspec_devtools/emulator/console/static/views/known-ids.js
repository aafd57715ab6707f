// Ids of people, groups and knowledge bases of the emulator, proposed in fields of the names that WeCom gives them.
// @ts-check
import { get } from "../api.js";
import { append, h } from "../dom.js";

/** @type {Record<string, "employees" | "customers" | "groups" | "knowledge_bases">} Field -> what it names. */
const NAMED = {
    userid: "employees",
    open_userid: "employees",
    external_userid: "customers",
    chatid: "groups",
    chat_id: "groups",
    kb_id: "knowledge_bases",
    knowledge_base_id: "knowledge_bases",
};

let made = 0;

/**
 * Return the datalists, to be put on the page, and a function that names the list for a field.
 * @returns {{lists: HTMLElement, listOf: (name: string) => string}}
 */
export function suggestIds() {
    const lists = h("div", { hidden: true });
    const prefix = `ids-${++made}`;
    /** @type {Map<string, HTMLElement>} */
    const byKind = new Map();
    const listOf = (/** @type {string} */ name) => {
        const kind = NAMED[name];
        if (kind === undefined) return "";
        if (!byKind.has(kind)) {
            const list = h("datalist", { id: `${prefix}-${kind}` });
            byKind.set(kind, list);
            lists.append(list);
            void fillList(list, kind);
        }
        return `${prefix}-${kind}`;
    };
    return { lists, listOf };
}

/**
 * @param {HTMLElement} list
 * @param {string} kind
 */
async function fillList(list, kind) {
    const found = (await get("info"))[kind];
    const named = Object.entries(found).map(([id, each]) => h("option", { value: id }, typeof each === "string" ? each : each.name));
    append(list, named);
}

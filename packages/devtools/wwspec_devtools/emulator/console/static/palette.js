// The palette (Ctrl-K): views, actions, abilities, events and entries, found by a few letters.
// @ts-check
import { fill, h, visible } from "./dom.js";
import { duration } from "./parts.js";
import { record } from "./record.js";
import { go, hashOf, here } from "./route.js";
import { inLanguage, t } from "./texts.js";
import { EVENTS } from "./views/fire-form.js";

/** @typedef {{name: string, about: string, run: () => void}} Item */

const MOST = 12; // options
const MOST_ENTRIES = 4;

/**
 * Show the palette.
 * @param {Item[]} items Views and actions of the page.
 */
export function showPalette(items) {
    if (document.querySelector("dialog[open]")) return;
    const list = h("ul", { class: "options", role: "listbox", id: "palette-options", "aria-label": t("palette.found") });
    const field = h("input", {
        type: "text",
        role: "combobox",
        "aria-autocomplete": "list",
        "aria-controls": list.id,
        "aria-expanded": "true",
        "aria-label": t("palette"),
        placeholder: t("palette.hint"),
        autocomplete: "off",
        spellcheck: "false",
        autofocus: true,
    });
    const dialog = h("dialog", { class: "palette", "aria-label": t("palette") }, field, list);
    const all = [...items, ...ofEntry(), ...places()];
    /** @type {Item[]} */
    let found = [];
    let active = 0;
    const choose = (/** @type {Item | undefined} */ item) => {
        dialog.close();
        item?.run();
    };
    const activate = (/** @type {number} */ index) => {
        active = index;
        for (const [at, line] of [...list.children].entries()) line.setAttribute("aria-selected", String(at === index));
        field.setAttribute("aria-activedescendant", list.children[index]?.id ?? "");
        list.children[index]?.scrollIntoView({ block: "nearest" });
    };
    const find = () => {
        const wanted = field.value.trim().toLowerCase();
        const others = [...entries(wanted), ...search(field.value.trim())];
        found = [...matching(all, wanted).slice(0, MOST - others.length), ...others];
        fill(list, found.map((item, index) => line(item, index, () => choose(item))));
        activate(0);
    };
    field.addEventListener("input", find);
    field.addEventListener("keydown", (event) => {
        if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "Escape") dialog.close();
        else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) choose(found[active]);
        else if (event.key === "ArrowDown") activate((active + 1) % found.length);
        else if (event.key === "ArrowUp") activate((active + found.length - 1) % found.length);
        else return;
        event.preventDefault();
        event.stopPropagation(); // the view has keys of its own
    });
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.appendChild(dialog);
    dialog.showModal();
    find();
}

/**
 * @param {Item} item
 * @param {number} index
 * @param {() => void} choose
 */
function line({ name, about }, index, choose) {
    const onpointerdown = (/** @type {Event} */ event) => {
        event.preventDefault(); // the field keeps the focus
        choose();
    };
    return h("li", { role: "option", id: `palette-option-${index}`, onpointerdown }, h("span", { class: "mono" }, visible(name)), about !== "" && h("span", { class: "dim" }, visible(about)));
}

/**
 * Return the items that have every word; those that begin with the first one go before the others.
 * @param {Item[]} items
 * @param {string} wanted
 */
function matching(items, wanted) {
    const words = wanted.split(/\s+/);
    const found = items.filter(({ name, about }) => words.every((word) => `${name} ${about}`.toLowerCase().includes(word)));
    const isFirst = (/** @type {Item} */ { name }) => Number(name.toLowerCase().startsWith(words[0] ?? ""));
    return found.sort((one, other) => isFirst(other) - isFirst(one));
}

/** @returns {Item[]} What can be done with the open entry. */
function ofEntry() {
    const { view, id, query } = here();
    const row = view === "timeline" ? record.rows.get(Number(id)) : undefined;
    if (row === undefined) return [];
    const about = `#${row.number} ${row.name}`;
    return [
        ...(row.replayable ? [{ name: t("entry.replay"), about, run: () => go(hashOf("timeline", row.number, query, "replay")) }] : []),
        { name: t("entry.tab.copy"), about, run: () => go(hashOf("timeline", row.number, { tab: "copy" })) },
    ];
}

/** @returns {Item[]} Abilities and events. */
function places() {
    const abilities = record.program?.abilities ?? [];
    return [
        ...abilities.map((id) => ({ name: id, about: t("palette.ability"), run: () => go(hashOf("abilities", id)) })),
        ...EVENTS.map((name) => ({ name, about: t("palette.event"), run: () => go(hashOf("events", name)) })),
    ];
}

/**
 * Return the latest entries that fit: by their number, or by their name.
 * @param {string} wanted
 * @returns {Item[]}
 */
function entries(wanted) {
    const [, number] = /^#?(\d+)$/.exec(wanted) ?? [];
    const rows = number === undefined ? [...record.rows.values()].reverse() : [record.rows.get(Number(number))];
    const found = rows.filter((row) => row !== undefined).filter((row) => number !== undefined || (wanted !== "" && `${row.name} ${row.ability}`.toLowerCase().includes(wanted)));
    return found.slice(0, MOST_ENTRIES).map((row) => ({
        name: `#${row.number} ${row.name}`,
        about: [t(`entry.kind.${row.kind}`), t(`verdict.${row.verdict}`), visible(inLanguage(row.reason)), duration(row.duration_ms)].filter(Boolean).join(" · "),
        run: () => go(hashOf("timeline", row.number)),
    }));
}

/**
 * @param {string} text
 * @returns {Item[]}
 */
function search(text) {
    return text === "" ? [] : [{ name: text, about: t("palette.search"), run: () => go(hashOf("timeline", "", { q: text })) }];
}

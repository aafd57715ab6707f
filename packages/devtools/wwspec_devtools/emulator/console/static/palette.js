// The palette (Ctrl-K): views, actions, abilities, events and entries, found by a few letters.
// @ts-check
import { h, visible } from "./dom.js";
import { OptionList } from "./options.js";
import { duration } from "./parts.js";
import { record } from "./record.js";
import { comparisonHash, go, hashOf, here } from "./route.js";
import { t } from "./texts.js";
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
    const field = h("input", { type: "text", "aria-label": t("palette"), placeholder: t("palette.hint"), autocomplete: "off", spellcheck: "false", autofocus: true });
    field.addEventListener("keydown", (event) => event.key === "Escape" && dialog.close());
    const list = new OptionList(field, t("palette.found"));
    const dialog = h("dialog", { class: "palette", "aria-label": t("palette") }, field, list.element);
    const all = [...items, ...ofEntry(), ...places()];
    const find = () => {
        const wanted = field.value.trim().toLowerCase();
        const others = [...entries(wanted), ...search(field.value.trim())];
        const found = [...matching(all, wanted).slice(0, MOST - others.length), ...others];
        const choose = (/** @type {Item} */ { run }) => {
            dialog.close();
            run();
        };
        list.show(found.map((item) => ({ name: visible(item.name), about: visible(item.about), choose: () => choose(item) })), 0);
    };
    field.addEventListener("input", find);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.appendChild(dialog);
    dialog.showModal();
    find();
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
        { name: t("entry.compare"), about, run: () => go(comparisonHash(row.number)) },
        ...(row.replayable && !record.file ? [{ name: t("entry.replay"), about, run: () => go(hashOf("timeline", row.number, query, "replay")) }] : []),
        { name: t("entry.tab.copy"), about, run: () => go(hashOf("timeline", row.number, { tab: "copy" })) },
    ];
}

/** @returns {Item[]} Abilities and events. */
function places() {
    const abilities = record.program?.abilities ?? Object.keys(record.contracts ?? {});
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
        about: [t(`entry.kind.${row.kind}`), row.failed ? t("timeline.failed") : row.outcome, duration(row.duration_ms)].filter(Boolean).join(" · "),
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

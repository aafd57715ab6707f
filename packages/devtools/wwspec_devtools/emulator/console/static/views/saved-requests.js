// The saved requests of an ability, which are files of the application: each fills the form in; the form can be saved.
// @ts-check
import { ApiError, ask, get } from "../api.js";
import { docText, h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { urlOption } from "../entry/commands.js";
import { commandLine, field, quoted, say } from "../parts.js";
import { t } from "../texts.js";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;
const PLACEHOLDER = "NAME";

/**
 * @param {string} id Of the ability.
 * @param {HTMLTextAreaElement} raw Has the request's JSON.
 * @returns {HTMLElement}
 */
export function savedRequests(id, raw) {
    const name = h("input", { spellcheck: "false", autocomplete: "off", required: true, maxlength: 64 });
    const list = h("div", { class: "buttons", role: "group", "aria-label": t("saved.title") });
    const save = h("button", { class: "small", hidden: true }, t("saved.save"));
    const notice = h("div");
    const line = h("div");
    let isKnown = true; // the folder
    let current = ""; // the saved request that was filled in or written last

    const file = () => `requests/${id}.${name.value || PLACEHOLDER}.json`;
    const draw = () => {
        save.hidden = !isKnown;
        const sent = isKnown ? current : name.value;
        const help = isKnown ? null : h("p", { class: "dim" }, docText(t("saved.unknown", { file: file() })));
        update(line, help, sent && commandLine(`wwspec call ${quoted(id)} @${quoted(sent)}${urlOption()}`));
    };
    const complain = (/** @type {import("../dom.js").Child[]} */ ...what) => update(notice, h("p", { class: "problem", role: "alert" }, what));
    const attempt = async (/** @type {() => Promise<void>} */ work) => {
        update(notice);
        try {
            await work();
        } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            complain(visible(error.message));
        }
        draw();
    };
    const fillIn = (/** @type {string} */ chosen) =>
        attempt(async () => {
            raw.value = (await get(`requests/${chosen}`, { ability_id: id })).data.trimEnd();
            raw.dispatchEvent(new Event("input"));
            name.value = current = chosen;
        });
    const showNames = async () => {
        const { names } = await get("requests", { ability_id: id });
        isKnown = names !== null;
        const buttons = (names ?? []).map((/** @type {string} */ each) => h("button", { type: "button", class: "small", onclick: () => fillIn(each) }, each));
        update(list, buttons.length > 0 && h("span", { class: "dim" }, t("saved.title")), buttons);
    };
    const write = (/** @type {boolean} */ isReplacing) =>
        attempt(async () => {
            if (!NAME.test(name.value)) {
                complain(t("saved.name.wrong"));
                return;
            }
            const { saved } = await ask("POST", "requests", { ability_id: id, name: name.value, data: raw.value, replace: isReplacing });
            if (!saved) {
                const again = h("button", { type: "button", class: "small", onclick: () => write(true) }, t("saved.replace"));
                complain(t("saved.exists", { file: visible(file()) }), " ", again);
                return;
            }
            current = name.value;
            say(t("saved.done", { file: file() }));
            await showNames();
        });
    const onSubmit = (/** @type {Event} */ event) => {
        event.preventDefault();
        if (isKnown) void write(false);
    };

    restoreDraft(`save ${id}`, { name });
    name.addEventListener("input", () => {
        keepDraft(`save ${id}`, { name });
        update(notice);
        draw();
    });
    void attempt(showNames);
    return h("form", { onsubmit: onSubmit, "aria-label": t("saved.title") }, list, h("div", { class: "call-more" }, field(t("saved.name"), name), save), notice, line);
}

// The contract of an ability: both console examples, and what of them differs from what the admin console has.
// @ts-check
import { ask, refusal } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { JsonTree } from "../json/tree.js";
import { readJson } from "../json/text.js";
import { jsonFault, writeJson } from "../json/write.js";
import { commandLine, copyButton, field, quoted } from "../parts.js";
import { inLanguage, t } from "../texts.js";

/** @typedef {{side: "input" | "output", path: string, errcode: number, why: [string, string], text: string}} Difference */

const SIDES = /** @type {const} */ (["input", "output"]);

/**
 * @param {HTMLElement} pane
 * @param {string} id
 * @param {import("./abilities.js").Ability} ability
 * @returns {() => void}
 */
export function contractPane(pane, id, ability) {
    const sides = SIDES.map((side) => {
        const text = writeJson(ability[side], 2);
        const schema = ability.schemas?.[side];
        return h(
            "div",
            {},
            h("h3", {}, t(`contract.${side}`), " ", copyButton(text)),
            h("pre", { tabindex: 0 }, visible(text)),
            schema && h("details", { class: "doc" }, h("summary", {}, t("contract.schema")), h("pre", { tabindex: 0 }, visible(writeJson(schema, 2)))),
        );
    });
    fill(pane, h("p", { class: "dim" }, t("contract.help")), h("div", { class: "sides" }, sides), commandLine(`wwspec contracts ${quoted(id)}`));
    return () => {};
}

/**
 * @param {HTMLElement} pane
 * @param {string} id
 * @param {import("./abilities.js").Ability} ability
 * @returns {() => void}
 */
export function comparePane(pane, id, ability) {
    const found = h("div", { role: "region", "aria-live": "polite", "aria-label": t("compare.action") });
    const boxes = SIDES.map((side) => {
        const box = h("textarea", { rows: 10, spellcheck: "false", placeholder: "{ … }" });
        const problem = h("p", { class: "problem", role: "alert" });
        return { side, box, problem };
    });
    const draft = `compare ${id}`;
    const controls = Object.fromEntries(boxes.map(({ side, box }) => [side, box]));
    restoreDraft(draft, controls);
    for (const { box } of boxes) box.addEventListener("input", () => keepDraft(draft, controls));
    const compare = async (/** @type {Event} */ event) => {
        event.preventDefault();
        fill(found);
        /** @type {Record<string, unknown>} */
        const registered = {};
        for (const { side, box, problem } of boxes) {
            problem.textContent = box.value.trim() ? jsonFault(box.value) : "";
            if (problem.textContent) return;
            if (box.value.trim()) registered[side] = readJson(box.value);
        }
        if (Object.keys(registered).length === 0) {
            fill(found, h("p", { class: "problem" }, t("compare.empty")));
            return;
        }
        await show(registered);
    };
    const show = async (/** @type {Record<string, unknown>} */ registered) => {
        const own = writeJson({ input: ability.input, output: ability.output });
        const problem = await refusal(async () => {
            const { differences } = await ask("POST", "compare", `{"own":${own},"registered":${writeJson(registered)}}`);
            fill(found, report(differences, ability, registered));
        });
        if (problem !== "") fill(found, h("p", { class: "problem" }, visible(problem)));
    };
    const fields = boxes.map(({ side, box, problem }) => h("div", {}, field(t(`compare.${side}`), box), problem));
    const files = SIDES.map((side) => `${id}.${side}.json`).join(", ");
    fill(
        pane,
        h("p", { class: "dim" }, t("compare.help")),
        h("form", { onsubmit: compare }, h("div", { class: "sides" }, fields), h("button", { class: "primary" }, t("compare.action"))),
        found,
        commandLine(`wwspec contracts ${quoted(id)} --diff FOLDER`),
        h("small", { class: "dim" }, t("compare.save", { files: visible(files) })),
    );
    return () => {};
}

/**
 * @param {Difference[]} differences
 * @param {import("./abilities.js").Ability} ability
 * @param {Record<string, unknown>} registered
 * @returns {HTMLElement}
 */
function report(differences, ability, registered) {
    if (differences.length === 0) return h("p", {}, h("span", { class: "chip ok" }, t("compare.same")));
    const lines = differences.map(({ side, path, errcode, why }) =>
        h(
            "li",
            {},
            h("span", { class: errcode ? "chip bad" : "chip warn" }, t(`compare.side.${side}`)),
            " ",
            h("code", {}, visible(path)),
            ` ${t(`compare.${errcode}`)}: ${visible(inLanguage(why))}`,
        ),
    );
    const trees = SIDES.filter((side) => side in registered).map((side) => {
        const tree = new JsonTree();
        tree.marks = new Map(differences.filter((each) => each.side === side && each.errcode).map((each) => [each.path, inLanguage(each.why)]));
        tree.value = ability[side];
        const pasted = new JsonTree();
        pasted.marks = new Map(differences.filter((each) => each.side === side && !each.errcode).map((each) => [each.path, inLanguage(each.why)]));
        pasted.value = registered[side];
        return h(
            "div",
            { class: "sides" },
            h("div", {}, h("h3", {}, t("compare.own", { side: t(`compare.side.${side}`) })), tree),
            h("div", {}, h("h3", {}, t(`compare.${side}`)), pasted),
        );
    });
    return h("div", {}, h("ul", { class: "differences" }, lines), trees);
}

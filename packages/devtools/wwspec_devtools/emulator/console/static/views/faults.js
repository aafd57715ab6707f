// Faults, the clock and the reset. `#/faults?on=sdk&api=sync_msg&count=1` fills the form: that is how an entry says
// "let this fail the next time".
// @ts-check
import { ask, refusal } from "../api.js";
import { urlOption } from "../entry/commands.js";
import { fill, h, update, visible } from "../dom.js";
import { keepDraft, restoreDraft } from "../drafts.js";
import { commandLine, field, quoted, say } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";
import { clockCard, resetCard } from "./clock.js";

/** @type {Record<string, readonly string[]>} Side -> effects that make sense there. */
const EFFECTS = {
    app: ["errcode", "latency", "timeout", "drop"],
    sdk: ["errcode", "return_code", "latency", "timeout", "drop"],
    program: ["errcode", "latency", "timeout", "drop"],
    callback: ["late", "twice", "never"],
};
/** @type {Record<string, readonly number[]>} Side -> errcodes that are worth a try; the first one is filled in. */
const ERRCODES = {
    app: [45009, 42001, 40014, 48002, 710674, -1],
    sdk: [45009, 710611, 48002, 710646, -1],
    program: [710660, 710674, 710675, 710676],
};
const SECONDS = ["latency", "timeout", "late"];
const WITHOUT_VALUE = ["drop", "twice", "never", "answer"];

/** @typedef {{on: string, effect: string, api: string, value: string, count: string}} Spec */

/** @type {readonly [string, Partial<Spec>][]} Name -> what the form gets. */
const PRESETS = [
    ["token", { on: "app", effect: "errcode", value: "42001", count: "1" }],
    ["busy", { on: "sdk", effect: "errcode", value: "45009", count: "1" }],
    ["down", { on: "program", effect: "errcode", value: "710674" }],
    ["network", { on: "sdk", effect: "return_code", value: "-10002", count: "1" }],
    ["slow", { on: "sdk", effect: "latency", value: "2" }],
    ["never", { on: "callback", effect: "never", count: "1" }],
    ["twice", { on: "callback", effect: "twice", count: "1" }],
];

/** @type {import("../app.js").View} */
export const view = {
    show(main, place) {
        const clock = clockCard();
        const list = h("div");
        const drawList = () => update(list, activeFaults());
        record.addEventListener("faults", drawList);
        drawList();
        const active = h(
            "section",
            { class: "card wide", "aria-labelledby": "faults-title" },
            h("h2", { id: "faults-title" }, t("faults.title")),
            list,
        );
        main.appendChild(
            h(
                "div",
                { class: "page faults" },
                h("h1", { class: "visually-hidden" }, t("nav.faults")),
                active,
                newFault(Object.fromEntries(place.query)),
                h("div", { class: "aside" }, clock.card, resetCard()),
            ),
        );
        return () => {
            record.removeEventListener("faults", drawList);
            clock.end();
        };
    },
};

/** @returns {HTMLElement} What is at work. */
function activeFaults() {
    if (record.faults.length === 0) return h("p", { class: "dim" }, t("faults.none"));
    const clear = (/** @type {string} */ id) => ask("DELETE", `faults${id && `?id=${encodeURIComponent(id)}`}`);
    const rows = record.faults.map((fault) => {
        const { id, on, effect, api, value, count, taken = 0 } = fault;
        const left = count ? t("faults.left.count", { left: count - taken, count }) : t("faults.left.open");
        const button = h("button", { type: "button", class: "small", "aria-label": t("faults.clear.label", { id }), onclick: () => clear(id) }, t("faults.clear"));
        return h(
            "tr",
            {},
            h("td", { class: "mono" }, id),
            h("td", {}, on),
            h("td", {}, `${t(`effect.${effect}`)}${WITHOUT_VALUE.includes(effect) ? "" : ` ${value}${SECONDS.includes(effect) ? " s" : ""}`}`),
            h("td", { class: "mono" }, api ? visible(api) : h("span", { class: "dim" }, t("faults.all"))),
            h("td", {}, left),
            h("td", { class: "number" }, taken),
            h("td", {}, button),
        );
    });
    const heads = ["ID", t("faults.on"), t("faults.effect"), "API", t("faults.left"), t("faults.hit"), ""];
    const head = heads.map((text, index) => h("th", { class: index === 5 && "number" }, text));
    return h(
        "div",
        {},
        h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))),
        h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => clear("") }, t("faults.clear.all"))),
        commandLine(`wwspec zone clear${urlOption()}`),
    );
}

/**
 * Return the form of a new fault.
 * @param {Partial<Spec>} given What it is filled with.
 * @returns {HTMLElement}
 */
function newFault(given) {
    const on = h("select", {}, Object.keys(EFFECTS).map((each) => h("option", { value: each }, t(`side.${each}`))));
    const effect = h("select");
    const api = h("input", { list: "fault-targets", spellcheck: "false", autocomplete: "off", placeholder: t("faults.all") });
    const names = new Set([...record.rows.values()].map((row) => row.ability || row.name));
    const targets = h("datalist", { id: "fault-targets" }, [...names].map((name) => h("option", { value: name })));
    const value = h("input", { type: "number", step: "any", list: "fault-values" });
    const values = h("datalist", { id: "fault-values" });
    const valueLabel = h("label");
    const valueField = field("", value);
    valueField.querySelector("label")?.replaceWith(valueLabel);
    valueLabel.htmlFor = value.id;
    const count = h("input", { type: "number", min: 1, step: 1 });
    const problem = h("p", { class: "problem", role: "alert" });
    const line = h("div");

    const fillEffects = (/** @type {string} */ chosen) => {
        const effects = EFFECTS[on.value] ?? [];
        fill(effect, effects.map((each) => h("option", { value: each }, t(`effect.${each}`))));
        effect.value = effects.includes(chosen) ? chosen : effects[0] ?? "";
        suggest();
    };
    const suggest = () => {
        const errcodes = effect.value === "errcode" ? (ERRCODES[on.value] ?? []) : [];
        fill(values, errcodes.map((each) => h("option", { value: each })));
        if (value.value === "") value.value = String(errcodes[0] ?? "");
    };
    const controls = { on, effect, api, value, count };
    const draw = () => {
        keepDraft("fault", controls);
        const kind = SECONDS.includes(effect.value) ? "seconds" : effect.value;
        valueField.hidden = WITHOUT_VALUE.includes(effect.value);
        valueLabel.textContent = valueField.hidden ? "" : t(`faults.value.${kind}`);
        value.required = !valueField.hidden;
        problem.textContent = "";
        const words = ["wwspec zone fault", on.value, effect.value, valueField.hidden ? "" : value.value];
        if (api.value) words.push("--api", quoted(api.value));
        if (count.value) words.push("--count", count.value);
        update(line, commandLine(`${words.filter(Boolean).join(" ")}${urlOption()}`));
    };
    const put = (/** @type {Partial<Spec>} */ spec) => {
        on.value = spec.on && spec.on in EFFECTS ? spec.on : "sdk";
        api.value = spec.api ?? "";
        value.value = spec.value ?? "";
        fillEffects(spec.effect ?? "");
        count.value = spec.count ?? "";
        draw();
    };
    on.addEventListener("change", () => (fillEffects(effect.value), draw()));
    effect.addEventListener("input", suggest);
    for (const control of [effect, api, value, count]) control.addEventListener("input", draw);

    const set = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const spec = { on: on.value, effect: effect.value, api: api.value, ...(valueField.hidden ? {} : { value: Number(value.value) }) };
        problem.textContent = await refusal(async () => {
            const { id } = await ask("POST", "faults", { ...spec, ...(count.value ? { count: Number(count.value) } : {}) });
            say(t("faults.done", { id }));
        });
    };
    const presets = PRESETS.map(([name, spec]) => h("button", { type: "button", class: "small", onclick: () => put(spec) }, t(`faults.preset.${name}`)));
    const fields = [field(t("faults.on"), on), field(t("faults.effect"), effect), field(t("faults.api"), api), valueField, field(t("faults.times"), count)];
    const kept = Object.fromEntries(Object.keys(controls).map((name) => [name, { value: "" }]));
    const isKept = Object.keys(given).length === 0 && restoreDraft("fault", kept);
    put(isKept ? Object.fromEntries(Object.entries(kept).map(([name, { value: text }]) => [name, text])) : given);
    return h(
        "section",
        { class: "card", "aria-labelledby": "new-fault-title" },
        h("h2", { id: "new-fault-title" }, t("faults.new")),
        h("div", { class: "buttons", role: "group", "aria-label": t("faults.preset") }, presets),
        h("form", { onsubmit: set }, h("div", { class: "fields" }, fields), targets, values, problem, h("button", { class: "primary" }, t("faults.set"))),
        line,
    );
}

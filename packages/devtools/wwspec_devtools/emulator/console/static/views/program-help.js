// What the view `program` says when there are no figures.
// @ts-check
import { h, visible } from "../dom.js";
import { copyButton, timeOfDay } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";

/**
 * Say what to add to the registry file.
 * @param {string} ability
 * @param {{errcode: number, errmsg: string}} refusal
 * @returns {HTMLElement}
 */
export function missingFigures(ability, { errcode, errmsg }) {
    const key = /^[\w-]+$/.test(ability) ? ability : JSON.stringify(ability);
    const row = `[abilities.${key}]\nkind = "status"\n`;
    return h(
        "section",
        { class: "card", "aria-labelledby": "missing-title" },
        h("h2", { id: "missing-title" }, t("program.missing")),
        h("p", {}, t("program.missing.why", { ability: visible(ability), errcode, errmsg: visible(errmsg) })),
        h("p", {}, t("program.missing.add")),
        h("div", { class: "snippet" }, h("pre", {}, visible(row)), copyButton(row)),
        h("small", { class: "dim" }, t("program.missing.else")),
    );
}

/**
 * Say that an ability has no figures.
 * @param {string} ability
 * @returns {HTMLElement}
 */
export function otherAbility(ability) {
    return h("p", { class: "card", role: "alert" }, t("program.other", { ability: visible(ability) }));
}

/** @returns {HTMLElement} How to start the program. */
export function programDown() {
    const { url = "", since_ms = null } = record.program ?? {};
    const port = /:(\d+)\/?$/.exec(url)?.[1] ?? "8080";
    const line = `WWSPEC_EMULATOR_URL=${location.origin} wwspec serve --sdk emulator --port ${port}`;
    const since = since_ms ? timeOfDay(since_ms / 1000) : "";
    return h(
        "section",
        { class: "card", role: "alert", "aria-labelledby": "down-title" },
        h("h2", { id: "down-title" }, since ? t("program.down.since", { since }) : t("program.down")),
        h("p", {}, t("program.down.dev")),
        h("p", {}, t("program.down.start")),
        h("div", { class: "snippet" }, h("pre", {}, line), copyButton(line)),
    );
}

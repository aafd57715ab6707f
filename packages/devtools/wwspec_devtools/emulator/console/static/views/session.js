// The session as one masked file: saved, and opened again without an emulator.
// @ts-check
import { urlOption } from "../entry/commands.js";
import { everyFrame, fill, h } from "../dom.js";
import { commandLine, dateAndTime, say } from "../parts.js";
import { record } from "../record.js";
import { go, hashOf } from "../route.js";
import { readSession } from "../session-file.js";
import { t } from "../texts.js";

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        const page = h("div", { class: "page" });
        const count = h("p", { role: "status" });
        const drawCount = everyFrame(() => fill(count, counted()));
        const draw = () => fill(page, h("h1", { class: "visually-hidden" }, t("nav.session")), h("div", { class: "cards" }, saveCard(count), openCard()));
        main.appendChild(page);
        record.addEventListener("state", draw);
        record.addEventListener("rows", drawCount);
        draw();
        drawCount();
        return () => {
            record.removeEventListener("state", draw);
            record.removeEventListener("rows", drawCount);
        };
    },
};

/** @returns {string} How much there is. Rows come in the order of their last changes. */
function counted() {
    let [first, last] = [Infinity, 0];
    for (const number of record.rows.keys()) [first, last] = [Math.min(first, number), Math.max(last, number)];
    return last === 0 ? t("session.empty") : t("session.count", { count: record.rows.size, first, last });
}

/**
 * @param {HTMLElement} count Says how much there is.
 * @returns {HTMLElement}
 */
function saveCard(count) {
    // The name is the emulator's, in its Content-Disposition.
    const link = h("a", { class: "button", href: "emulator/session", download: "" }, t("session.export.action"));
    return h(
        "section",
        { class: "card", "aria-labelledby": "save-title" },
        h("h2", { id: "save-title" }, t("session.export")),
        h("p", { class: "dim" }, t("session.export.help")),
        count,
        record.file ? h("p", { class: "dim" }, t("readonly")) : h("p", {}, link),
        commandLine(`wwspec zone export session.json${urlOption()}`),
    );
}

/** @returns {HTMLElement} */
function openCard() {
    const problem = h("p", { class: "problem", role: "alert" });
    const take = async (/** @type {File | undefined} */ file) => {
        if (file === undefined) return;
        try {
            const session = readSession(await file.text());
            record.open(file.name, session);
            const time = dateAndTime(session.exported_ms);
            const { version } = session;
            say(t("session.open", { name: file.name, count: session.entries.length, time, version }));
            go(hashOf("timeline"));
        } catch (error) {
            problem.textContent = t("session.wrong", { name: file.name, reason: error instanceof Error ? error.message : "" });
        }
    };
    const input = h("input", { type: "file", accept: ".json,application/json", "aria-label": t("session.import.label") });
    input.addEventListener("change", () => void take(input.files?.[0]));
    const drop = h("div", { class: "drop" }, h("p", { class: "dim" }, t("session.import.drop")), input);
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => {
        event.preventDefault();
        void take(event.dataTransfer?.files[0]);
    });
    const back = h("button", { type: "button", class: "primary", onclick: () => record.start() }, t("session.back"));
    return h(
        "section",
        { class: "card", "aria-labelledby": "open-title" },
        h("h2", { id: "open-title" }, t("session.import")),
        h("p", { class: "dim" }, t("session.import.help")),
        drop,
        problem,
        record.file && h("p", {}, t("imported", { name: record.file })),
        record.file && h("div", { class: "buttons" }, back, h("a", { class: "button", href: hashOf("timeline") }, t("session.view"))),
    );
}

// The machines of the program: how each does, and buttons that stop and start it.
// @ts-check
import { urlOption } from "../entry/commands.js";
import { h, update, visible } from "../dom.js";
import { actionCard } from "../parts.js";
import { record } from "../record.js";
import { t } from "../texts.js";

/** @typedef {import("../record.js").Machine} Machine */

/** @type {import("../app.js").View} */
export const view = {
    show(main) {
        const list = h("div");
        const { card, act } = actionCard(t("nav.machines"), list);
        main.appendChild(h("div", { class: "page faults" }, card));
        const order = (/** @type {number} */ machine, /** @type {string} */ what) => act(`wwspec zone machine ${what} ${machine}${urlOption()}`, "machines", { machine, order: what });
        const draw = () => {
            const machines = record.program?.machines ?? [];
            update(list, machines.length > 0 ? table(machines, order) : h("p", { class: "dim" }, t("machines.one")));
        };
        record.addEventListener("program", draw);
        draw();
        return () => record.removeEventListener("program", draw);
    },
};

/**
 * @param {Machine[]} machines
 * @param {(number: number, what: string) => void} order
 */
function table(machines, order) {
    const rows = machines.map((machine) => {
        const { number, url, pids, state } = machine;
        const what = state === "stopped" ? "start" : "stop";
        const button = h("button", { type: "button", class: "small", disabled: machine.order !== "", onclick: () => order(number, what) }, t(`machines.${what}`, { number }));
        return h("tr", {}, h("th", { scope: "row" }, machineChip(machine)), h("td", {}, button), h("td", { class: "mono" }, visible(url)), h("td", {}, pids.length ? `PID ${pids.join(", ")}` : "–"));
    });
    return h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, rows)));
}

/**
 * Return the chip that says how a machine does.
 * @param {Machine} machine
 */
export function machineChip({ number, state, order, fault }) {
    const kind = order ? "warn" : fault || state === "down" ? "bad" : state === "up" ? "ok" : "";
    const said = order ? t("program.machine.changes") : fault ? t("program.machine.fault") : t(`program.state.${state}`);
    return h("span", { class: `chip ${kind}`, title: visible(fault) }, `M${number} ${said}`);
}

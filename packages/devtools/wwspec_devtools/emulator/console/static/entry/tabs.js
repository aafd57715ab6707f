// Tabs, as the keyboard uses them: arrows go from one to the next.
// @ts-check
import { h } from "../dom.js";

/**
 * Return a list of tabs, and select one by `select`.
 * @param {string} label
 * @param {ReadonlyArray<readonly [string, string]>} tabs Name and text of each.
 * @param {HTMLElement} panel
 * @param {(name: string) => void} choose
 */
export function tabList(label, tabs, panel, choose) {
    panel.id ||= `panel-${Math.random().toString(36).slice(2)}`;
    panel.setAttribute("role", "tabpanel");
    const buttons = tabs.map(([name, text]) =>
        h("button", { type: "button", role: "tab", id: `${panel.id}-${name}`, "data-tab": name, "aria-controls": panel.id, onclick: () => choose(name) }, text),
    );
    const element = h("div", { class: "tabs", role: "tablist", "aria-label": label }, buttons);
    element.addEventListener("keydown", ({ key }) => {
        const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
        const next = buttons.at((buttons.findIndex((each) => each === document.activeElement) + step) % buttons.length);
        if (step === 0 || next === undefined) return;
        choose(next.dataset.tab ?? "");
        next.focus();
    });
    const select = (/** @type {string} */ name) => {
        for (const button of buttons) {
            const isSelected = button.dataset.tab === name;
            button.setAttribute("aria-selected", String(isSelected));
            button.tabIndex = isSelected ? 0 : -1;
            if (isSelected) panel.setAttribute("aria-labelledby", button.id);
        }
    };
    return { element, select };
}

// A list of options below a field, for the mouse and the keys: what a search completes, what the palette finds.
// @ts-check
import { fill, h, setAttribute } from "./dom.js";

/**
 * @typedef {object} Option
 * @property {string} name What the field would hold, or what is done.
 * @property {string} about A short text behind it; empty for none.
 * @property {() => void} choose
 */

export class OptionList {
    #list = h("ul", { class: "options", role: "listbox", hidden: true });
    /** @type {readonly Option[]} */
    #options = [];
    #active = -1;

    /**
     * @param {HTMLInputElement} field
     * @param {string} label
     */
    constructor(field, label) {
        this.field = field;
        this.#list.id = `options-${Math.random().toString(36).slice(2)}`;
        setAttribute(this.#list, "aria-label", label);
        for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": this.#list.id, "aria-expanded": "false" })) field.setAttribute(name, value);
        field.addEventListener("keydown", (event) => this.#key(event));
        field.addEventListener("blur", () => this.show([]));
    }

    get element() {
        return this.#list;
    }

    /**
     * @param {readonly Option[]} options None close the list.
     * @param {number} [active] Index of the one that Enter takes; -1 for none.
     */
    show(options, active = -1) {
        this.#options = options;
        this.#list.hidden = options.length === 0;
        setAttribute(this.field, "aria-expanded", String(options.length > 0));
        fill(this.#list, options.map(({ name, about }, index) => this.#line(name, about, index)));
        this.#activate(Math.min(active, options.length - 1));
    }

    /**
     * @param {string} name
     * @param {string} about
     * @param {number} index
     */
    #line(name, about, index) {
        const line = h("li", { role: "option", id: `${this.#list.id}-${index}` }, h("span", { class: "mono" }, name), about !== "" && h("span", { class: "dim" }, about));
        line.addEventListener("pointerdown", (event) => {
            event.preventDefault(); // the field keeps the focus
            this.#options[index]?.choose();
        });
        return line;
    }

    /** @param {number} index */
    #activate(index) {
        this.#active = index;
        for (const [at, line] of [...this.#list.children].entries()) line.setAttribute("aria-selected", String(at === index));
        if (index < 0) this.field.removeAttribute("aria-activedescendant");
        else this.field.setAttribute("aria-activedescendant", `${this.#list.id}-${index}`);
        this.#list.children[index]?.scrollIntoView({ block: "nearest" });
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const count = this.#options.length;
        if (count === 0 || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
        const chosen = this.#options[this.#active];
        if (event.key === "ArrowDown") this.#activate((this.#active + 1) % count);
        else if (event.key === "ArrowUp") this.#activate((this.#active <= 0 ? count : this.#active) - 1);
        else if (event.key === "Escape") this.show([]);
        else if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && chosen !== undefined) chosen.choose();
        else return;
        event.preventDefault();
        event.stopImmediatePropagation();
    }
}

// A field for JSON: line numbers, the line of an error, and indentation.
// @ts-check
import { h } from "../dom.js";
import { formatJson } from "./format.js";
import { readJson } from "./text.js";

const LINE = 19; // pixels, as in the style

export class JsonEditor {
    #lines = h("div", { class: "lines", "aria-hidden": "true" });
    #mark = h("div", { class: "error-line", hidden: true });
    #count = 0;
    #marked = 0;

    /**
     * @param {string} value
     * @param {() => void} change Told after each change.
     */
    constructor(value, change) {
        this.field = h("textarea", { spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", rows: 12, dir: "ltr" });
        this.field.value = value;
        this.element = h("div", { class: "json-editor" }, this.#lines, h("div", { class: "text" }, this.#mark, this.field));
        this.field.addEventListener("input", () => {
            this.mark(0);
            this.#number();
            change();
        });
        this.field.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
            event.preventDefault();
            this.#newLine();
        });
        this.field.addEventListener("scroll", () => this.#scrolled());
        this.#number();
        this.element.style.height = `${Math.min(Math.max(this.#count, 5), 16) * LINE + 30}px`;
    }

    get value() {
        return this.field.value;
    }

    set value(value) {
        this.field.value = value;
        this.field.dispatchEvent(new Event("input"));
    }

    /** Put each member on a line of its own; a text that is not JSON stays as it is. */
    format() {
        if (readJson(this.value) !== undefined) this.value = formatJson(this.value);
    }

    /**
     * Highlight a line.
     * @param {number} line From 1; 0 for none.
     */
    mark(line) {
        this.#marked = line;
        this.#mark.hidden = line === 0;
        this.field.setAttribute("aria-invalid", String(line !== 0));
        this.#scrolled();
    }

    #newLine() {
        const before = this.value.slice(0, this.field.selectionStart);
        const indent = /[^\n]*$/.exec(before)?.[0].match(/^ */)?.[0] ?? "";
        const text = `\n${indent}${/[[{]\s*$/.test(before) ? "  " : ""}`;
        if (!document.execCommand("insertText", false, text)) this.field.setRangeText(text); // the first one can be undone
    }

    #number() {
        const count = this.value.split("\n").length;
        if (count === this.#count) return;
        this.#count = count;
        this.#lines.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
    }

    #scrolled() {
        const { scrollTop } = this.field;
        this.#lines.scrollTop = scrollTop;
        this.#mark.style.transform = `translateY(${(this.#marked - 1) * LINE - scrollTop}px)`;
    }
}

// A list of many rows of one height, of which only those in sight are in the page.
// @ts-check
import { everyFrame } from "./dom.js";

const BEYOND = 8; // rows above and below those in sight

/**
 * `<virtual-list>`: set `rowHeight`, `make` and `rows`. The selected row is in sight; `change` tells that it changed by
 * the mouse.
 */
export class VirtualList extends HTMLElement {
    /** Pixels. */
    rowHeight = 32;
    /** @type {(row: any, index: number) => HTMLElement} Makes the element of a row. */
    make = () => document.createElement("div");
    /** @type {readonly any[]} */
    #rows = [];
    /** @type {Map<any, HTMLElement>} Row -> its element, of the rows in sight. */
    #shown = new Map();
    #selected = -1;
    #space = document.createElement("div");
    #draw = everyFrame(() => this.draw());
    #resized = new ResizeObserver(() => this.#draw());

    connectedCallback() {
        this.setAttribute("role", "listbox");
        this.tabIndex = 0;
        this.#space.className = "space";
        this.#space.setAttribute("role", "presentation");
        this.replaceChildren(this.#space);
        this.addEventListener("scroll", this.#draw, { passive: true });
        this.#resized.observe(this);
        this.draw();
    }

    disconnectedCallback() {
        this.#resized.disconnect();
    }

    /** What is listed. A row that is the same object as before keeps its element until `changed` names it. */
    get rows() {
        return this.#rows;
    }

    set rows(rows) {
        this.#rows = rows;
        this.#draw();
    }

    /** Index of the selected row; -1 for none. */
    get selected() {
        return this.#selected;
    }

    set selected(index) {
        if (index === this.#selected) return;
        this.#selected = index;
        this.#draw();
    }

    /** @returns {boolean} Whether the last row is in sight. */
    get isAtEnd() {
        return this.scrollTop + this.clientHeight >= this.#rows.length * this.rowHeight - this.rowHeight;
    }

    /**
     * Make the element of a row anew.
     * @param {any} row
     */
    changed(row) {
        this.#shown.get(row)?.remove();
        if (this.#shown.delete(row)) this.#draw();
    }

    /** Make all elements anew. */
    redraw() {
        this.#shown.clear();
        this.#space.replaceChildren();
        this.draw();
    }

    /** @param {number} index Scroll so that a row is in sight. */
    reveal(index) {
        const top = index * this.rowHeight;
        const lowest = top + this.rowHeight - this.clientHeight;
        this.scrollTo(0, Math.min(top, Math.max(lowest, this.scrollTop)));
    }

    toEnd() {
        this.#space.style.height = `${this.#rows.length * this.rowHeight}px`;
        this.scrollTop = this.scrollHeight;
        this.#draw();
    }

    draw() {
        if (!this.isConnected) return;
        this.#space.style.height = `${this.#rows.length * this.rowHeight}px`;
        const first = Math.max(0, Math.floor(this.scrollTop / this.rowHeight) - BEYOND);
        const end = Math.min(this.#rows.length, Math.ceil((this.scrollTop + this.clientHeight) / this.rowHeight) + BEYOND);
        const gone = new Map(this.#shown);
        for (let index = first; index < end; index += 1) {
            const row = this.#rows[index];
            gone.delete(row);
            this.#place(row, index);
        }
        for (const [row, element] of gone) {
            element.remove();
            this.#shown.delete(row);
        }
        const active = this.#shown.get(this.#rows[this.#selected]);
        if (active) this.setAttribute("aria-activedescendant", active.id);
        else this.removeAttribute("aria-activedescendant");
    }

    /**
     * @param {any} row
     * @param {number} index
     */
    #place(row, index) {
        let element = this.#shown.get(row);
        if (element === undefined) {
            element = this.make(row, index);
            element.classList.add("row");
            element.id ||= `row-${Math.random().toString(36).slice(2)}`;
            element.setAttribute("role", "option");
            this.#shown.set(row, element);
            this.#space.appendChild(element);
        }
        element.style.transform = `translateY(${index * this.rowHeight}px)`;
        element.setAttribute("aria-selected", String(index === this.#selected));
        element.setAttribute("aria-posinset", String(index + 1));
        element.setAttribute("aria-setsize", String(this.#rows.length));
    }
}

customElements.define("virtual-list", VirtualList);

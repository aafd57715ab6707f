// A list of many rows of one height, of which only those in sight are in the page.
// @ts-check
import { everyFrame, setAttribute } from "./dom.js";

const TIDY_MS = 150;
const BEYOND = 4; // rows above and below those in sight

/**
 * `<virtual-list>`: set `rowHeight`, `make` and `rows`. The selected row is in sight; `change` tells that it changed by
 * the mouse.
 */
export class VirtualList extends HTMLElement {
    /** Pixels. */
    rowHeight = 32;
    /** @type {(row: any, index: number) => HTMLElement} Makes the element of a row. */
    make = () => document.createElement("div");
    /** @type {((element: HTMLElement, row: any, index: number) => void) | null} Lets the element of another row show a row;
     *   null makes new elements. */
    renew = null;
    /** What the list is for assistive tools, and what its rows are. */
    roles = { list: "listbox", row: "option" };
    /** @type {readonly any[]} */
    #rows = [];
    /** @type {Map<any, HTMLElement>} Row -> its element, of the rows in sight. */
    #shown = new Map();
    #selected = -1;
    #space = document.createElement("div");
    #draw = everyFrame(() => this.draw());
    #tidying = 0;
    #resized = new ResizeObserver(() => this.#draw());

    connectedCallback() {
        this.setAttribute("role", this.roles.list);
        this.tabIndex = 0;
        this.#space.className = "space";
        this.#space.setAttribute("role", "presentation");
        this.replaceChildren(this.#space);
        this.addEventListener("scroll", this.#draw, { passive: true });
        this.#resized.observe(this);
        this.draw();
    }

    disconnectedCallback() {
        clearTimeout(this.#tidying);
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
        const element = this.#shown.get(row);
        if (element === undefined) return;
        if (this.renew !== null) {
            this.renew(element, row, this.#rows.indexOf(row));
            return;
        }
        element.remove();
        this.#shown.delete(row);
        this.#draw();
    }

    /** Make all elements anew, or let them show their rows anew. */
    redraw() {
        if (this.renew !== null) {
            this.draw();
            for (const [row, element] of this.#shown) this.renew(element, row, this.#rows.indexOf(row));
            return;
        }
        this.#shown.clear();
        this.#space.replaceChildren();
        this.draw();
    }

    /**
     * Scroll so that the selected row is in sight, and so is one above it when there is room for both.
     * @param {number} [above] Its index.
     */
    revealSelected(above = this.#selected) {
        if (this.#selected < 0) return;
        const bottom = (this.#selected + 1) * this.rowHeight;
        const room = Math.floor(this.clientHeight / this.rowHeight) * this.rowHeight;
        const top = Math.max(above * this.rowHeight, bottom - room);
        this.scrollTo(0, Math.min(top, Math.max(bottom - this.clientHeight, this.scrollTop)));
    }

    /** @param {number} rows Scroll by so many rows: they came above those in sight. */
    shift(rows) {
        this.#space.style.height = `${this.#rows.length * this.rowHeight}px`;
        this.scrollTop += rows * this.rowHeight;
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
        for (let index = first; index < end; index += 1) gone.delete(this.#rows[index]);
        for (const row of gone.keys()) this.#shown.delete(row);
        const spare = [...gone.values()];
        for (let index = first; index < end; index += 1) this.#place(this.#rows[index], index, spare);
        for (const element of spare) element.remove();
        clearTimeout(this.#tidying);
        this.#tidying = setTimeout(() => this.#tidy(), TIDY_MS);
        const active = this.#shown.get(this.#rows[this.#selected]);
        if (active) this.setAttribute("aria-activedescendant", active.id);
        else this.removeAttribute("aria-activedescendant");
    }

    /**
     * @param {any} row
     * @param {number} index
     * @param {HTMLElement[]} spare Elements of rows that are no longer in sight.
     */
    #place(row, index, spare) {
        let element = this.#shown.get(row);
        if (element === undefined) {
            const renew = this.renew;
            element = renew === null ? undefined : spare.pop();
            if (element === undefined) element = this.#made(row, index);
            else renew?.(element, row, index);
            this.#shown.set(row, element);
        }
        element.style.transform = `translateY(${index * this.rowHeight}px)`;
        setAttribute(element, "aria-selected", String(index === this.#selected));
        setAttribute(element, "aria-posinset", String(index + 1));
        setAttribute(element, "aria-setsize", String(this.#rows.length));
    }

    /** Put the elements into the order of their rows, for those who read the page by its elements. */
    #tidy() {
        const place = (/** @type {HTMLElement} */ element) => Number(element.getAttribute("aria-posinset"));
        const inOrder = [...this.#shown.values()].sort((a, b) => place(a) - place(b));
        if (inOrder.some((element, index) => this.#space.children[index] !== element)) this.#space.replaceChildren(...inOrder);
    }

    /**
     * @param {any} row
     * @param {number} index
     * @returns {HTMLElement}
     */
    #made(row, index) {
        const element = this.make(row, index);
        element.classList.add("row");
        element.id ||= `row-${Math.random().toString(36).slice(2)}`;
        element.setAttribute("role", this.roles.row);
        this.#space.appendChild(element);
        return element;
    }
}

customElements.define("virtual-list", VirtualList);

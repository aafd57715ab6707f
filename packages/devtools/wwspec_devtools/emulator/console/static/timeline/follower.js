// Goes with the end of the timeline while the reader is there, and counts what comes while he is elsewhere.
// @ts-check
import { h } from "../dom.js";
import { EntryItem, flowNumber } from "./items.js";
import { here } from "../route.js";
import { t } from "../texts.js";

const MOST_NEW = 999; // counted

export class Follower {
    isFollowing = true;
    /** Whether the newest line is the last one. */
    isPossible = true;
    /** Number of the last flow that was there when the reader left the end. */
    #lastSeen = 0;

    /**
     * @param {import("../virtual-list.js").VirtualList} list
     * @param {() => void} toEnd
     */
    constructor(list, toEnd) {
        this.list = list;
        this.button = h("button", { type: "button", class: "newest", hidden: true, onclick: toEnd });
        list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    }

    /** Go to the end, and with it. */
    follow() {
        if (!this.isPossible) return;
        this.isFollowing = true;
        this.list.toEnd();
        this.show();
    }

    /** Stay where the list is, even at its end. */
    stay() {
        if (this.isFollowing) this.#lastSeen = lastNumber(this.list.rows);
        this.isFollowing = false;
        this.show();
    }

    /** Show the way to the end, and how many flows are new there. */
    show() {
        const isHidden = this.isFollowing || !this.isPossible || this.list.isAtEnd;
        if (isHidden !== this.button.hidden) this.button.hidden = isHidden;
        if (isHidden) return;
        const { rows } = this.list;
        let count = 0;
        for (let at = rows.length - 1; at >= 0 && count < MOST_NEW && flowNumber(rows[at]) > this.#lastSeen; at -= 1) {
            if (!(rows[at] instanceof EntryItem)) count += 1;
        }
        const text = `↓ ${count > 0 ? t("timeline.new", { count }) : t("timeline.newest")}`;
        if (text !== this.button.textContent) this.button.textContent = text;
    }

    #scrolled() {
        const { isAtEnd } = this.list;
        if (!isAtEnd && this.isFollowing) this.stay();
        else if (isAtEnd && this.isPossible && here().id === "") this.isFollowing = true; // beside an open entry the list stays
        this.show();
    }
}

/** @param {readonly import("./items.js").Item[]} rows */
function lastNumber(rows) {
    const last = rows.at(-1);
    return last === undefined ? 0 : flowNumber(last);
}

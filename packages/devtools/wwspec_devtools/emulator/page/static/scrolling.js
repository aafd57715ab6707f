// Where a scroll-view is scrolled to: by its attributes, and by the page through a `ref`.
// @ts-check

/** @type {WeakMap<Element, string>} What the attributes of a scroll-view asked for last. */
const asked = new WeakMap();

/**
 * Scroll each scroll-view whose attributes ask for another place than before.
 * @param {Element} root
 */
export function scrollAsAsked(root) {
    for (const element of root.querySelectorAll(".ww-scroll-view")) {
        const { wwTop, wwLeft, wwSmooth } = /** @type {HTMLElement} */ (element).dataset;
        const place = `${wwTop} ${wwLeft}`;
        if (asked.get(element) === place || (wwTop === undefined && wwLeft === undefined)) continue;
        asked.set(element, place);
        element.scrollTo({ top: Number(wwTop ?? element.scrollTop), left: Number(wwLeft ?? element.scrollLeft), behavior: wwSmooth === undefined ? "instant" : "smooth" });
    }
}

/**
 * Answer a page that uses an element by its `ref`.
 * @param {Element} root
 * @param {Record<string, any>} args
 */
export function useRef(root, args) {
    const name = args["type"] === "ref.get" ? args["name"] : args["refId"];
    const element = [...root.querySelectorAll("[data-ww-ref]")].find((each) => each.getAttribute("data-ww-ref") === name);
    if (args["type"] === "ref.get") return element && { refId: name };
    if (args["name"] === "scrollTo") element?.scrollTo(args["data"]);
    else if (args["name"] === "scrollIntoView") element?.querySelector(args["data"].selector)?.scrollIntoView(args["data"].options);
    else throw new Error(`the emulator does not model ${args["name"]}`);
    return undefined;
}

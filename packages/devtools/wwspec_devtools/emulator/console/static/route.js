// The place: which view is shown, of what, and with which filters. It is the part of the URL behind `#`, so that a
// place can be sent to somebody and the browser's buttons work.
// @ts-check

/**
 * @typedef {object} Place
 * @property {string} view Such as `timeline`.
 * @property {string} id What it shows, such as an entry's number; empty for none.
 * @property {string} part What of it, such as `replay`; empty for all.
 * @property {URLSearchParams} query Its filters.
 */

/**
 * Return the place of a URL's hash, such as `#/timeline/12?kind=call`.
 * @param {string} hash
 * @returns {Place}
 */
export function placeOf(hash) {
    const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
    const [view = "", id = "", part = ""] = decoded(path);
    return { view: view || "timeline", id, part, query: new URLSearchParams(query) };
}

/**
 * Return the parts of a path; a malformed one is a single part, which no view is named by.
 * @param {string} path
 * @returns {string[]}
 */
function decoded(path) {
    try {
        return path.split("/").map(decodeURIComponent);
    } catch {
        return [path];
    }
}

/**
 * Return the hash of a place; empty filters are left out.
 * @param {string} view
 * @param {string | number} [id]
 * @param {Record<string, string> | URLSearchParams} [query]
 * @param {string} [part] Only with an id.
 * @returns {string}
 */
export function hashOf(view, id = "", query = {}, part = "") {
    const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
    const text = new URLSearchParams(entries.filter(([, value]) => value !== "")).toString();
    const path = [view, id, part].filter((each) => each !== "").map(encodeURIComponent).join("/");
    return `#/${path}${text ? `?${text}` : ""}`;
}

/** @returns {Place} The place that is shown. */
export function here() {
    return placeOf(location.hash);
}

/**
 * Go to a place.
 * @param {string} hash From `hashOf`.
 * @param {{replace?: boolean}} [how] With `replace` the browser's back button skips the place that is left.
 */
export function go(hash, { replace = false } = {}) {
    if (hash === location.hash) return;
    if (replace) {
        history.replaceState(null, "", hash);
        dispatchEvent(new HashChangeEvent("hashchange"));
    } else {
        location.hash = hash;
    }
}

// The page: navigation, language, theme, keyboard, and which view is shown.
// @ts-check
import { h, fill, update } from "./dom.js";
import { setPageKeys, setViewKeys } from "./keys.js";
import { record } from "./record.js";
import { go, hashOf, here } from "./route.js";
import { language, setLanguage, t } from "./texts.js";
import { say } from "./parts.js";
import { showKeys } from "./help.js";

/**
 * @typedef {object} View What a module in `views/` exports as `view`.
 * @property {(main: HTMLElement, place: import("./route.js").Place) => void | (() => void)} show Fill the element; what
 *   is returned ends it.
 * @property {(place: import("./route.js").Place) => boolean} [move] Show another place of the same view, and return
 *   true; without it, or when it returns false, the view is shown anew.
 * @property {import("./keys.js").Keys} [keys]
 */

/** @type {Record<string, () => Promise<{view: View}>>} */
const VIEWS = {
    timeline: () => import("./views/timeline.js"),
    abilities: () => import("./views/abilities.js"),
    events: () => import("./views/events.js"),
    faults: () => import("./views/faults.js"),
    program: () => import("./views/program.js"),
    machines: () => import("./views/machines.js"),
    authorisations: () => import("./views/authorisations.js"),
};

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const bar = /** @type {HTMLElement} */ (document.getElementById("bar"));

/** @type {{name: string, view: View, end: void | (() => void)} | null} */
let shown = null;
/** How often a view was asked for: one that was loaded too late is not shown. */
let turns = 0;

/** Show the place of the URL. */
async function show() {
    const place = here();
    drawBar();
    if (shown !== null && shown.name === place.view && shown.view.move?.(place)) return;
    shown?.end?.();
    shown = null;
    setViewKeys({});
    fill(main); // at once: nobody types into the view that has ended while the next one is loaded
    const load = VIEWS[place.view];
    if (load === undefined) {
        fill(main, h("p", { class: "empty" }, t("unknown.view")));
        return;
    }
    turns += 1;
    const turn = turns;
    const { view } = await load();
    if (turn !== turns) return;
    main.dataset.view = place.view;
    setViewKeys(view.keys ?? {});
    shown = { name: place.view, view, end: view.show(main, here()) };
}

function drawBar() {
    const { view } = here();
    document.title = `${view in VIEWS ? t(`nav.${view}`) : ""} · wwspec`;
    const links = Object.keys(VIEWS).map((name, index) =>
        h("a", { href: hashOf(name), "aria-current": name === view && "page", title: String(index + 1) }, t(`nav.${name}`)),
    );
    update(
        bar,
        h("a", { class: "brand", href: hashOf("timeline") }, h("span", { "aria-hidden": "true", class: "logo" }), "wwspec"),
        h("nav", { "aria-label": t("nav.label") }, links),
        h("span", { class: "grow" }),
        h("button", { type: "button", class: "quiet only-wide", title: t("keys.palette"), "aria-label": `Ctrl K: ${t("palette")}`, onclick: openPalette }, h("kbd", {}, "Ctrl K")),
        connection(),
        h("button", { type: "button", class: "quiet", "aria-label": t("language.label"), onclick: switchLanguage }, t("language")),
        h("button", { type: "button", class: "quiet", "aria-label": t("theme.label"), onclick: switchTheme }, "◐"),
        h("button", { type: "button", class: "quiet", "aria-label": t("help.label"), onclick: showKeys }, "?"),
    );
    requestAnimationFrame(() => bar.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }));
}

/** @returns {HTMLElement} Whether entries come in. */
function connection() {
    const { state } = record;
    if (state === "offline") return h("span", { class: "status bad", role: "status" }, t("offline"));
    const label = state === "paused" ? t("paused") : t("live");
    const action = state === "paused" ? t("resume") : t("pause");
    return h("button", { type: "button", class: `status ${state}`, title: `${action} (p)`, onclick: () => record.toggle() }, label);
}

function switchLanguage() {
    setLanguage(language() === "en" ? "zh" : "en");
    shown?.end?.();
    shown = null;
    void show();
}

function switchTheme() {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const shown = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
    const chosen = shown === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    localStorage.setItem("wwspec-theme", chosen);
}

const loadEntry = () => import("./views/entry.js");
const loadPalette = () => import("./palette.js");

/** Load the rest, once the list is drawn: then it opens at once. */
function loadRest() {
    for (const load of [...Object.values(VIEWS), loadEntry, loadPalette]) void load();
}

async function openPalette() {
    const { showPalette } = await loadPalette();
    const views = Object.keys(VIEWS).map((name) => ({ name: t(`nav.${name}`), about: t("palette.view"), run: () => go(hashOf(name)) }));
    /** @type {[string, () => void][]} */
    const actions = [
        [t("timeline.failures"), () => go(hashOf("timeline", "", { q: "is:failed" }))],
        [t("timeline.sort.slowest"), () => go(hashOf("timeline", "", { sort: "slowest" }))],
        [t(record.state === "paused" ? "resume" : "pause"), () => record.toggle()],
        [t("language.label"), switchLanguage],
        [t("theme.label"), switchTheme],
        [t("help.label"), showKeys],
    ];
    showPalette([...views, ...actions.map(([name, run]) => ({ name, about: t("palette.action"), run }))]);
}

addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    void openPalette();
});

/** @type {import("./keys.js").Keys} */
const keys = { "?": showKeys, p: () => record.toggle() };
for (const [index, name] of Object.keys(VIEWS).entries()) keys[String(index + 1)] = () => go(hashOf(name));
setPageKeys(keys);

addEventListener("hashchange", () => void show());
addEventListener("unhandledrejection", (event) => say(t("failed", { reason: String(event.reason?.message ?? event.reason) }), "bad"));
record.addEventListener("state", drawBar);
setLanguage(language());
void Promise.all([show(), record.read]).then(() => requestAnimationFrame(() => setTimeout(loadRest)));

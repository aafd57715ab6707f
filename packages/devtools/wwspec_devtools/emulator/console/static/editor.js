// Links to a line of a file, for the editor that the reader of the page has chosen.
// @ts-check

const KEPT = "wwspec-editor";
export const CUSTOM = "custom";

/** @type {Record<string, string>} Name -> pattern; `{path}` begins with a slash. */
export const EDITORS = { vscode: "vscode://file{path}:{line}", idea: "idea://open?file={path}&line={line}", none: "" };

/** Schemes that a pattern may have: those of editors, and of servers that open a file. Never `javascript:`. */
const SCHEMES = "vscode vscode-insiders vscodium cursor windsurf zed idea pycharm jetbrains subl txmt mvim emacs http https".split(" ");

/** @returns {string} The pattern that is chosen; empty for no links. */
export function pattern() {
    const kept = localStorage.getItem(KEPT) ?? "vscode";
    return EDITORS[kept] ?? (isPattern(kept) ? kept : "");
}

/** @returns {string} The name in `EDITORS`, or `CUSTOM`. */
export function chosen() {
    const shown = pattern();
    return Object.keys(EDITORS).find((name) => EDITORS[name] === shown) ?? CUSTOM;
}

/** @param {string} choice A name in `EDITORS`, or a pattern. */
export function choose(choice) {
    localStorage.setItem(KEPT, choice);
}

/**
 * Tell whether a text is a pattern whose links do no harm.
 * @param {string} text
 */
export function isPattern(text) {
    const example = text.replaceAll("{path}", "/file").replaceAll("{line}", "1");
    return text.includes("{path}") && URL.canParse(example) && SCHEMES.includes(new URL(example).protocol.slice(0, -1));
}

/**
 * Return the address that opens a line; empty when there is none, also for a file on another machine.
 * @param {string} file
 * @param {number} line
 */
export function address(file, line) {
    const path = file.replaceAll("\\", "/");
    const isLocal = /^(\/(?!\/)|[A-Za-z]:\/)/.test(path);
    const encoded = path.split("/").map((part) => encodeURIComponent(part).replaceAll("%3A", ":")).join("/");
    return isLocal ? pattern().replaceAll("{path}", () => (path.startsWith("/") ? encoded : `/${encoded}`)).replaceAll("{line}", String(line)) : "";
}

// The styles of a page, without what the chat component does not allow [100076].
// @ts-check

const WHOLE = [CSSFontFaceRule, CSSPageRule, CSSKeyframesRule, CSSCounterStyleRule];

/**
 * Apply a style sheet, and return the rules that are left out.
 * @param {string} text
 * @returns {string[]}
 */
export function applyStyles(text) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    const refused = refuse(sheet);
    document.adoptedStyleSheets = [sheet];
    return refused;
}

/**
 * @param {CSSStyleSheet | CSSMediaRule | CSSSupportsRule} holder
 * @returns {string[]}
 */
function refuse(holder) {
    /** @type {string[]} */
    const refused = [];
    for (let index = holder.cssRules.length - 1; index >= 0; index--) {
        const rule = holder.cssRules[index];
        if (rule instanceof CSSMediaRule || rule instanceof CSSSupportsRule) refused.push(...refuse(rule));
        else if (!isAllowed(rule)) {
            refused.push(rule instanceof CSSStyleRule ? rule.selectorText : (rule?.cssText ?? ""));
            holder.deleteRule(index);
        }
    }
    return refused;
}

/** @param {CSSRule | undefined} rule */
function isAllowed(rule) {
    if (!(rule instanceof CSSStyleRule)) return WHOLE.some((kind) => rule instanceof kind);
    const text = rule.selectorText;
    const parts = withoutArguments(text).split(",");
    return rule.cssRules.length === 0 && !/\.ww-|[#[]/.test(text) && parts.every((each) => /\.[\w-]/.test(each));
}

/**
 * Return a selector without the arguments of its pseudo-classes: a class in `:not(.a)` chooses nothing by itself.
 * @param {string} selector
 * @returns {string}
 */
function withoutArguments(selector) {
    const shorter = selector.replace(/\([^()]*\)/g, "");
    return shorter === selector ? selector : withoutArguments(shorter);
}

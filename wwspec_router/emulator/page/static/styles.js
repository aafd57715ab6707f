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
    return rule.cssRules.length === 0 && rule.selectorText.split(",").every((each) => /\.[\w-]/.test(each) && !/\.ww-|[#[]/.test(each));
}

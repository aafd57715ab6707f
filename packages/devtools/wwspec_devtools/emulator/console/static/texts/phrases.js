// What answers an ability, which the program says in English, in the language of the page. What is not here stays as it is.
// @ts-check
import { language } from "../texts.js";

/** @type {readonly (readonly [RegExp, string])[]} The whole sentence -> Chinese; `$1` is its first part that differs. */
const PHRASES = [
    [/^handler (\S+)$/, "处理函数 $1"],
    [/^SDK API (\S+)$/, "SDK 接口 $1"],
    [/^stored event by notify_id$/, "按 notify_id 取回已存的事件"],
    [/^figures of the program$/, "专区程序的指标"],
    [/^jobs that failed for good$/, "最终失败的任务"],
    [/^removal of all that is stored for a corp$/, "删除为企业存储的全部数据"],
    [/^input\.func, (\d+) functions$/, "input.func，共 $1 个函数"],
];

/**
 * Return a sentence in the language of the page.
 * @param {string} text
 */
export function phrase(text) {
    if (language() !== "zh") return text;
    const [pattern, chinese] = PHRASES.find(([each]) => each.test(text)) ?? [];
    return pattern === undefined || chinese === undefined ? text : text.replace(pattern, chinese);
}

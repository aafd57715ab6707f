// What the program and the emulator say in English, in the language of the page: contract problems, and what answers an
// ability. What is not here stays as it is.
// @ts-check
import { language } from "../texts.js";

/** @type {Record<string, string>} */
const KINDS = {
    "a boolean": "布尔值",
    "an integer": "整数",
    "a number with a fraction": "带小数的数字",
    "a string": "字符串",
    "an array": "数组",
    "an object": "对象",
    "null": "null",
};

/** @type {readonly (readonly [RegExp, string])[]} The whole sentence -> Chinese; `$1` is its first part that differs. */
const PHRASES = [
    [/^expected (.+), got (.+)$/, "应为$1，实际为$2"],
    [/^this key is not in the contract$/, "协议中没有这个键"],
    [/^the contract's array is empty, so no element is known$/, "协议中的数组为空，无法确定元素的类型"],
    [/^nested deeper than (\d+) levels$/, "嵌套超过 $1 层"],
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
    if (pattern === undefined || chinese === undefined) return text;
    const [, ...parts] = pattern.exec(text) ?? [];
    return chinese.replace(/\$(\d)/g, (_, index) => KINDS[parts[index - 1] ?? ""] ?? parts[index - 1] ?? "");
}

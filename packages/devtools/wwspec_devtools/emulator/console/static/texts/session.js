// Texts of the view `session`.
// @ts-check

/** @type {Record<string, readonly [string, string]>} */
export const SESSION = {
    "session.export": ["Save the session", "保存会话"],
    "session.export.help": [
        "One file with every exchange that is kept, the faults, the clock and the console contracts. Tokens, secrets and keys are masked; what people said is not: look at it before you pass it on.",
        "一个文件，包含保留下来的全部请求与应答、故障、时钟和后台协议。凭证、密钥等已打码；聊天内容不会打码，转发前请先检查。",
    ],
    "session.export.action": ["Save as a file", "保存为文件"],
    "session.count": ["{count} exchanges, {first} to {last}", "{count} 条记录，编号 {first} 至 {last}"],
    "session.empty": ["Nothing is recorded yet.", "还没有任何记录。"],
    "session.import": ["Open a session file", "打开会话文件"],
    "session.import.help": [
        "The page shows the file instead of the emulator, also when no emulator runs any more. Nothing is sent anywhere.",
        "页面改为展示文件内容，模拟器停止后也可以查看。文件不会上传到任何地方。",
    ],
    "session.import.label": ["Session file", "会话文件"],
    "session.import.drop": ["Choose a file, or drop it here", "选择文件，或拖放到此处"],
    "session.wrong": ["{name} is not a session file: {reason}", "{name} 不是会话文件：{reason}"],
    "session.wrong.json": ["it is not JSON", "内容不是 JSON"],
    "session.wrong.version": [
        "it has version {version}, and this page reads version {known} only: open it in the console of the wwspec-router that saved it, or save the session again",
        "版本为 {version}，本页面只支持版本 {known}：请在保存它的 wwspec-router 版本的控制台中打开，或重新保存会话",
    ],
    "session.wrong.shape": ["it has no entries", "没有 entries"],
    "session.wrong.value": ["{path} is missing, or not what it has to be", "{path} 缺失，或者内容不对"],
    "session.open": ["{name}: {count} exchanges, saved {time} with wwspec {version}", "{name}：{count} 条记录，由 wwspec {version} 保存于 {time}"],
    "session.back": ["Back to the emulator", "返回模拟器"],
    "session.view": ["Show the timeline", "查看时间线"],
};

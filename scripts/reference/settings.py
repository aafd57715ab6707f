"""The settings of a program, from `config.Settings`."""

from scripts.reference.text import Say, code, table
from wwspec_router.config import Secret, Setting, Topic, settings, variable

__all__ = ["PAGE", "page"]

PAGE = "reference/settings.md"

_TOPICS = {
    Topic.NETWORK: "网络",
    Topic.CALLS: "调用",
    Topic.JOBS: "异步调用",
    Topic.STORE: "存储",
    Topic.SDK: "SDK",
    Topic.OPERATION: "运行",
}


def page(say: Say) -> str:
    """Return the page."""
    parts = [
        say.head(
            say("Settings", "配置项"),
            say(
                "The settings of `wwspec serve`; `wwspec dev`, `config` and `doctor` take them, too. A setting comes "
                "from an "
                "option, else from the environment variable, else from `wwspec.toml` in the application folder, "
                "where its "
                "key is the option's name without `--`, below `[serve]`. `wwspec config` prints each value and where "
                "it "
                "comes from. Times are in seconds, sizes in bytes. How to use them: "
                "[set options](../how-to/settings-file.md).",
                "`wwspec serve` 的配置项，`wwspec dev`、`config`、`doctor` 同样支持。取值优先级："
                "命令行选项高于环境变量，环境变量高于应用目录下的 "
                "`wwspec.toml`（键名为去掉 `--` 的选项名，写在 `[serve]` 下）。`wwspec config` "
                "会列出每一项的当前值及其来源。"
                "时间单位为秒，大小单位为字节。用法见[设置选项](../how-to/settings-file.md)。",
            ),
        )
    ]
    heads = (
        say("option", "选项"),
        say("default", "默认值"),
        say("allowed", "允许的值"),
        say("variable", "环境变量"),
        say("meaning", "说明"),
    )
    for topic, chinese in _TOPICS.items():
        rows = [row for each in settings().values() if each.topic is topic for row in _rows(each, say)]
        anchor = topic.value.lower().replace(" ", "-")
        title = say(topic.value, f"{chinese} {{#{anchor}}}")
        parts.append(f"## {title}\n\n{table(heads, rows)}")
    return "\n".join(parts)


def _rows(setting: Setting, say: Say) -> list[tuple[str, ...]]:
    name, file, named = f"`--{setting.option}`", f"`--{setting.option}-file`", variable(setting.option)
    link = say(" See [secrets](../how-to/secrets.md).", " 见[密钥](../how-to/secrets.md)。")
    row = (name, _default(setting, say), setting.allowed, f"`{named}`", setting.text)
    match setting.secret:
        case Secret.NEVER:
            return [row]
        case Secret.WITH_PASSWORD:
            rest = say("A file that holds it, for one with a password.", "内容为该值的文件，用于带密码的 URL。")
            return [row, (file, "", "", f"`{named}_FILE`", rest + link)]
        case Secret.ALWAYS:
            return [(file, "", "", f"`{named}`, `{named}_FILE`", setting.text + link)]


def _default(setting: Setting, say: Say) -> str:
    default = setting.default
    if isinstance(default, bool):
        off = f"`--no-{setting.option}`"
        return say(f"on; off with {off}", f"开启；用 {off} 关闭") if default else say("off", "关闭")
    return f"{default:g}" if isinstance(default, float) else str(default) if isinstance(default, int) else code(default)

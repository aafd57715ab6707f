"""The settings of a program, from `config.Settings`."""

from scripts.reference.text import Say, code, table
from wwspec_router.config import Secrecy, Setting, Topic, settings, variable

__all__ = ["PAGE", "page"]

PAGE = "reference/settings.md"


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
                "[set options](../program/settings.md#options-of-the-program).",
                "`wwspec serve` 的配置项，`wwspec dev`、`config`、`doctor` 同样支持。优先级从高到低："
                "命令行选项、环境变量、应用目录下的 "
                "`wwspec.toml`（键名是选项名去掉 `--`，写在 `[serve]` 下）。`wwspec config` "
                "列出每一项的当前值和来源。"
                "时间的单位是秒，大小的单位是字节。用法见[设置选项](../program/settings.md#options-of-the-program)。",
            ),
        )
    ]
    heads = (
        say("option", "选项"),
        say("meaning", "说明"),
        say("default", "默认值"),
        say("allowed", "取值范围"),
        say("variable", "环境变量"),
    )
    rows = [row for topic in Topic for each in settings().values() if each.topic is topic for row in _rows(each, say)]
    return "\n".join([*parts, table(heads, rows)])


def _rows(setting: Setting, say: Say) -> list[tuple[str, ...]]:
    name, file, named = f"`--{setting.option}`", f"`--{setting.option}-file`", variable(setting.option)
    link = say("See [secrets](../program/settings.md#secrets).", "见[凭证](../program/settings.md#secrets)。")
    meaning = say.of_code(setting.text)
    row = (name, meaning, _default(setting, say), say(setting.allowed, _allowed_in_chinese(setting)), f"`{named}`")
    match setting.secret:
        case Secrecy.NEVER:
            return [row]
        case Secrecy.WITH_PASSWORD:
            text = say(
                f"A file that holds it, for one with a password. {link}", f"存放该值的文件，用于带密码的 URL，{link}"
            )
            return [row, (file, text, "", "", f"`{named}_FILE`")]
        case Secrecy.ALWAYS:
            return [(file, say(f"{meaning} {link}", f"{meaning}{link}"), "", "", f"`{named}`, `{named}_FILE`")]


def _default(setting: Setting, say: Say) -> str:
    default = setting.default
    if isinstance(default, bool):
        off = f"`--no-{setting.option}`"
        return say(f"on; off with {off}", f"开启；用 {off} 关闭") if default else say("off", "关闭")
    return f"{default:g}" if isinstance(default, float) else str(default) if isinstance(default, int) else code(default)


def _allowed_in_chinese(setting: Setting) -> str:
    """Return what `Setting.allowed` says, for the Chinese page."""
    if setting.choices:
        return "、".join(code(each) for each in setting.choices)
    if isinstance(setting.default, bool):
        return "`true` 或 `false`"
    if isinstance(setting.default, str):
        return "字符串"
    kind = "整数" if isinstance(setting.default, int) else "数字"
    kind += "（秒）" if setting.text.startswith("Seconds") else ""
    if setting.least is not None and setting.most is not None:
        limits = [f"{setting.least:.0f} 至 {setting.most:.0f}"]
    else:
        bounds = {"大于": setting.above, "不小于": setting.least, "不大于": setting.most}
        limits = [f"{word} {bound:.0f}" for word, bound in bounds.items() if bound is not None]
    return "，".join([kind, *limits]) + (f"；或 `{setting.word}`" if setting.word else "")

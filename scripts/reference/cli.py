"""The verbs of `wwspec`: a table of them, and a page each with its arguments, options and help, from click."""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain

import click

from scripts.reference.text import Say, code, deeper, table
from wwspec_router.cli.help import SettingsCommand, option_parts, paragraph
from wwspec_router.cli.main import GROUPS, VERBS, main
from wwspec_router.config import settings

__all__ = ["PAGE", "commands", "page", "pages"]

PAGE = "reference/verbs.md"


def page(say: Say, *, built: bool = False) -> str:
    """Return the table of verbs.

    Args:
        say: Chooses the language.
        built: Verbs lead to the pages that only the site has.
    """
    below: dict[str, list[str]] = {name: [] for name in VERBS}
    for name, _ in commands():
        above, _, command = name.partition(" ")
        below[above] += [command] if command else []
    rows = []
    for group in GROUPS:
        for name, verb in VERBS.items():
            if verb.group == group:
                shown = f"`wwspec {name}`"
                named = ", ".join(map(code, below[name]))
                meaning = say.of_code(verb.help) + (say(f" Commands: {named}.", f"命令：{named}。") if named else "")
                rows.append((f"[{shown}](api/wwspec/{name}.md)" if built else shown, say.of_code(group), meaning))
    return "\n".join(
        [
            say.head(
                say("Verbs", "子命令"),
                say(
                    "The verbs of `wwspec`; `--help` behind one shows its arguments, options and examples. What a "
                    "person can "
                    "fix is one line on standard error and exit code 1; wrong usage, or an extra that is not "
                    "installed, "
                    "is exit code 2.",
                    "`wwspec` 的全部子命令；在子命令后加 `--help`，可以查看参数、选项和示例。使用者可以自行解决的问题，"
                    "只在标准错误输出打印一行，退出码为 1；用法错误或缺少可选依赖时，退出码为 2。",
                ),
            ),
            table((say("verb", "子命令"), say("for", "用途"), say("what it does", "作用")), rows),
            _language(say),
        ]
    )


def pages(say: Say) -> dict[str, str]:
    """Return the pages of the verbs by their paths."""
    found: dict[str, str] = {}
    for name, command in commands():
        path = f"api/wwspec/{name.split()[0]}.md"
        found[path] = found.get(path, "") + _command(name, command, say)
    return found


def _language(say: Say) -> str:
    """Return the section on the language."""
    return f"""## {say("Language", "语言 {#language}")}

{
        say(
            "Help pages, wrong usage, errors of the registry file, of settings, calls and images, what "
            "`wwspec zone show` says of an exchange, and cause and fix of an errcode are in Chinese where the locale "
            "is: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set begins with `zh`. `wwspec --lang zh "
            "VERB`, or `en`, goes before `WWSPEC_LANG`, and that before the locale. The other messages of verbs, log "
            "lines and JSON are in English, and so is everything where the output's encoding has no Chinese.",
            "区域设置为中文时，即 `LC_ALL`、`LC_MESSAGES`、`LANG` 中第一个已设置的变量以 `zh` 开头时，帮助、用法错误、"
            "注册文件、配置、调用和镜像的错误，`wwspec zone show` 对交互的说明，"
            "以及错误码的原因和解决办法显示为中文。也可以用 "
            "`wwspec --lang zh 子命令` 或环境变量 `WWSPEC_LANG` 指定 `zh` 或 `en`：`--lang` 优先于 `WWSPEC_LANG`，"
            "`WWSPEC_LANG` 优先于区域设置。各子命令的其他提示、日志和 JSON 仍为英文；"
            "输出编码不支持中文时，全部为英文。",
        )
    }
"""


@cache
def commands() -> tuple[tuple[str, click.Command], ...]:
    """Return every verb and each of its commands, such as `zone fault`."""
    return tuple(_commands())


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in VERBS:
        command = main.get_command(context, name)
        if command is None:
            raise LookupError(name)
        yield name, command
        if isinstance(command, click.Group):
            sections = getattr(command, "sections", {})  # as the help has them
            for inner in chain.from_iterable(sections.values()) if sections else command.commands:
                yield f"{name} {inner}", command.commands[inner]


def _command(name: str, command: click.Command, say: Say) -> str:
    # As who types it has it; click keeps the names of the option for help from the first context that it sees.
    context = click.Context(command, parent=click.Context(main, **main.context_settings), info_name=f"wwspec {name}")
    usage = " ".join([f"wwspec {name}", *command.collect_usage_pieces(context)])
    level = "#" * (1 + name.count(" "))
    parts = [
        f"{level} `wwspec {name}`\n",
        f"```text\n{usage}\n```\n",
        _help(command, say),
    ]
    if isinstance(command, SettingsCommand):
        link = deeper(say("It also takes the [settings](settings.md).", "另外支持全部[配置项](settings.md)。"))
        parts.append(f"{link}\n")
    rows = list(_options(command, context, say))
    if rows:
        heads = (
            say("option", "选项"),
            say("meaning", "说明"),
            say("default and limits", "默认值与范围"),
            say("variable", "环境变量"),
        )
        parts.append(table(heads, rows))
    if name in VERBS:
        examples = "\n".join(VERBS[name].examples)
        parts.append(f"{say('Examples:', '示例：')}\n\n```text\n{examples}\n```\n")
    return "\n".join(parts)


def _help(command: click.Command, say: Say) -> str:
    """Return the help with paragraphs that click leaves as they are as blocks."""
    parts = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        if block.startswith("\b\n"):
            parts.append(f"```text\n{paragraph(block)}\n```")
        else:
            shown = say.of_code(paragraph(block))
            parts.append(re.sub(r"(?<!`)<(?!`)", "&lt;", shown).replace("*", "\\*"))
    return "\n\n".join(parts) + "\n"


def _options(command: click.Command, context: click.Context, say: Say) -> Iterator[tuple[str, ...]]:
    taken = set(settings()) if isinstance(command, SettingsCommand) else set()
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Argument) or record is None:
            continue
        if (parameter.name or "").removesuffix("_file") in taken:
            continue
        names, text = record
        meaning, extras = option_parts(text)
        variables = [each.removeprefix("env var: ") for each in extras if each.startswith("env var")]
        limits = [each for each in extras if not each.startswith("env var")]
        others = say("; ", "；").join(_limit(each, parameter, say) for each in limits)
        shown = variables or ([str(parameter.envvar)] if isinstance(parameter.envvar, str) else [])
        yield code(names), say.of_code(meaning), others, code(shown[0] if shown else "")


def _limit(text: str, parameter: click.Parameter, say: Say) -> str:
    """Return what click says of an option's default or limits; the default of a flag as it is typed."""
    default = text.removeprefix("default: ")
    if default == text:
        return text
    is_flag = isinstance(parameter, click.Option) and parameter.is_flag
    return say("default: ", "默认：") + (f"--{default}" if is_flag else say.of_code(default))

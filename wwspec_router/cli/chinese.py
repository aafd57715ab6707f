"""Help pages and errors in Chinese. It is imported only when a run is in Chinese.

Each package has a `chinese.toml` with its own texts. An error is Chinese by a template of the table `errors`.
"""

import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from wwspec_contracts.errors import WWSpecError
from wwspec_router.cli.help import option_parts, paragraph
from wwspec_router.cli.language import CHINESE, ERRORS, text, translated

PACKAGES = ("wwspec_contracts", "wwspec_router", "wwspec_client", "wwspec_devtools")
"""The packages with texts; only the first two are always there."""

_CLICK = (click.core, click.exceptions, click.formatting, click.parser, click.types)
_LIMITS = {"env var: ": "环境变量：", "default: ": "默认：", "required": "必填"}
_UNITS = re.compile(r"[“（]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef“]+)[，。；：、）”]*|\s+")
"""Between two of these a line may be broken: Chinese characters and other words, with the marks that belong to them."""


@cache
def read_texts() -> dict[str, dict[str, str]]:
    """Return the tables of all packages: `help`, which the documentation shows too, `messages` and `errors`."""
    tables: dict[str, dict[str, str]] = {"help": {}, "messages": {}, "errors": {}}
    for package in filter(None, map(find_spec, PACKAGES)):
        part = tomllib.loads(Path(str(package.origin)).with_name("chinese.toml").read_text("utf-8"))
        for table, texts in part.items():
            tables[table] |= texts
    return tables


@contextmanager
def speaking() -> Iterator[None]:
    """Let help pages and errors be in Chinese, those of click too: each of its modules has a name for gettext."""
    tables = read_texts()
    texts = {english: chinese.replace("`", "") for english, chinese in tables["help"].items()}
    CHINESE.update(texts | tables["messages"])
    ERRORS.update(sorted(tables["errors"].items(), key=lambda each: -len(re.sub(r"\{\w+\}", "", each[0]))))
    kept: list[tuple[Any, str, Any]] = [
        (each, name, vars(each)[name]) for each in _CLICK for name in ("_", "ngettext") if name in vars(each)
    ]
    kept.append((click.Context, "formatter_class", click.Context.formatter_class))
    for owner, name, _ in kept:
        setattr(owner, name, {"_": text, "ngettext": _of_number, "formatter_class": _Formatter}[name])
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
        CHINESE.clear()
        ERRORS.clear()


def _of_number(one: str, several: str, number: int) -> str:
    return text(one if number == 1 else several)


def with_fix(error: WWSpecError) -> str:
    """Return an error's text, with cause and fix of the platform's errcode in Chinese."""
    refusal: Any = getattr(error, "answer", error)
    if not getattr(refusal, "hint", ""):  # it is no refusal, or the program's, whose errcodes are its own
        return translated(str(error))
    from wwspec_contracts.errcodes import advice, cause, hint  # here, since most errors have no errcode

    fix, means = advice(refusal.errcode), cause(refusal.errcode)
    if fix is None or means is None:
        return translated(str(error))
    return f"{translated(str(error).removesuffix(f'; {hint(refusal.errcode)}'))}\n原因：{means[1]}\n解决办法：{fix[1]}"


class _Formatter(click.HelpFormatter):
    """Writes texts in Chinese, in lines that fit: a Chinese character takes two columns, and has no space behind it."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, text("Usage:") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':{self.current_indent}}{text(heading)}：\n")

    def write_text(self, text: str) -> None:
        blocks = [self._paragraph(block) for block in re.split(r"\n\s*\n", inspect.cleandoc(text))]
        self.write("\n".join(blocks))

    def _paragraph(self, block: str) -> str:
        chinese, indent = text(paragraph(block)), " " * self.current_indent
        keeps = block.startswith("\b")
        lines = chinese.splitlines() if keeps else _lines(chinese, self.width - self.current_indent)
        return "".join(f"{indent}{line}\n" for line in lines)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        column = min(max(len(name) for name, _ in rows), col_max) + col_spacing
        indent = " " * (self.current_indent + column)
        for name, meaning in rows:
            first, *others = list(_lines(_option(meaning), max(self.width - len(indent), 10))) or [""]
            begin = f"{'':{self.current_indent}}{name}"
            gap = begin.ljust(len(indent)) if len(name) <= column - col_spacing else f"{begin}\n{indent}"
            self.write(f"{gap}{first}".rstrip() + "\n")
            self.write("".join(f"{indent}{line}\n" for line in others))


def _option(row: str) -> str:
    """Return what click says of an option, in Chinese: its meaning, and in brackets its limits."""
    meaning, limits = option_parts(row)
    return "  ".join([text(meaning), *(f"[{'；'.join(map(_limit, limits))}]" for _ in limits[:1])])


def _limit(limit: str) -> str:
    for begin, chinese in _LIMITS.items():
        if limit.startswith(begin):
            return chinese + text(limit.removeprefix(begin))
    return limit


def _lines(words: str, columns: int) -> Iterator[str]:
    """Yield lines that fit."""
    line = ""
    for unit in _UNITS.findall(words):
        if line and _width(line + unit.rstrip()) > columns:
            yield line.rstrip()
            line = ""
        if line or unit.strip():
            line += unit
    if line:
        yield line.rstrip()


def _width(words: str) -> int:
    return sum(1 + (character >= "\u2e80") for character in words)

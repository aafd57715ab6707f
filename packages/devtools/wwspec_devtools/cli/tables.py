"""Lists as `wwspec zone` prints them: a table on a terminal, JSON in a pipe; how times and styled texts are written."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import click

from wwspec_contracts.support.printable import printable
from wwspec_router.cli.options import FunctionT, print_json

WIDEST = 60
"""Characters of a cell, but for those of the last column."""


def json_option(function: FunctionT) -> FunctionT:
    """Add `--json` and `--table`, as `as_json`."""

    def chosen(ctx: click.Context, param: click.Parameter, value: bool | None) -> bool:
        return not sys.stdout.isatty() if value is None else value

    return click.option(
        "--json/--table",
        "as_json",
        default=None,
        callback=chosen,
        help="JSON, or a table. Without them a table on a terminal, else JSON.",
    )(function)


def styled(text: str, **style: Any) -> str:
    """Return a text in a style, unless `NO_COLOR` is set; click leaves the style out where there is no terminal."""
    return text if os.environ.get("NO_COLOR") else click.style(text, **style)


def moment(seconds: float, milliseconds: int | None = None) -> str:
    """Return a time of this machine's time zone, such as `2026-11-28 06:26:41.123`.

    Args:
        seconds: Unix time.
        milliseconds: Of that second; None where they are not known.
    """
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return text if milliseconds is None else f"{text}.{milliseconds:03}"


def print_list(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    as_json: bool,
    cells: Mapping[str, Callable[[Any], str]] | None = None,
) -> None:
    """Print a list.

    Args:
        rows: The list.
        columns: The names of the columns.
        as_json: Whether it is JSON, with all that the rows have.
        cells: From the name of a column to what a row has there; else that is what the row has under this name.
    """
    if as_json:
        print_json(rows)
        return
    shown = [[printable(str((cells or {}).get(name, itemgetter(name))(row))) for name in columns] for row in rows]
    click.echo("\n".join(_lines(shown, columns)))


def _lines(cells: Sequence[Sequence[str]], names: Sequence[str]) -> Iterator[str]:
    if not cells:
        yield styled("none", dim=True)
        return
    widths = [min(WIDEST, max(map(_width, each))) for each in zip(names, *cells, strict=True)]
    yield styled(_line(names, widths), bold=True)
    yield from (_line(each, widths) for each in cells)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    *begin, last = cells
    return "".join(f"{each}{' ' * (width - _width(each))}  " for each, width in zip(begin, widths, strict=False)) + last


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    from wwspec_contracts.source_text import width  # it needs the extra

    return width(text)

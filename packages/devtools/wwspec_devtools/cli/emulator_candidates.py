"""What a shell completes of a running emulator: people, groups, numbers of entries. Nothing where none answers."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from wwspec_devtools.cli.candidates import completed
from wwspec_devtools.direct import direct

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LIMIT = 1.0
"""Seconds to wait for the emulator."""
ENTRIES = 50
"""How many entries are offered: the newest."""


def people(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Return the ids of employees, customers and robots that begin with `incomplete`, with the names."""
    info = _answer(ctx, "info")
    named = {**info.get("employees", {}), **info.get("customers", {}), **dict.fromkeys(info.get("robots", ()), "")}
    return completed(named.items(), incomplete)


def groups(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Return the ids of groups that begin with `incomplete`, with the names."""
    found = _answer(ctx, "info").get("groups", {})
    return completed(((chatid, group.get("name", "")) for chatid, group in found.items()), incomplete)


def entry_numbers(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Return the numbers of the newest entries that begin with `incomplete`, with what they are."""
    rows = _answer(ctx, f"traffic?limit={ENTRIES}&wait=false").get("traffic", ())
    shown = ((str(row["number"]), f"{row['kind']} {row['name']} {row['verdict']}") for row in reversed(rows))
    return completed(shown, incomplete)


def _answer(ctx: click.Context, path: str) -> dict[str, Any]:
    """Return what the emulator answers; nothing where there is none."""
    url = str(ctx.params.get("url", ""))
    with suppress(OSError, ValueError), direct().open(f"{url.rstrip('/')}/emulator/{path}", timeout=LIMIT) as response:
        found = json.load(response)
        if isinstance(found, dict):
            return found
    return {}

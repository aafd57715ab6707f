"""What a shell completes: ability IDs, events and APIs of the application in the current folder.

Everything is read from files; neither a handler nor a contract is imported. What can't be read is left out, since a
shell must not show an error while somebody types.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import wwspec_contracts
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.toml import read_toml
from wwspec_devtools.cli.saved_requests import FOLDER, SavedRequests
from wwspec_router.config import PROGRAM, PROGRAM_TABLES, variable
from wwspec_router.config.reading import find_registry

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHIPPED = Path(wwspec_contracts.__path__[0])
"""The folders of WeCom's contracts, one file each."""


def ability_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the ability IDs of the registry file that begin with `incomplete`; after an `@` the saved requests."""
    return _matching(_ability_ids(ctx), incomplete) or saved_names(ctx, param, incomplete)


def saved_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the saved requests of the ability that is named, or of all, that begin with `incomplete`: `@NAME`."""
    ability_id = ctx.params.get("ability_id")
    saved = saved_requests(application_folder(ctx)).all() if incomplete.startswith("@") else []
    return _matching({f"@{each.name}" for each in saved if ability_id in (None, each.ability_id)}, incomplete)


def saved_requests(app: Path | None = None) -> SavedRequests:
    """Return the saved requests of an application.

    Args:
        app: Its folder; by default the one that `WWSPEC_APP` names, else the current one.
    """
    return SavedRequests((app or Path(os.environ.get(variable("app"), ""))) / FOLDER)


def event_types(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the event types that begin with `incomplete`."""
    return _matching(_contracts(ctx, "events"), incomplete)


def api_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of SDK APIs that begin with `incomplete`."""
    return _matching(_api_names(ctx), incomplete)


def fault_targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the SDK APIs, ability IDs and event types that begin with `incomplete`: a fault may be limited to one."""
    return _matching({*_api_names(ctx), *_ability_ids(ctx), *_contracts(ctx, "events")}, incomplete)


def errcodes(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    """Return the errcodes that begin with `incomplete`, with their causes."""
    from wwspec_contracts.errcodes import ERRCODES  # here, since no other run needs it

    return completed(((str(code), row.cause) for code, row in sorted(ERRCODES.items())), incomplete)


def completed(found: Iterable[tuple[str, str]], incomplete: str) -> "list[CompletionItem[str]]":
    """Return those values that begin with `incomplete`, each with a text."""
    from click.shell_completion import CompletionItem  # here, since no other run needs it

    return [
        CompletionItem(value, help=text if text.isprintable() else "")
        for value, text in found
        if value.startswith(incomplete) and value.isprintable() and " " not in value
    ]


def fault_values(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> "list[CompletionItem[str]] | list[str]":
    """Return the errcodes that begin with `incomplete`, where the effect takes one."""
    return errcodes(ctx, param, incomplete) if ctx.params.get("effect") in ("errcode", "return_code") else []


def ability_of_kind(ctx: click.Context, kind: str) -> str:
    """Return the first ability of a kind that the registry file declares; empty when it declares none."""
    rows = _table(_tables(ctx), "abilities").items()
    return next((name for name, row in rows if isinstance(row, dict) and row.get("kind") == kind), "")


def _matching(names: set[str], incomplete: str) -> list[str]:
    return sorted(each for each in names if each.startswith(incomplete) and each.isprintable() and " " not in each)


def application_folder(ctx: click.Context) -> Path:
    """Return the folder that `--app` or `WWSPEC_APP` names, else the current one."""
    return ctx.params.get("app") or Path(os.environ.get(variable("app"), ""))


def _contracts(ctx: click.Context, kind: str) -> set[str]:
    """Return the names of the contracts of one kind: WeCom's, and those that the application adds."""
    folders = (SHIPPED / kind, application_folder(ctx) / "schemas" / kind)
    return {path.stem for folder in folders for path in folder.glob("*.py") if not path.stem.startswith("_")}


def _api_names(ctx: click.Context) -> set[str]:
    """Return the names of SDK APIs: those with a contract, and those that a row names beside its examples."""
    rows = _table(_tables(ctx), "abilities").values()
    named = (row.get("api") for row in rows if isinstance(row, dict) and {"input", "output"} <= row.keys())
    return {*_contracts(ctx, "api"), *(api for api in named if isinstance(api, str))}


def _ability_ids(ctx: click.Context) -> set[str]:
    tables = _tables(ctx)
    ids = set(_table(tables, "abilities"))
    for name in ("passthrough", "func"):
        row = _table(tables, name)
        if isinstance(row.get("prefix"), str):
            ids.update(f"{row['prefix']}{api}" for api in _apis(ctx, row.get("apis", "*")))
    return ids


def _registry(ctx: click.Context) -> Path:
    named = ctx.params.get("registry") or os.environ.get(variable("registry"))
    config = os.environ.get(variable("config"))
    return find_registry(application_folder(ctx), Path(named) if named else None, Path(config) if config else None)


def _tables(ctx: click.Context) -> dict[str, Any]:
    """Return the tables of the registry file; none when it can't be read."""
    try:
        path = _registry(ctx)
        return PROGRAM_TABLES if path.name == PROGRAM else read_toml(path)[1]
    except ConfigurationError:
        return {}


def _table(tables: dict[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}


def _apis(ctx: click.Context, apis: object) -> Iterator[str]:
    if apis == "*":
        yield from _api_names(ctx)
    elif isinstance(apis, list):
        yield from (each for each in apis if isinstance(each, str))

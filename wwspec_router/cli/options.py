"""Options that several verbs share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["app_options", "print_json"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def app_options(function: FunctionT) -> FunctionT:
    """Add `--app` and `--registry`."""
    app = click.option(
        "--app",
        type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
        default=Path(),
        help="Application folder, with abilities/ and schemas/.  [default: this folder]",
    )
    registry = click.option(
        "--registry",
        type=click.Path(path_type=Path, dir_okay=False, resolve_path=True),
        help="Registry file.  [default: abilities/registry.toml in the application folder]",
    )
    return app(registry(function))


def print_json(value: Any) -> None:
    """Print a value as indented JSON, with Chinese text as it is."""
    import msgspec  # here, since `--help` needs none of it

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())

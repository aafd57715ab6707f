"""What options of several verbs share: the types of their values, and how some are added at once."""

from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from wwspec_router.cli.options import FunctionT

FILE = click.Path(path_type=Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER = click.Path(path_type=Path, file_okay=False)


def options(*added: Callable[[FunctionT], FunctionT]) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds options, in the order of `--help`."""
    return lambda function: reduce(lambda found, option: option(found), reversed(added), function)


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT, of which HOST may be an IPv6 address in brackets.

    Args:
        example: What a message for a wrong one names.
    """

    name = "HOST:PORT"

    def __init__(self, example: str) -> None:
        self._example = example

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return host and port."""
        if isinstance(value, tuple):
            return value
        host, port = None, None
        with suppress(ValueError):
            parts = urlsplit(f"//{value}")
            if parts.netloc == value and "@" not in value:
                host, port = parts.hostname, parts.port
        if not host or port is None:
            self.fail(f"must be HOST:PORT, such as {self._example}, not {value!r}", param, ctx)
        return host, port


class Seconds(click.FloatRange):
    """A number of seconds; a fault names the unit."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        try:
            return float(super().convert(value, param, ctx))
        except click.BadParameter:
            least = "" if self.min is None else f" from {self.min:g} on"
            self.fail(f"must be a number of seconds{least}, such as 30, not {value!r}", param, ctx)

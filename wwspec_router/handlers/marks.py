"""Marks: what a program's code says of itself, as the tables of a registry file would.

A mark registers nothing. `[program] modules` of the registry file says whose marks count, and `registry.marks` reads
them. This module knows neither that file nor what a mark is on.
"""

import re
from inspect import getattr_static
from typing import Any, Literal, NamedTuple, Required, TypedDict, TypeVar

from wwspec_contracts.base import Contract

_MARK = "__wwspec_mark__"
_WORDS = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
"""Between the words of a class's name."""

ThingT = TypeVar("ThingT")
ContractT = TypeVar("ContractT", bound=type[Contract])


class OnceKeywords(TypedDict, total=False):
    """The keys of a table `once`."""

    key: Required[str]
    ttl: float
    keep_errors: bool
    ignore: list[str]


class AbilityKeywords(TypedDict, total=False):
    """The keys of a row `[abilities.<ability ID>]` that go with a handler."""

    timeout: float
    concurrency: int
    once: OnceKeywords
    trace: str
    input: str
    output: str
    output_policy: Literal["prune", "strict", "off"]


class EventKeywords(TypedDict, total=False):
    """The keys of a row `[events.<event_type>]`."""

    notify: Literal["now", "after", "never"]
    timeout: float
    concurrency: int
    retries: int
    once: bool


class Mark(NamedTuple):
    """What a function or a class is marked with."""

    table: Literal["abilities", "events", "notifications"]
    """The table of the registry file that would have its rows."""
    keys: tuple[str, ...]
    """The ability ID, the event types or the kind."""
    keywords: dict[str, Any]
    """Further keys of the rows."""
    marked: Any
    """The function or class."""


def put_mark(marked: ThingT, mark: Mark) -> ThingT:
    """Mark a function or a class, and return it."""
    setattr(marked, _MARK, mark)
    return marked


def mark_of(thing: object) -> Mark | None:
    """Return the mark of a thing, or of what it has its attributes from: `functools.wraps` copies them."""
    found = getattr_static(thing, _MARK, None)
    return found if isinstance(found, Mark) else None


def notification(contract: ContractT) -> ContractT:
    """Mark a contract as the payload of a notification: `ctx.notify` sends it to the app.

    The kind of the notification is the name of the class in snake case: `daily_digest` for `DailyDigest`. The mark
    counts in a module that `[program] modules` of the registry file names, and is there what a row
    `[notifications.<kind>]` would be.

    Args:
        contract: A subclass of `Contract`.

    Returns:
        The same class.

    Raises:
        TypeError: It is no subclass of `Contract`.

    Examples:
        >>> from wwspec_router import Contract, notification
        >>> @notification
        ... class DailyDigest(Contract):
        ...     messages: int
    """
    given: Any = contract
    if not (isinstance(given, type) and issubclass(given, Contract)):
        raise TypeError(f"{contract!r} is no subclass of wwspec_router.Contract")
    return put_mark(contract, Mark("notifications", (re.sub(_WORDS, "_", contract.__name__).lower(),), {}, contract))

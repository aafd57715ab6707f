"""What a check finds, one line each, and where `wwspec doctor` finds the checks of other packages.

A check is a function of the program's settings. A package declares its checks as entry points of the group
`wwspec.checks`, or of `wwspec.checks.development` when production needs nothing of what they check.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from wwspec_contracts.errors import ExtraMissingError, WWSpecError
from wwspec_contracts.extras import require
from wwspec_contracts.support.printable import error_text, printable
from wwspec_router.config import Settings
from wwspec_router.entry_points import entry_points

__all__ = ["GROUP", "OF_DEVELOPERS", "Check", "Finding", "State", "extra_finding", "installed_findings"]

GROUP = "wwspec.checks"
"""The group of entry points."""
OF_DEVELOPERS = "wwspec.checks.development"
"""The group of those that `wwspec doctor --production` leaves out."""


class State(StrEnum):
    """What a finding asks for."""

    OK = "ok"
    PRODUCTION = "prod"
    """Works here, and must be fixed before production."""
    UNKNOWN = "look"
    """It can't be found out here; the text says where to look."""
    SKIP = "skip"
    """Not tried, since it needs something that does not work; the text says what."""
    FIX = "fix"


class Finding(NamedTuple):
    """One line."""

    state: State
    topic: str
    text: str
    errcode: int = 0
    """WeCom's, or the program's; 0 without one."""


Check = Callable[[Settings], Iterable[Finding]]
"""What an entry point names. It changes nothing, and takes the settings that `wwspec serve` would have."""


def installed_findings(settings: Settings, *, production: bool) -> Iterator[Finding]:
    """Yield what the checks of the installed packages find, in the order of their names.

    A check that does not load, or raises, is a finding itself; the others still run.
    """
    points = [*entry_points(GROUP), *(() if production else entry_points(OF_DEVELOPERS))]
    for point in sorted(points, key=lambda each: each.name):
        try:
            yield from point.load()(settings)
        except WWSpecError as error:
            yield Finding(State.FIX, "check", printable(f"{point.name}: {error}"))
        except Exception as error:  # it is anybody's code
            source = f"the check {point.name} of {point.package} ({point.value})"
            text = f"{source} ends with {type(error).__name__}: {error_text(error)}; correct or uninstall that package"
            yield Finding(State.FIX, "check", printable(text))


def extra_finding(name: str, state: State, user: str) -> Finding:
    """Return whether an extra is installed.

    Args:
        name: The extra.
        state: What it asks for when it is not.
        user: What needs it.
    """
    try:
        require(name, user)
    except ExtraMissingError as error:
        return Finding(state, "extra", str(error))
    return Finding(State.OK, "extra", f"{name}, for {user}")

"""What a run says when it is over: one line of JSON.

Knows no run.
"""

from collections.abc import Callable
from typing import Any

import msgspec

__all__ = ["Findings", "Result", "Run"]


class Findings(msgspec.Struct, kw_only=True):
    """What a run found out."""

    figures: dict[str, Any]
    """What was counted and measured, by name; names that end in `_s` are seconds, in `_ms` milliseconds."""
    failures: list[str]
    """One line for each broken promise; none when the run has passed."""


Run = Callable[[int, bool], Findings]
"""A run: takes the seed, and whether it is to be a quick one (seconds instead of minutes)."""


class Result(msgspec.Struct, kw_only=True):
    """The line that is printed."""

    run: str
    passed: bool
    seconds: float
    seed: int
    figures: dict[str, Any]
    failures: list[str]

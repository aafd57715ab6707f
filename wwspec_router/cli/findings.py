"""What `wwspec doctor` and `wwspec app check` find: one line each, which names the fix."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple

import click


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


def print_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Print each finding as soon as it is made, and return all of them."""
    found = []
    for finding in findings:
        click.echo(f"{finding.state:<4}  {finding.topic:<8}  {finding.text}")
        found.append(finding)
    return found


def end(findings: Iterable[Finding], bad: Collection[State]) -> None:
    """End a verb: with exit code 1 when a finding has one of the bad states."""
    if any(each.state in bad for each in findings):
        click.get_current_context().exit(1)

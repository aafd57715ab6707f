"""Findings as `wwspec doctor` and `wwspec app check` print them, and the exit code that they give."""

from collections.abc import Collection, Iterable

import click

from wwspec_router.findings import Finding, State


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

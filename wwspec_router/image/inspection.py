"""Checks a tar: what it holds, and whether the program in it starts."""

from collections.abc import Callable
from pathlib import Path

from wwspec_router.image.archive import open_archive
from wwspec_router.image.checks import SDK, check, is_flat
from wwspec_router.image.report import Finding, Report, State, sizes
from wwspec_router.image.trial import try_image

__all__ = ["inspect_tar"]

_STARTS_WITHOUT = (SDK, "var", "secrets")
"""Checks whose faults do not keep the program from being tried."""


def inspect_tar(path: Path, say: Callable[[str], None]) -> Report:
    """Check a tar.

    Args:
        path: The tar, as it is or compressed by gzip.
        say: Takes a line about each long step.

    Raises:
        ImageError: It can't be read.
    """
    say(f"reading {path}")
    with open_archive(path) as archive:
        findings = check(archive)
        faults = {each.check for each in findings if each.state is State.FAULT}
        if not is_flat(archive):
            return Report(findings, {})
        if faults.difference(_STARTS_WITHOUT):
            findings.append(Finding(State.SKIP, "trial", "not tried: fix the faults above first"))
        else:
            say("starting the program from the extracted tar")
            findings += try_image(archive, with_sdk=SDK not in faults)
        return Report(findings, sizes(archive))

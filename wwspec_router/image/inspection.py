"""Checks what a tar holds, and on request whether its program starts."""

from collections.abc import Callable
from pathlib import Path

from wwspec_router.image.archive import open_archive
from wwspec_router.image.checks import SDK, check, is_flat
from wwspec_router.image.report import Finding, Inspection, State, sizes
from wwspec_router.image.trial import TRIAL, try_image

_STARTS_WITHOUT = (SDK, "var", "secrets")
"""Checks with a fault that does not stop the trial of the program."""


def inspect_tar(path: Path, say: Callable[[str], None], *, start: bool = False, trust: bool = False) -> Inspection:
    """Check a tar. Nothing is extracted or started unless `start` is set.

    Args:
        path: The tar, as it is or compressed by gzip.
        start: Extract it, and start its program in a sandbox.
        trust: Start it without the sandbox: it can do all that the user can.
        say: Takes a line about each long step.

    Raises:
        ImageError: It can't be read.
    """
    say(f"reading {path}")
    with open_archive(path) as archive:
        findings = check(archive)
        faults = {each.check for each in findings if each.state is State.FAULT}
        if not is_flat(archive):
            return Inspection(findings, {})
        if not start:
            findings.append(Finding(State.SKIP, TRIAL, "not started: --start does that, in a sandbox"))
        elif faults.difference(_STARTS_WITHOUT):
            findings.append(Finding(State.SKIP, TRIAL, "not started: fix the faults above first"))
        else:
            say("starting the program from the extracted tar")
            findings += try_image(archive, with_sdk=SDK not in faults, trust=trust)
        return Inspection(findings, sizes(archive))

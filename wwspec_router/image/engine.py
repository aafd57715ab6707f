"""The container engines that can build an image: docker, podman, buildah."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wwspec_router.errors import ImageError

__all__ = ["ENGINES", "Engine", "find_engine"]

ENGINES = ("docker", "podman", "buildah")
"""In the order in which they are tried."""
_ANSWER = 30.0
"""Seconds within which an engine says whether it works."""


class Engine(NamedTuple):
    """One that works here."""

    name: str

    def build(self, context: Path, tag: str, options: Sequence[str]) -> int:
        """Build the image of a folder's Dockerfile; what the engine prints is shown. Returns its exit code."""
        return self._run("build", "--file", str(context / "Dockerfile"), "--tag", tag, *options, str(context))

    def export(self, tag: str, output: Path) -> int:
        """Write an image as a flat tar. Returns the exit code of the engine."""
        if self.name == "buildah":
            return self._export_by_build(tag, output)
        created = subprocess.run(  # noqa: S603 - the engine
            [self.name, "create", tag], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False
        )
        container = created.stdout.strip()
        if created.returncode:
            return created.returncode
        try:
            return self._run("export", "--output", str(output), container)
        finally:
            subprocess.run([self.name, "rm", container], stdout=subprocess.DEVNULL, check=False)  # noqa: S603

    def _export_by_build(self, tag: str, output: Path) -> int:
        """Let buildah write the tar: it has no `export`, and without root its `mount` works in its own shell only."""
        command = [self.name, "build", "--pull=never", "--output", f"type=tar,dest={output}", "--file", "-"]
        recipe = f"FROM {tag}\n"
        return subprocess.run(  # noqa: S603 - the engine
            command, input=recipe, text=True, stdout=sys.stderr, check=False
        ).returncode

    def _run(self, *arguments: str) -> int:
        """Run the engine; its lines go to standard error, since standard output has the results."""
        sys.stderr.flush()
        command = [self.name, *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode  # noqa: S603


def find_engine(wanted: str | None = None) -> Engine:
    """Return the engine that was asked for, or the first that works.

    Raises:
        ImageError: It does not work here, or none does.
    """
    for name in ENGINES if wanted is None else (wanted,):
        if _works(name):
            return Engine(name)
    if wanted is None:
        raise ImageError("none of docker (with its daemon running), podman and buildah works here: install one of them")
    raise ImageError(f"{wanted} does not work here: see what `{wanted} info` says, or take another --engine")


def _works(name: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - the engine
            [name, "info"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_ANSWER,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0

"""The container engines that can build an image: docker, podman, buildah."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from wwspec_contracts.errors import ImageError

ENGINES = ("docker", "podman", "buildah")
"""The engines, in the order in which they are tried."""
_ANSWER = 30.0
"""Seconds within which an engine says whether it works."""


class EngineError(ImageError):
    """An engine failed; its own lines say why."""


class Engine(NamedTuple):
    """An engine that works here."""

    name: str

    def build(self, context: Path, options: Sequence[str]) -> str:
        """Build the image of a folder's Dockerfile; what the engine prints is shown.

        Returns:
            Its ID. A name could be that of another build that runs at the same time.

        Raises:
            EngineError: The engine failed.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "image"
            self._run("build", "--file", str(context / "Dockerfile"), "--iidfile", str(file), *options, str(context))
            return file.read_text("ascii").strip()

    def export(self, image: str, output: Path) -> None:
        """Write an image as a flat tar.

        Raises:
            EngineError: The engine failed.
        """
        if self.name == "buildah":  # has no `export`; without root `mount` works only in `buildah unshare`
            with tempfile.TemporaryDirectory() as folder:
                recipe = Path(folder) / "Dockerfile"
                recipe.write_text(f"FROM {image.removeprefix('sha256:')}\n", "ascii")
                self._run("build", "--output", f"type=tar,dest={output}", "--file", str(recipe), folder)
            return
        container = self._run("create", image, stdout=subprocess.PIPE).strip()
        try:
            self._run("export", "--output", str(output), container)
        finally:
            self._run("rm", container, stdout=subprocess.DEVNULL)

    def _run(self, *arguments: str, stdout: IO[str] | int | None = None) -> str:
        """Run the engine; by default its lines go to standard error, since standard output has the results."""
        command = [self.name, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout or sys.stderr, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise EngineError(f"{self.name} {arguments[0]} ended with exit code {done.returncode}")
        return done.stdout or ""


def find_engine(wanted: str | None = None) -> Engine:
    """Return the wanted engine, or the first that works.

    Raises:
        ImageError: The wanted engine does not work here, or no engine does.
    """
    for name in ENGINES if wanted is None else (wanted,):
        if _works(name):
            return Engine(name)
    if wanted is None:
        raise ImageError("none of docker (with its daemon running), podman and buildah works here: install one of them")
    raise ImageError(f"{wanted} does not work here: see what `{wanted} info` says, or take another --engine")


def _works(name: str) -> bool:
    command = [name, "info"]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ANSWER, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
    return True

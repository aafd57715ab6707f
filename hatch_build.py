"""Compiles wwspec_router/codecs/speedups.c, if this machine can: a build hook of hatchling, and a command.

The C file is optional. Without a compiler, without Python's headers or with WWSPEC_PURE=1 the wheel is the pure one,
and msgspec does alone what the compiled module would do faster.

usage: hatch_build.py    compiles for this Python, beside the C file. Where that can't be tried it does nothing and says
                         nothing; it exits with 1 when the C file does not compile
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["SpeedupsHook", "build_beside", "compile_speedups", "why_pure"]

SOURCE = Path("wwspec_router/codecs/speedups.c")
"""In the project's folder."""
MODULE = "wwspec_router.codecs.speedups"
FLAGS = ["-std=c11", "-O3", "-Wall", "-Wextra", "-g0"]
"""-g0: lines for a debugger would hold paths of the machine that builds."""


class SpeedupsHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's own affair
    """Adds the compiled module to a wheel, or puts it beside the C file for an editable install."""

    _scratch: "tempfile.TemporaryDirectory[str] | None" = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and make the wheel one for this Python and platform; leave it pure when that can't be done."""
        root = Path(self.root)
        try:
            if reason := why_pure(root):
                raise BuildError(reason)
            if version == "editable":
                build_beside(root)
                return
            self._scratch = tempfile.TemporaryDirectory(prefix="wwspec-build-")
            built = compile_speedups(root, Path(self._scratch.name))
        except BuildError as error:
            self.app.display_debug(f"a pure wheel: {error}")
            return
        build_data["force_include"][str(built)] = str(SOURCE.with_name(built.name))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled: the wheel has it now."""
        if self._scratch is not None:
            self._scratch.cleanup()


class BuildError(Exception):
    """The module can't be compiled here; the text says why."""


def why_pure(root: Path) -> str:
    """Return why nothing is compiled in a project's folder; empty when it can be tried."""
    if os.environ.get("WWSPEC_PURE", "") not in ("", "0"):  # as contracts/fitting.py does
        return "WWSPEC_PURE is set"
    if os.name != "posix" or sys.implementation.name != "cpython":
        return "the compiled module is for CPython on POSIX systems"
    if not (root / SOURCE).is_file():
        return f"no {SOURCE}"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "Python's headers are missing"
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    return "" if shutil.which(compiler) else f"no compiler {compiler}"


def compile_speedups(root: Path, folder: Path) -> Path:
    """Compile the module for this Python and return its file, in a folder.

    The environment's `CC` and `CFLAGS` are obeyed.

    Raises:
        BuildError: The compiler or the linker refused.
    """
    from setuptools import Distribution, Extension  # type: ignore[import-untyped]
    from setuptools.command.build_ext import build_ext  # type: ignore[import-untyped]
    from setuptools.errors import BaseError, CCompilerError  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory(prefix="wwspec-build-") as scratch:
        extension = Extension(MODULE, [str(root / SOURCE)], extra_compile_args=FLAGS)
        command = build_ext(Distribution({"ext_modules": [extension]}))
        command.build_lib, command.build_temp = str(folder), scratch
        command.ensure_finalized()
        try:
            command.run()
        except (BaseError, CCompilerError) as error:
            raise BuildError(str(error)) from error
        return Path(command.get_ext_fullpath(MODULE))


def build_beside(root: Path) -> Path:
    """Compile the module, put it beside the C file in one step, since a process may have the one before, and return it.

    Raises:
        BuildError: The compiler or the linker refused.
    """
    place = (root / SOURCE).parent
    with tempfile.TemporaryDirectory(prefix=".speedups-", dir=place) as scratch:
        built = compile_speedups(root, Path(scratch))
        return built.replace(place / built.name)


def main() -> None:
    """Compile for this Python, beside the C file."""
    root = Path(__file__).resolve().parent
    try:
        if not why_pure(root):
            build_beside(root)
    except BuildError as error:
        sys.exit(f"hatch_build.py: {SOURCE} does not compile: {error}")


if __name__ == "__main__":
    main()

"""Builds of the compiled check: by both compilers, for both ways of walking, and with what finds faults in memory.

Each run compiles the C file for itself, so that what it tries is this source and not what was installed some day.
"""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

__all__ = ["BUILDS", "SOURCE", "Build", "BuildError", "compiled", "preloaded"]

_ROOT = Path(__file__).parents[1]
SOURCE = _ROOT / "wwspec_router" / "contracts" / "speedups.c"
_EDGE = Path(__file__).with_name("native_edge.c")
_STRICT = ("-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-g", "-fno-omit-frame-pointer")
_SANITIZED = ("-O1", "-fno-sanitize-recover=all")


class BuildError(Exception):
    """A compiler refused the source."""


class Build(NamedTuple):
    """One way to compile."""

    compiler: str
    flags: tuple[str, ...]
    source: Path = SOURCE


BUILDS = {
    "gcc": Build("gcc", ("-std=c11", "-O3")),
    "gcc, portable": Build("gcc", ("-std=c11", "-O3", "-DWWSPEC_PORTABLE")),
    "clang": Build("clang", ("-std=c11", "-O3")),
    "clang, portable": Build("clang", ("-std=c11", "-O3", "-DWWSPEC_PORTABLE")),
    "edge": Build("gcc", ("-std=gnu11", "-O3"), _EDGE),
    "edge, portable": Build("gcc", ("-std=gnu11", "-O3", "-DWWSPEC_PORTABLE"), _EDGE),
    "sanitized": Build("gcc", ("-std=c11", "-fsanitize=address,undefined", *_SANITIZED)),
    "sanitized, portable": Build("gcc", ("-std=c11", "-fsanitize=address,undefined", "-DWWSPEC_PORTABLE", *_SANITIZED)),
    "guided": Build("clang", ("-std=c11", "-fsanitize=address,undefined,fuzzer-no-link", *_SANITIZED)),
}


def compiled(name: str, folder: Path, source: Path | None = None) -> Path | None:
    """Compile one of `BUILDS`; None when its compiler is not here.

    Args:
        name: Which.
        folder: Where the module is put, in a folder of its own.
        source: The C file to build instead of the project's.

    Raises:
        BuildError: The compiler refused the source.
    """
    build = BUILDS[name]
    if shutil.which(build.compiler) is None:
        return None
    module = folder / name.replace(", ", "-") / "speedups.so"
    module.parent.mkdir(parents=True, exist_ok=True)
    real = source or SOURCE
    target = build.source if build.source != SOURCE else real
    command = [build.compiler, *_STRICT, *build.flags, f"-I{sysconfig.get_paths()['include']}", f"-I{real.parent}"]
    ended = subprocess.run(  # noqa: S603 - a compiler, with this project's own file
        [*command, str(target), "-o", str(module)], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise BuildError(f"{name}: {ended.stderr.strip()[-1500:]}")
    return module


def _of_gcc() -> str:
    """Return gcc's library of the address sanitizer."""
    asked = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)  # noqa: S607
    return asked.stdout.strip()


def _of_atheris() -> str:
    """Return atheris' library of the address sanitizer, which has the fuzzer's counters as well; empty without it."""
    found = find_spec("atheris")
    if found is None or found.origin is None:
        return ""
    path = Path(found.origin).parents[1] / "asan_with_fuzzer.so"
    return str(path) if path.exists() else ""


_LIBRARIES: dict[str, Callable[[], str]] = {
    "sanitized": _of_gcc,
    "sanitized, portable": _of_gcc,
    "guided": _of_atheris,
}


def preloaded(name: str) -> dict[str, str] | None:
    """Return the environment in which Python can import a build; None when a library that it needs is not here."""
    if name not in _LIBRARIES:
        return {}
    library = _LIBRARIES[name]()
    if not os.path.isabs(library):  # noqa: PTH117 - gcc answers the bare name when it has no such file
        return None
    return {
        "LD_PRELOAD": library,
        "PYTHONMALLOC": "malloc",  # or the sanitizer sees large blocks only
        "ASAN_OPTIONS": f"detect_leaks={int(name != 'guided')}:allocator_may_return_null=1:abort_on_error=1",
        "LSAN_OPTIONS": "exitcode=0",  # CPython leaves things at its end; the run looks for the C file's name
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }

"""Builds of the compiled check: for both ways of walking, and with what finds faults in memory.

Each run compiles the C file for itself, so that what it tries is this source and not what was installed some day.
"""

import os
import shutil
import subprocess
import sysconfig
from importlib.util import find_spec
from pathlib import Path

__all__ = ["BUILDS", "SOURCE", "BuildError", "compiled", "preloaded"]

SOURCE = Path(__file__).parents[1] / "wwspec_router" / "contracts" / "speedups.c"
_STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-g", "-fno-omit-frame-pointer")
_SANITIZED = ("-fsanitize=address,undefined", "-O1", "-fno-sanitize-recover=all")
BUILDS = {
    "gcc": ("gcc", "-O3"),
    "gcc, portable": ("gcc", "-O3", "-DWWSPEC_PORTABLE"),
    "sanitized": ("gcc", *_SANITIZED),
    "sanitized, portable": ("gcc", "-DWWSPEC_PORTABLE", *_SANITIZED),
    "guided": ("clang", *_SANITIZED, "-fsanitize=fuzzer-no-link"),
}
"""Compiler and flags."""


class BuildError(Exception):
    """A compiler refused the source."""


def compiled(name: str, folder: Path, source: Path = SOURCE) -> Path | None:
    """Compile one of `BUILDS`; None when its compiler is not here.

    Args:
        name: Which.
        folder: Where the module is put, in a folder of its own.
        source: The C file.

    Raises:
        BuildError: The compiler refused the source.
    """
    compiler, *flags = BUILDS[name]
    if shutil.which(compiler) is None:
        return None
    module = folder / name.replace(", ", "-") / "speedups.so"
    module.parent.mkdir(parents=True, exist_ok=True)
    command = [compiler, *_STRICT, *flags, f"-I{sysconfig.get_paths()['include']}", str(source), "-o", str(module)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a compiler
    if ended.returncode:
        raise BuildError(f"{name}: {ended.stderr.strip()[-1500:]}")
    return module


def preloaded(name: str) -> dict[str, str] | None:
    """Return the environment in which Python can import a build; None when a library that it needs is not here."""
    if not name.startswith(("sanitized", "guided")):
        return {}
    if name == "guided":  # atheris' library of the sanitizer has the fuzzer's counters as well
        found = find_spec("atheris")
        library = "" if found is None else str(Path(found.origin or "").parents[1] / "asan_with_fuzzer.so")
    else:
        asked = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)  # noqa: S607 - of PATH
        library = asked.stdout.strip()
    if not (os.path.isabs(library) and Path(library).exists()):  # noqa: PTH117 - gcc answers the bare name without one
        return None
    return {
        "LD_PRELOAD": library,
        "PYTHONMALLOC": "malloc",  # or the sanitizer sees large blocks only
        "ASAN_OPTIONS": f"detect_leaks={int(name != 'guided')}:allocator_may_return_null=1:abort_on_error=1",
        "LSAN_OPTIONS": "exitcode=0",  # CPython leaves things at its end; the run looks for the C file's name
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }

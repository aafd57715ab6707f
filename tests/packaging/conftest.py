"""One build of the project, and environments with its wheels, for all packaging tests."""

import os
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.rooms import ROOMS
from tests.support.apps import ROOT
from tests.support.image_base import Storage
from tests.support.made_once import made_once
from tests.support.processes import finished

LIBRARIES = {Path(sysconfig.get_path(scheme)) for scheme in ("purelib", "platlib")}
"""Of the environment of the tests."""
COMPILED = f"speedups{EXTENSION_SUFFIXES[0]}"
"""The file of the compiled part for this Python."""


@dataclass(frozen=True)
class Archives:
    """The files that are built here: of each room a source archive, and the wheels that are built from it."""

    sdist: Path
    """The router's, which has the whole repository."""
    wheel: Path
    """The router's, with the compiled part, where this machine has a compiler."""
    pure: Path
    """The router's without it."""
    others: dict[str, Path]
    """The wheels of the other rooms."""

    @property
    def folder(self) -> Path:
        return self.sdist.parent

    def of(self, *rooms: str, pure: bool = False) -> list[Path]:
        wheels = {**self.others, "router": self.pure if pure else self.wheel}
        return [wheels[room] for room in rooms]


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed and give its standard output; both outputs show when it does not."""
    done = finished(*command, cwd=cwd, env=env)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Source archives, and the wheels that are built from them: what an archive lacks, its wheels lack too."""

    def build(out: Path) -> None:
        for package, _ in ROOMS.values():
            run(
                sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT / package.parent, env=build_env()
            )
        [sdist] = out.glob("wwspec_router-*.tar.gz")
        with tarfile.open(sdist) as archive:
            archive.extractall(out, filter="data")
        pure = build_wheel(sdist.with_name(sdist.name.removesuffix(".tar.gz")), out / "pure", WWSPEC_PURE="1")
        pure.rename(out / pure.name)

    folder = made_once(tmp_path_factory, "dist", build)
    [sdist], [pure] = folder.glob("wwspec_router-*.tar.gz"), folder.glob("wwspec_router-*-none-any.whl")
    compiled = {*folder.glob("wwspec_router-*.whl")} - {pure}
    others = {room: next(folder.glob(f"{package.name}-*.whl")) for room, (package, _) in ROOMS.items()}
    del others["router"]
    return Archives(sdist, next(iter(compiled), pure), pure, others)


def from_folder() -> dict[str, str]:
    """Return variables with which pip takes packages from the folder that scripts/env has filled in CI, if it has.

    These are the pins of requirements/dev.txt, and so all that other environments here need. The newest ones are what
    `scripts/release --archives` installs.
    """
    folder = os.environ.get("CI_WHEELS", "")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": folder} if folder and any(Path(folder).iterdir()) else {}


def build_wheel(source: Path, out: Path, **variables: str) -> Path:
    command = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, source)
    run(*command, env=build_env(**variables))
    [wheel] = out.glob("*.whl")
    return wheel


def build_env(**variables: str) -> dict[str, str]:
    """Return this environment with further variables, and without those that change what is compiled or kept."""
    return {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "CI_WHEELS", "WWSPEC_PURE")} | variables


def _environment(folder: Path, wheels: Iterable[Path], libraries: Iterable[Path]) -> None:
    """Make an environment with wheels in it and libraries within its reach, in `venv` of a folder.

    A path in a .pth file is searched, but .pth files in it are not obeyed: so the editable installs of this
    environment stay out of sight, and the wheels are all there is of the project.
    """
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", *wheels)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "libraries.pth").write_text("\n".join(sorted(map(str, libraries))), "utf-8")


@pytest.fixture(scope="session")
def installed(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with all rooms in it, and the libraries of this one within reach."""
    make = partial(_environment, wheels=archives.of(*ROOMS), libraries=LIBRARIES)
    return made_once(tmp_path_factory, "installed", make) / "venv/bin"


@pytest.fixture(scope="session")
def installed_pure(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make = partial(_environment, wheels=archives.of(*ROOMS, pure=True), libraries=LIBRARIES)
    return made_once(tmp_path_factory, "installed-pure", make) / "venv/bin"


NEEDED = {
    "contracts": ("contracts",),
    "router": ("contracts", "router"),
    "client": ("contracts", "client"),
    "devtools": tuple(ROOMS),
}
"""By room, the wheels that pip installs for it."""
Bare = Callable[[str], Path]


@pytest.fixture(scope="session")
def bare(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Bare:
    """Returns the `bin` folder of an environment as pip makes it for a room and pytest: without any extra."""

    def make(folder: Path, room: str) -> None:
        wheels = archives.of(*NEEDED[room])
        [own] = archives.of(room)
        libraries = folder / "libraries"
        libraries.mkdir()
        for each in _required(["pytest", *requirements_of(own)], dict(zip(NEEDED[room], wheels, strict=True))):
            files = [file for file in distribution(each).files or () if ".." not in file.parts]
            for top in {file.parts[0] for file in files} - {"__pycache__"}:
                (libraries / top).symlink_to(str(distribution(each).locate_file(top)))
        _environment(folder, wheels, [libraries])

    def bin_of(room: str) -> Path:
        return made_once(tmp_path_factory, f"bare-{room}", partial(make, room=room)) / "venv/bin"

    return bin_of


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {*archive.namelist()}


def requirements_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        [name] = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


def _required(requirements: Iterable[str], ours: Mapping[str, Path]) -> set[str]:
    """Return the distributions that pip installs for requirements: theirs, and what these require in turn.

    Those of `ours` are there already; what their wheels require is returned too.
    """
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(each), "") for each in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        wheel = ours[name.removeprefix("wwspec-")] if name.startswith("wwspec-") else None
        required = requirements_of(wheel) if wheel else distribution(name).requires or ()
        for each in {"", *requirement.extras}:
            if (name, each) not in found:
                found.add((name, each))
                waiting += [(Requirement(line), each) for line in required]
    return {name for name, _ in found if not name.startswith("wwspec-")}


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage(made_once(tmp_path_factory, "images", lambda folder: Storage(folder).make_base()))


@pytest.fixture
def clean_env() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV", "VIRTUAL_ENV", "WWSPEC_"))}

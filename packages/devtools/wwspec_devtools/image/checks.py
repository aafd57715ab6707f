"""What a tar must have so that the zone takes it and starts it. Nothing here needs a container engine."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import printable
from wwspec_contracts.toml import parse_toml
from wwspec_devtools.image.archive import Archive, open_archive
from wwspec_devtools.image.elf import Elf, parse
from wwspec_devtools.image.tar import MemberKind
from wwspec_router.config import PROGRAM, REGISTRY, SETTINGS_FILE
from wwspec_router.process.elf import ElfError
from wwspec_router.sdk.vendor import MODULE

SDK = "SDK"
"""The name of the check of the vendor's module."""

LIBC = "libc.so.6"
START = "app/run.sh"
ENVIRONMENT = "app/.venv"
_LAYERED = ("manifest.json", "index.json", "oci-layout", "repositories")
"""Files of `docker save`, and of an OCI folder: neither is a root file system."""
_SECRETS = (
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", ".env", ".env.*", ".netrc", ".pypirc", ".git-credentials"),
    *("id_rsa", "id_ed25519", "id_ecdsa"),
)
_PIP_CONFIGURATION = ("etc/pip.conf", "root/.pip/pip.conf", "root/.config/pip/pip.conf", "app/.venv/pip.conf")
_PASSWORD = re.compile(rb"://[^/\s]+@")
_VERSION = re.compile(r"^version(?:_info)? *= *(\d+\.\d+)", re.MULTILINE)
_NUMBERS = re.compile(r"\d+")
_MOST_NAMED = 3
"""The most files that one line names."""
_MOST_LIBRARIES = 20
"""The most libraries of one name that are read."""


_PARTS = {
    "base": "all outside of /app",
    "python": "/app/.venv",
    "application": "the rest of /app",
    "sdk": "/app/sdk",
    "other": "/app/var",
}
"""The parts of an image, and where each is."""


class State(StrEnum):
    """What a check found."""

    OK = "ok"
    FAULT = "fault"
    """The zone would not take the image or not start it; the text names the fix."""


class Finding(NamedTuple):
    """One line."""

    state: State
    check: str
    text: str


@dataclass(frozen=True)
class Inspection:
    """The findings about one tar, and the bytes of each part of the image."""

    findings: Sequence[Finding]
    sizes: dict[str, int]

    @property
    def has_fault(self) -> bool:
        """Whether a check found a fault."""
        return any(each.state is State.FAULT for each in self.findings)

    def lines(self, say: Callable[[str], str] = str) -> list[str]:
        """Return the inspection as text; `say` returns the text of a finding in the language of the reader."""
        rows = [f"{each.state:<5}  {each.check:<8}  {printable(say(each.text))}" for each in self.findings]
        if self.sizes:
            parts = ", ".join(f"{part} {_shown(size)} ({_PARTS[part]})" for part, size in self.sizes.items())
            rows.append(f"{State.OK:<5}  {'size':<8}  {say(f'{_shown(sum(self.sizes.values()))}: {parts}')}")
        return rows

    def document(self) -> dict[str, Any]:
        """Return the inspection as values for JSON, with sizes in bytes."""
        return {
            "ok": not self.has_fault,
            "findings": [
                {"state": each.state.value, "check": each.check, "text": printable(each.text)} for each in self.findings
            ],
            "sizes": self.sizes,
        }


def _shown(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def sizes(archive: Archive) -> dict[str, int]:
    """Return the bytes of the files of each part."""
    total: Counter[str] = Counter(dict.fromkeys(_PARTS, 0))
    places = {".venv": "python", "sdk": "sdk", "var": "other"}
    for path, member in archive.members.items():
        if member.kind is MemberKind.FILE:
            top, _, rest = path.partition("/")
            part = places.get(rest.partition("/")[0], "application") if top == "app" else "base"
            total[part] += member.size
    return dict(total)


def inspect_tar(path: Path) -> Inspection:
    """Check a tar in place, and sum up the sizes of its parts.

    A tar that is not a root file system has only one finding: no other check makes sense.

    Args:
        path: The tar, as it is or compressed by gzip.

    Raises:
        ImageError: It can't be read.
    """
    with open_archive(path) as archive:
        flat = _flat(archive)
        if flat.state is not State.OK:
            return Inspection([flat], {})
        return Inspection([flat, *(finding for each in _CHECKS for finding in each(archive))], sizes(archive))


def _image_machine(archive: Archive) -> str | None:
    """Return the processor that the image's Python is for; None without a Python that can be read."""
    try:
        return parse(archive.read(f"{ENVIRONMENT}/bin/python")).machine
    except ElfError:
        return None


def _flat(archive: Archive) -> Finding:
    layers = [name for name in _LAYERED if name in archive.members]
    if layers and not archive.is_folder("app"):
        text = f"{layers[0]} shows an archive of layers, as `docker save` writes it, and the console refuses those: "
        return Finding(State.FAULT, "flat", text + "export with `wwspec image`, or `docker export CONTAINER`")
    if not archive.is_folder("app"):
        text = "no folder /app, so this is no image of a zone program: export one with `wwspec image`"
        return Finding(State.FAULT, "flat", text)
    return Finding(State.OK, "flat", f"a root file system of {len(archive.members)} files and folders")


def _start(archive: Archive) -> Iterator[Finding]:
    member = archive.file(START)
    if member is None:
        fault = f"no /{START}, which the platform starts: take the one of `wwspec new` and keep it in .dockerignore"
    elif not member.mode & 0o100:
        fault = f"/{START} is no executable file: chmod +x run.sh, and build again"
    elif b"\r\n" in archive.read(START):
        fault = f"/{START} has the line ends of Windows, which bash refuses: save it with LF, and build again"
    elif archive.file("bin/bash") is None:
        fault = "no /bin/bash, which the start command names: take a --base that has it, such as Debian's"
    else:
        yield Finding(State.OK, "start", f"/bin/bash /{START}")
        return
    yield Finding(State.FAULT, "start", fault)


def _python(archive: Archive) -> Iterator[Finding]:
    link = f"{ENVIRONMENT}/bin/python"
    version = _VERSION.search(archive.read(f"{ENVIRONMENT}/pyvenv.cfg").decode("utf-8", "replace"))
    if version is None:
        fault = f"no environment in /{ENVIRONMENT}, where run.sh looks for Python: keep those lines of the Dockerfile"
    elif version[1] != "3.12":
        fault = f"/{ENVIRONMENT} has Python {version[1]}, and the vendor's SDK needs CPython 3.12: take another --base"
    elif archive.file(link) is None:
        fault = (
            f"/{link} leads to a file that the tar lacks: let both stages of the Dockerfile begin with the same "
            "FROM ${BASE_IMAGE}"
        )
    elif not archive.is_folder(f"{ENVIRONMENT}/lib/python3.12"):
        fault = (
            f"/{ENVIRONMENT} is not of CPython (no lib/python3.12), which the vendor's SDK needs: take another --base"
        )
    elif not {"app/wwspec_router/__init__.py", _installed("wwspec_router/__init__.py")} & archive.members.keys():
        fault = f"wwspec_router is not in /{ENVIRONMENT}: name it in requirements.txt, with its extra zone; build again"
    else:
        yield Finding(State.OK, "Python", f"CPython 3.12 in /{ENVIRONMENT}, {archive.find(link)}")
        return
    yield Finding(State.FAULT, "Python", fault)


def _installed(path: str) -> str:
    return f"{ENVIRONMENT}/lib/python3.12/site-packages/{path}"


def _compiled(archive: Archive) -> Iterator[Finding]:
    """Say whether the compiled check of contracts is there and loads: no program needs it."""
    folders = ("app/wwspec_router/codecs", _installed("wwspec_router/codecs"))
    files = [path for each in folders for path, _ in archive.below(each) if fnmatchcase(path, f"{each}/speedups*.so")]
    why = "build it on a machine with a C compiler, or take a wheel that has it"
    for path in files[:1]:
        try:
            found = _loads(archive, path, parse(archive.read(path)))
        except ElfError as error:
            why = f"/{path}: {error}"
        else:
            if found.state is State.OK:
                yield Finding(State.OK, "checks", f"contracts are checked by compiled code, {found.text}")
                return
            why = found.text
    yield Finding(State.OK, "checks", f"contracts are checked by msgspec alone, which takes longer: {why}")


def _application(archive: Archive) -> Iterator[Finding]:
    try:
        served = parse_toml(Path("/app", SETTINGS_FILE), archive.read(f"app/{SETTINGS_FILE}"))[1].get("serve")
    except ConfigurationError as error:
        yield Finding(State.FAULT, "registry", f"{error}, and build again")
        return
    named = served.get("registry") if isinstance(served, dict) else None
    usual = PROGRAM if archive.file(f"app/{REGISTRY}") is None and archive.file(f"app/{PROGRAM}") else REGISTRY
    file = posixpath.normpath(posixpath.join("/app", named if isinstance(named, str) else usual))
    if archive.file(file[1:]) is None:
        kept = file.removeprefix("/app/").partition("/")[0]
        text = f"no {file}: run `wwspec image` in the program's folder, and keep !{kept} in .dockerignore"
        yield Finding(State.FAULT, "registry", text)
    else:
        yield Finding(State.OK, "registry", file)


def _sdk(archive: Archive) -> Iterator[Finding]:
    files = [path for path, _ in archive.below("app/sdk") if fnmatchcase(path, f"app/sdk/{MODULE}*.so")]
    if not files:
        text = f"no /app/sdk/{MODULE}.so, so the image refuses to start: put the vendor's into sdk/ and build again"
        yield Finding(State.FAULT, SDK, f"{text} (WeCom document 100057)")
        return
    for path in files:
        try:
            library = parse(archive.read(path))
        except ElfError as error:
            yield Finding(State.FAULT, SDK, f"/{path}: {error}: copy the vendor's file again, whole, and build again")
        else:
            yield _loads(archive, path, library)


def _loads(archive: Archive, path: str, library: Elf) -> Finding:
    """Check whether the loader of the image can load a library."""
    built_for = _image_machine(archive)
    if built_for is not None and library.machine != built_for:
        text = f"/{path} is for {library.machine}, the image for {built_for}: build with `-- --platform` of the SDK, "
        return Finding(State.FAULT, SDK, f"{text}such as linux/amd64 for x86_64, or get the vendor's other file")
    libc = next(_versions(archive, LIBC, library.machine), None)
    if libc is None:
        text = f"the image has no glibc ({LIBC}), which /{path} needs: take a --base with one, such as Debian's"
        return Finding(State.FAULT, SDK, text)
    for name, wanted in sorted(library.wants.items()):
        versions = list(_versions(archive, name, library.machine))
        given = frozenset[str]().union(*(each.gives for each in versions))
        lacking = sorted(wanted - given, key=_numbers)
        if versions and lacking:
            newest = max(given, key=_numbers, default="none")
            text = f"/{path} needs {lacking[-1]} and {name} of the image has {newest} at most: take a newer --base"
            return Finding(State.FAULT, SDK, text)
    missing = [name for name in library.needed if not archive.named(name)][:_MOST_NAMED]
    if missing:
        text = f"/{path} needs {', '.join(missing)}, which the image lacks: take a --base with it, or install it there"
        return Finding(State.FAULT, SDK, text)
    needs = max(library.wants.get(LIBC, ()), key=_numbers, default="any glibc")
    has = max((each for each in libc.gives if each.startswith("GLIBC_2")), key=_numbers, default="an unknown one")
    return Finding(State.OK, SDK, f"/{path}: {library.machine}, needs {needs}, the image has {has}")


def _versions(archive: Archive, name: str, machine: str) -> Iterator[Elf]:
    """Yield the libraries of this name for this processor."""
    for path in archive.named(name)[:_MOST_LIBRARIES]:
        try:
            library = parse(archive.read(path))
        except ElfError:
            continue
        if library.machine == machine:
            yield library


def _numbers(version: str) -> list[int]:
    return [int(each) for each in _NUMBERS.findall(version)]


def _var(archive: Archive) -> Iterator[Finding]:
    member = archive.members.get(archive.find("app/var") or "")
    if member is None or member.kind is not MemberKind.FOLDER:
        text = "no folder /app/var, where events wait: keep `mkdir -p var` in the Dockerfile"
        yield Finding(State.FAULT, "var", text)
    elif not member.mode & 0o200:
        yield Finding(State.FAULT, "var", "/app/var can't be written: chmod u+w var in the Dockerfile")
    else:
        yield Finding(State.OK, "var", "/app/var can be written")


def _secrets(archive: Archive) -> Iterator[Finding]:
    found = [path for path in archive.members if path.startswith(("app/", "root/", "home/")) and _is_secret(path)]
    found += [path for path in _PIP_CONFIGURATION if _PASSWORD.search(archive.read(path))]
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        names = ", ".join(f"/{path}" for path in found[:_MOST_NAMED])
        text = (
            f"{names}{more} would reach the zone: name them in .dockerignore, below the lines with !, and build again"
        )
        yield Finding(State.FAULT, "secrets", text)
    else:
        yield Finding(State.OK, "secrets", "no private key, .env, .git or password of pip in /app and the homes")


def _is_secret(path: str) -> bool:
    if path.startswith(f"{ENVIRONMENT}/"):  # packages contain public certificates
        return False
    name = posixpath.basename(path)
    return name == ".git" or any(fnmatchcase(name, pattern) for pattern in _SECRETS)


_CHECKS = (_start, _python, _compiled, _application, _sdk, _var, _secrets)
"""What is checked of a root file system, in this order."""

"""What an image holds, as a software bill of materials: CycloneDX 1.6, JSON.

It has the packages that are installed in the image, the framework, the vendor's module, and the base image. The
packages of the base image are for its publisher to list. The text has neither a time nor a random number: the same
image gives the same text.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from wwspec_router.image.archive import Archive
from wwspec_router.sdk.vendor import MODULE

PROGRAM = "wwspec-zone-program"
FRAMEWORK = "wwspec-router"
_LOCKS = ("requirements/run.txt", "requirements.txt")
_METADATA = "app/.venv/lib/python3.*/site-packages/*.dist-info/METADATA"
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_OWN_VERSION = re.compile(r'^__version__ = "(.+)"', re.MULTILINE)

Component = dict[str, Any]


class _Installed(NamedTuple):
    name: str
    version: str
    needs: frozenset[str]


def bill_of_materials(archive: Archive, app: Path, base: str) -> str:
    """Return the document.

    Args:
        archive: The image.
        app: The program's folder: its requirements file may pin packages with hashes.
        base: The base image, such as `python:3.12-slim-bookworm@sha256:…`.
    """
    installed = sorted(_installed(archive))
    hashes = _hashes(app)
    packages = {each.name: _package(each, hashes) for each in installed}
    framework = _framework(archive)
    others = [*_vendor_modules(archive), _base_image(base)]
    needed = frozenset[str]().union(*(each.needs for each in installed))
    first = [each["bom-ref"] for name, each in packages.items() if name not in needed]
    uses = {
        each.name: [packages[name]["bom-ref"] for name in sorted(each.needs & packages.keys())] for each in installed
    }
    dependencies = {packages[name]["bom-ref"]: used for name, used in uses.items()}
    if framework is not None:  # a folder of the project, which does not list its dependencies
        dependencies[FRAMEWORK] = first
        others.insert(0, framework)
        first = [FRAMEWORK]
    program = [*(each["bom-ref"] for each in others if each is not framework), *first]
    document = _document([*others, *packages.values()], {PROGRAM: program, **dependencies})
    return json.dumps(document, indent=2) + "\n"


def _document(components: Sequence[Component], dependencies: Mapping[str, list[str]]) -> dict[str, Any]:
    document = {
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": PROGRAM, "name": PROGRAM}},
        "components": components,
        "dependencies": [
            {"ref": ref, "dependsOn": used}
            for ref, used in {**dict.fromkeys((each["bom-ref"] for each in components), []), **dependencies}.items()
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document))
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", **document}


def _installed(archive: Archive) -> Iterator[_Installed]:
    for path in archive.members:
        if fnmatchcase(path, _METADATA):
            metadata = message_from_bytes(archive.read(path))
            # Requirements of extras are left out: the metadata does not say which extras were installed.
            needs = (each for each in metadata.get_all("Requires-Dist", []) if "extra ==" not in each)
            names = frozenset(_normal(found[0]) for each in needs if (found := _NAME.match(each)))
            yield _Installed(_normal(str(metadata["Name"])), str(metadata["Version"]), names)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _hashes(app: Path) -> dict[tuple[str, str], list[str]]:
    """Return the hashes that a requirements file pins, by name and version."""
    found: dict[tuple[str, str], list[str]] = {}
    lock = next((app / name for name in _LOCKS if (app / name).is_file()), None)
    digests: list[str] = []
    for line in [] if lock is None else lock.read_text("utf-8", "replace").splitlines():
        if pin := _PIN.match(line):
            digests = found.setdefault((_normal(pin["name"]), pin["version"]), [])
        digests += _HASH.findall(line)
    return found


def _package(installed: _Installed, hashes: Mapping[tuple[str, str], list[str]]) -> Component:
    """Return a package of the Python index."""
    purl = f"pkg:pypi/{installed.name}@{installed.version}"
    component: Component = {
        "type": "framework" if installed.name == FRAMEWORK else "library",
        "bom-ref": purl,
        "name": installed.name,
        "version": installed.version,
        "purl": purl,
    }
    if digests := hashes.get((installed.name, installed.version)):
        files = [{"alg": "SHA-256", "content": digest} for digest in digests]
        note = "one of these files"
        component["externalReferences"] = [{"type": "distribution", "url": purl, "comment": note, "hashes": files}]
    return component


def _framework(archive: Archive) -> Component | None:
    """Return the framework, when the image has it as a folder of the project."""
    source = archive.read("app/wwspec_router/__init__.py").decode("utf-8", "replace")
    found = _OWN_VERSION.search(source)
    if found is None:
        return None
    return {"type": "framework", "bom-ref": FRAMEWORK, "name": FRAMEWORK, "version": found[1]}


def _vendor_modules(archive: Archive) -> Iterator[Component]:
    for path, _ in archive.below("app/sdk"):
        if fnmatchcase(path, f"app/sdk/{MODULE}*.so"):
            digest = hashlib.sha256(archive.read(path)).hexdigest()
            hashes = [{"alg": "SHA-256", "content": digest}]
            yield {"type": "library", "bom-ref": path.removeprefix("app/"), "name": MODULE, "hashes": hashes}


def _base_image(reference: str) -> Component:
    name, _, digest = reference.partition("@sha256:")
    image: Component = {"type": "container", "bom-ref": "base-image", "name": name}
    if digest:
        image["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return image

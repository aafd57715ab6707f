#!/usr/bin/env python3
"""Prints what the zone program's image holds as a software bill of materials: CycloneDX 1.6, JSON.

usage: scripts/sbom.py [BASE-IMAGE]    without it the one in the Dockerfile

The packages are those that requirements/run.txt pins, each with the hashes of the files that it may come from. Beside
them are the framework, the vendor's module, and the base image, whose own packages are for its publisher to list. There
is neither a time nor a random number in it: the same files give the same text.

It needs Python 3.10 and no package, since scripts/image runs it in every project, with or without a developers'
environment.
"""

import hashlib
import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

PROGRAM = "wwspec-zone-program"
FRAMEWORK = "wwspec-router"
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:(?P<digest>[0-9a-f]{64})")
_VIA = re.compile(r"^ +# +(?:via )?(?P<name>[A-Za-z0-9._-]+)(?: \(.*\))?$")

Component = dict[str, Any]


def main() -> None:
    """Read the files of the project that this script belongs to."""
    root = Path(__file__).resolve().parent.parent
    base = sys.argv[1] if len(sys.argv) > 1 else default_base((root / "Dockerfile").read_text("utf-8"))
    packages, users = pinned((root / "requirements" / "run.txt").read_text("utf-8"))
    others = [framework(root), vendor_module(root), base_image(base)]
    print(json.dumps(bom(packages, users, [each for each in others if each is not None]), indent=2))


def bom(packages: list[Component], users: dict[str, set[str]], others: list[Component]) -> dict[str, Any]:
    """Return the whole document.

    Args:
        packages: What is pinned.
        users: By name of a package, what it was pinned for.
        others: What is in the image besides.
    """
    components = [*others, *packages]
    names = {each["name"] for each in components}
    first = [each for each in packages if not users[each["name"]] & names]
    uses = [
        (PROGRAM, [*others, *first]),
        *((each["bom-ref"], [on for on in packages if each["name"] in users[on["name"]]]) for each in components),
    ]
    document = {
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": PROGRAM, "name": PROGRAM}},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": [on["bom-ref"] for on in used]} for ref, used in uses],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document))
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", **document}


def pinned(lock: str) -> tuple[list[Component], dict[str, set[str]]]:
    """Return what a requirements file pins, and by each package's name what it was pinned for."""
    packages: list[Component] = []
    users: dict[str, set[str]] = {}
    for line in lock.splitlines():
        if pin := _PIN.match(line):
            name, version = pin["name"], pin["version"]
            users[name] = set()
            packages.append(package(name, version))
        elif digest := _HASH.search(line):
            packages[-1]["externalReferences"][0]["hashes"].append({"alg": "SHA-256", "content": digest["digest"]})
        elif (via := _VIA.match(line)) and via["name"] != "via":
            users[packages[-1]["name"]].add(via["name"])
    return packages, users


def package(name: str, version: str) -> Component:
    """Return a package of the Python index, whose files' hashes are still to be added."""
    purl = f"pkg:pypi/{name}@{version}"
    files = {"type": "distribution", "url": purl, "comment": "one of these files", "hashes": []}
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "externalReferences": [files],
    }


def framework(root: Path) -> Component | None:
    """Return the framework, when the image takes it from a folder of the project."""
    source = root / "wwspec_router" / "__init__.py"
    if not source.is_file():
        return None
    found = re.search(r'^__version__ = "(.+)"', source.read_text("utf-8"), re.MULTILINE)
    version = found[1] if found else "unknown"
    return {"type": "framework", "bom-ref": FRAMEWORK, "name": FRAMEWORK, "version": version}


def vendor_module(root: Path) -> Component | None:
    """Return the vendor's module, when it is there."""
    file = root / "sdk" / "wwspecapisdk.so"
    if not file.is_file():
        return None
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    hashes = [{"alg": "SHA-256", "content": digest}]
    return {"type": "library", "bom-ref": "wwspecapisdk", "name": "wwspecapisdk", "hashes": hashes}


def base_image(reference: str) -> Component:
    """Return the base image, such as `python:3.12-slim-bookworm@sha256:…`."""
    name, _, digest = reference.partition("@sha256:")
    image: Component = {"type": "container", "bom-ref": "base-image", "name": name}
    if digest:
        image["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return image


def default_base(dockerfile: str) -> str:
    """Return the base image that a Dockerfile names."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)", dockerfile, re.MULTILINE)
    if found is None:
        sys.exit("scripts/sbom.py: the Dockerfile names no BASE_IMAGE")
    return found[1]


if __name__ == "__main__":
    main()

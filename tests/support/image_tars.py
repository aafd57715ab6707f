"""Tars of images for tests: a root file system with the least that a zone program's has, to be damaged at will."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.elf import library

GLIBC = ["GLIBC_2.17", "GLIBC_2.34", "GLIBC_2.36"]
SDK = "app/sdk/wwspecapisdk.so"
SITE = "app/.venv/lib/python3.12/site-packages"


class Item(NamedTuple):
    """A file, or with a target a symbolic link, or without data a folder."""

    data: bytes | None = b""
    mode: int = 0o644
    target: str = ""


FOLDER = Item(None, 0o755)


def link(target: str) -> Item:
    return Item(target=target)


def image() -> dict[str, Item]:
    return {
        "bin": link("usr/bin"),
        "usr/bin/bash": Item(library(), 0o755),
        "usr/local/bin/python3.12": Item(library(), 0o755),
        "usr/lib/x86_64-linux-gnu/libc.so.6": Item(library(gives=GLIBC)),
        "etc/ssl/private/snakeoil.key": Item(b"of the base"),
        "app/run.sh": Item(b"#!/usr/bin/env bash\n", 0o755),
        "app/.venv/bin/python": link("python3"),
        "app/.venv/bin/python3": link("/usr/local/bin/python3"),
        "usr/local/bin/python3": link("python3.12"),
        "app/.venv/pyvenv.cfg": Item(b"home = /usr/local/bin\nversion = 3.12.1\n"),
        f"{SITE}/wwspec_router/__init__.py": Item(b'__version__ = "1.0"\n'),
        f"{SITE}/certifi/cacert.pem": Item(b"public"),
        "app/abilities/registry.toml": Item(b""),
        SDK: Item(library(needed=["libc.so.6"], wants={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"]})),
        "app/var": FOLDER,
    }


def write_tar(path: Path, items: Mapping[str, Item], *, prefix: str = "", compressed: bool = False) -> Path:
    with tarfile.open(path, "w:gz" if compressed else "w") as tar:
        add(tar, items, prefix)
    return path


def add(tar: tarfile.TarFile, items: Mapping[str, Item], prefix: str = "") -> None:
    for name, item in items.items():
        member = tarfile.TarInfo(prefix + name)
        member.mode = item.mode
        data = item.data or b""
        if item.target:
            member.type, member.linkname = tarfile.SYMTYPE, item.target
        elif item.data is None:
            member.type = tarfile.DIRTYPE
        else:
            member.size = len(data)
        tar.addfile(member, io.BytesIO(data))

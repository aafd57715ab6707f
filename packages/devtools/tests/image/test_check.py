"""`wwspec image --check`: one line for each check of a tar, each with a tar that has its fault."""

import gzip
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.command import wwspec
from tests.support.elf import AARCH64, library
from tests.support.image_tars import FOLDER, SDK, SITE, Item, image, link, write_tar


def check(tar: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return wwspec(tar.parent, "image", "--check", tar, *options)


def rows(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """Return state and text of each line, by its check."""
    split = (line.split(maxsplit=2) for line in done.stdout.splitlines())
    return {name: (state, text) for state, name, text in split}


def faults(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert "Traceback" not in done.stderr
    return {name: text for name, (state, text) in rows(done).items() if state == "fault"}


@pytest.mark.parametrize("prefix", ["", "./", "/"])
def test_a_whole_image_passes_every_check_of_its_contents(tmp_path: Path, prefix: str) -> None:
    found = rows(check(write_tar(tmp_path / "zone.tar", image(), prefix=prefix)))
    contents = ("flat", "start", "Python", "checks", "registry", "SDK", "var", "secrets")
    assert {name: found[name][0] for name in contents} == dict.fromkeys(contents, "ok")
    assert found["SDK"][1] == f"/{SDK}: x86_64, needs GLIBC_2.34, the image has GLIBC_2.36"


def test_a_line_says_whether_the_compiled_check_of_contracts_is_there_and_loads(tmp_path: Path) -> None:
    compiled = f"{SITE}/wwspec_router/codecs/speedups.cpython-312-x86_64-linux-gnu.so"

    def said(file: Item | None = None) -> str:
        items = image() if file is None else image() | {compiled: file}
        state, text = rows(check(write_tar(tmp_path / "zone.tar", items)))["checks"]
        assert state == "ok", "it is no fault: a program runs without"
        return text

    assert said(Item(library())).startswith(f"contracts are checked by compiled code, /{compiled}: x86_64")
    alone = "contracts are checked by msgspec alone, which takes longer: "
    assert said().startswith(f"{alone}build it on a machine with a C compiler")
    assert said(Item(library(machine=AARCH64))).startswith(f"{alone}/{compiled} is for aarch64")
    assert said(Item(b"PK")).startswith(f"{alone}/{compiled}: it is no library")


def test_a_compressed_tar_is_read_as_one_that_is_not(tmp_path: Path) -> None:
    plain = check(write_tar(tmp_path / "zone.tar", image()), "--json")
    compressed = check(write_tar(tmp_path / "zone.tar.gz", image(), compressed=True), "--json")
    assert json.loads(plain.stdout) == json.loads(compressed.stdout)


LACKING: dict[str, tuple[str, str]] = {
    "app/run.sh": ("start", "no /app/run.sh"),
    "usr/bin/bash": ("start", "no /bin/bash"),
    "app/.venv/pyvenv.cfg": ("Python", "no environment in /app/.venv"),
    "usr/local/bin/python3.12": ("Python", "leads to a file that the tar lacks"),
    f"{SITE}/wwspec_router/__init__.py": ("Python", "wwspec_router is not in /app/.venv"),
    "app/abilities/registry.toml": ("registry", "no /app/abilities/registry.toml"),
    SDK: ("SDK", "no /app/sdk/wwspecapisdk.so, so the image refuses to start"),
    "usr/lib/x86_64-linux-gnu/libc.so.6": ("SDK", "the image has no glibc"),
    "app/var": ("var", "no folder /app/var"),
}


@pytest.mark.parametrize("path", LACKING)
def test_what_is_missing_is_named_with_the_fix(tmp_path: Path, path: str) -> None:
    items = image()
    del items[path]
    done = check(write_tar(tmp_path / "zone.tar", items))
    name, text = LACKING[path]
    assert done.returncode == 1
    assert text in faults(done)[name]


def test_the_registry_file_may_be_named_in_the_settings_file_or_be_one_file(tmp_path: Path) -> None:
    items = image() | {"app/wwspec.toml": Item(b'[serve]\nregistry = "rows/registry.toml"\n')}
    del items["app/abilities/registry.toml"]
    lacking = check(write_tar(tmp_path / "zone.tar", items))
    assert faults(lacking)["registry"] == (
        "no /app/rows/registry.toml: run `wwspec image` in the program's folder, and keep !rows in .dockerignore"
    )
    whole = check(write_tar(tmp_path / "zone.tar", items | {"app/rows/registry.toml": Item(b"")}))
    assert rows(whole)["registry"] == ("ok", "/app/rows/registry.toml")
    items = image() | {"app/program.py": Item(b"")}
    del items["app/abilities/registry.toml"]
    assert rows(check(write_tar(tmp_path / "zone.tar", items)))["registry"] == ("ok", "/app/program.py")


WRONG: dict[str, tuple[str, Item, str, str]] = {
    "no TOML": ("app/wwspec.toml", Item(b"[serve\n"), "registry", "/app/wwspec.toml:1: not valid TOML"),
    "no run bit": ("app/run.sh", Item(b"#!/bin/bash\n"), "start", "chmod +x run.sh"),
    "Windows": ("app/run.sh", Item(b"#!/bin/bash\r\n", 0o755), "start", "line ends of Windows"),
    "old Python": ("app/.venv/pyvenv.cfg", Item(b"version = 3.11.2\n"), "Python", "Python 3.11, and the vendor's SDK"),
    "links in a circle": ("app/.venv/bin/python3", link("python"), "Python", "leads to a file that the tar lacks"),
    "no ELF": (SDK, Item(b"PK\3\4"), "SDK", "it is no library for Linux (ELF): copy the vendor's file again"),
    "cut off": (SDK, Item(library()[:80]), "SDK", "it is damaged"),
    "other processor": (SDK, Item(library(machine=AARCH64)), "SDK", "is for aarch64, the image for x86_64"),
    "newer glibc": (
        SDK,
        Item(library(wants={"libc.so.6": ["GLIBC_2.9", "GLIBC_2.38"]})),
        "SDK",
        "needs GLIBC_2.38 and libc.so.6 of the image has GLIBC_2.36 at most: take a newer --base",
    ),
    "no library": (SDK, Item(library(needed=["libodd.so.1"])), "SDK", "needs libodd.so.1, which the image lacks"),
    "read-only var": ("app/var", Item(None, 0o555), "var", "chmod u+w var"),
    "key": ("app/certs/private.pem", Item(), "secrets", "/app/certs/private.pem would reach the zone"),
    "variables": ("app/.env", Item(), "secrets", "/app/.env would reach the zone"),
    "git": ("app/.git", FOLDER, "secrets", "/app/.git would reach the zone"),
    "SSH": ("root/.ssh/id_ed25519", Item(), "secrets", ".ssh/id_ed25519 would reach the zone"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_the_fix(tmp_path: Path, name: str) -> None:
    path, item, topic, text = WRONG[name]
    done = check(write_tar(tmp_path / "zone.tar", {**image(), path: item}))
    assert done.returncode == 1
    assert list(faults(done)) == [topic]
    assert text in faults(done)[topic]


def test_a_password_of_pip_is_not_shown(tmp_path: Path) -> None:
    items = image() | {"etc/pip.conf": Item(b"index-url = https://me:pw-7731@mirror.example/")}
    done = check(write_tar(tmp_path / "zone.tar", items))
    assert "/etc/pip.conf would reach the zone" in faults(done)["secrets"]
    assert "pw-7731" not in done.stdout + done.stderr


def test_what_is_no_image_of_cpython_is_refused(tmp_path: Path) -> None:
    items = {path.replace("lib/python3.12", "lib/pypy3.12"): item for path, item in image().items()}
    done = check(write_tar(tmp_path / "zone.tar", items))
    assert "is not of CPython" in faults(done)["Python"]
    done = check(write_tar(tmp_path / "zone.tar", {"notes.txt": Item()}))
    assert faults(done) == {
        "flat": "no folder /app, so this is no image of a zone program: export one with `wwspec image`"
    }


@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
def test_layers_are_refused_and_nothing_else_is_said(tmp_path: Path, name: str) -> None:
    done = check(write_tar(tmp_path / "zone.tar", {name: Item(), "blobs/sha256/00": Item()}))
    assert done.returncode == 1
    [(topic, text)] = faults(done).items()
    assert topic == "flat"
    assert "`docker save`" in text
    assert len(done.stdout.splitlines()) == 1


def refusal(tar: Path, *options: str) -> str:
    """Return why a tar is not read: the only line besides the announcement."""
    done = check(tar, *options)
    assert (done.returncode, done.stdout) == (1, "")
    _, line = done.stderr.splitlines()
    return line.removeprefix(f"Error: {tar}: ")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_tar_that_is_cut_off_is_one_line(tmp_path: Path, compressed: bool) -> None:
    tar = write_tar(tmp_path / "zone.tar", image(), compressed=compressed)
    whole = tar.read_bytes()
    tar.write_bytes(whole[: len(whole) // 2])
    assert refusal(tar).startswith("not a tar or tar.gz that can be read (")


NO_TARS = {
    "nothing": (b"", "it is empty"),
    "zip": (b"PK\3\4" + bytes(600), "it is no tar"),
    "few bytes": (b"tar", "it is cut off"),
    "a program": (library() + bytes(600), "it is no tar"),
    "gzip of nothing": (gzip.compress(b""), "it is empty"),
    "half of gzip": (gzip.compress(bytes(9000))[:20], "Compressed file ended"),
    "gzip and noise": (b"\x1f\x8b" + b"\xff" * 99, "compression method"),
}


@pytest.mark.parametrize("name", NO_TARS)
def test_what_is_no_tar_is_one_line(tmp_path: Path, name: str) -> None:
    data, reason = NO_TARS[name]
    (tmp_path / "zone.tar").write_bytes(data)
    assert reason in refusal(tmp_path / "zone.tar")


def test_a_small_compressed_tar_does_not_fill_the_disk(tmp_path: Path) -> None:
    tar = tmp_path / "zone.tar.gz"
    tar.write_bytes(gzip.compress(bytes(200 << 20), 1))
    assert tar.stat().st_size < 1 << 20
    assert re.search(r"it unpacks to more than \d\d\d? MiB", refusal(tar))


def test_a_huge_file_is_not_read_into_memory(tmp_path: Path) -> None:
    """It is one of zeros, for which the disk needs no room."""
    tar, member = write_tar(tmp_path / "zone.tar", image()), tarfile.TarInfo("app/run.sh")
    member.size, member.mode = 20 << 30, 0o755
    with tarfile.open(tar, "a") as opened:
        end = opened.offset
    with tar.open("r+b") as file:
        file.seek(end)
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        file.truncate(end + 512 + member.size + 1024)
    done = check(tar)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1] == (
        "Error: /app/run.sh has 21474836480 bytes, too many to look into it: at most 268435456"
    )


def test_names_are_shown_as_text(tmp_path: Path) -> None:
    items = image() | {"app/\x1b[2J\u202e\udcff/x.key": Item()}
    tar = write_tar(tmp_path / "zone.tar", items)
    expected = r"/app/\x1b[2J\u202e\udcff/x.key would reach the zone"
    assert expected in faults(check(tar))["secrets"]
    [finding] = [each for each in json.loads(check(tar, "--json").stdout)["findings"] if each["state"] == "fault"]
    assert expected in finding["text"]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "zone.tar") == "can't be read: No such file or directory"


def test_json_has_every_finding_and_the_bytes_of_each_part(tmp_path: Path) -> None:
    items = image() | {"app/var": Item(None, 0o555), "app/helpers/big.py": Item(b"x" * 5000)}
    done = check(write_tar(tmp_path / "zone.tar", items), "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["ok"] is False
    assert {"state": "ok", "check": "start", "text": "/bin/bash /app/run.sh"} in document["findings"]
    assert set(document["sizes"]) == {"base", "python", "application", "sdk", "other"}
    assert document["sizes"]["application"] == 5000 + len(items["app/run.sh"].data or b"")
    assert document["sizes"]["sdk"] == len(items[SDK].data or b"")


def test_json_goes_with_a_tar_to_check_and_what_builds_does_not(tmp_path: Path) -> None:
    done = wwspec(tmp_path, "image", "--json")
    assert (done.returncode, "--json goes with --check" in done.stderr) == (2, True)
    for option in ("--base=x", "--output=y.tar", "--index-url=z", "--engine=docker"):
        done = check(write_tar(tmp_path / "zone.tar", image()), option)
        assert (done.returncode, "--check looks into a tar and builds nothing" in done.stderr) == (2, True)

"""The folder of private keys: modes, versions, and what is there after a crash."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.tools import tool
from wwspec_client import KeyRing
from wwspec_client.key_folder import KeyFolder
from wwspec_contracts.errors import ConfigurationError

SESAME = "open sesame"


def run(*command: str) -> str:
    tool(command[0])
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout


def test_only_the_owner_can_read_a_key_whatever_the_umask_and_git_does_not_see_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = KeyFolder(tmp_path / "app" / "keys").make(1)
    finally:
        os.umask(before)
    assert (file.mode, file.path.parent.stat().st_mode & 0o777, file.is_open) == (0o600, 0o700, False)
    assert run("git", "init", "-q", str(tmp_path)) == ""
    (tmp_path / "app" / "seen").touch()
    seen = run("git", "-C", str(tmp_path), "status", "--porcelain", "--untracked-files=all")
    assert seen == "?? app/seen\n"


def test_a_key_is_made_once_when_many_make_it_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        files = list(pool.map(lambda _: KeyFolder(tmp_path).make(1), range(4)))
    assert len({file.ring().fingerprint() for file in files}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key-1.pem", "key-1.unregistered"]


def test_a_ring_of_a_folder_has_every_version_and_openssl_reads_its_keys(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    folder.make(2, SESAME)
    folder.make(10)
    (tmp_path / "key-3.pem.bak").write_text("no key")
    (tmp_path / "key-03.pem").write_text("no key")
    ring = KeyRing.from_folder(tmp_path, SESAME)
    assert (ring.versions, ring.latest) == ((2, 10), 10)
    closed = str(tmp_path / "key-2.pem")
    assert run("openssl", "pkey", "-in", closed, "-passin", f"pass:{SESAME}", "-pubout").strip() == ring.public_key(2)
    assert (tmp_path / "key-2.pem").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert (tmp_path / "key-10.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_a_mark_without_a_key_is_what_a_crash_leaves_and_the_key_is_made_then(tmp_path: Path) -> None:
    (tmp_path / "key-1.unregistered").touch()
    assert KeyFolder(tmp_path).latest is None
    file = KeyFolder(tmp_path).make(1)
    assert not file.is_registered
    file.set_registered()
    assert KeyFolder(tmp_path).make(1).is_registered, "a key that is there stays as it is"


def test_a_folder_without_a_key_or_that_can_not_be_used_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no key-1\.pem or the like: `wwspec keys new` makes one"):
        KeyRing.from_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="can't be read: Not a directory"):
        KeyRing.from_folder(tmp_path / "file")
    with pytest.raises(ConfigurationError, match="can't be written: .*; check the folder"):
        KeyFolder(tmp_path / "file" / "keys").make(1)

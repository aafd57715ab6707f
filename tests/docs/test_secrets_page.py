"""The commands of program/settings.md: a password that is changed as it says stays changed."""

import signal
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.pages import blocks_of_page
from tests.support.redis_server import LocalRedis
from tests.support.waiting import DEADLINE
from wwspec_devtools.testing.ports import held_ports

PAGE = ROOT / "docs" / "en" / "program" / "settings.md"
BLOCKS = [block.text for block in blocks_of_page(PAGE) if block.language == "text"]
USERS = "user default on >of-admin ~* &* +@all\nuser zone on >of-old ~{zone-program}:* +ping\n"


def run(script: str, folder: Path, *typed: str) -> list[str]:
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        input="".join(f"{each}\n" for each in typed),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


def signs_in(server: LocalRedis, password: str) -> bool:
    from redis import AuthenticationError, Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), 0)
    with closing(Redis(unix_socket_path=str(server.path), username="zone", password=password, retry=once)) as client:
        try:
            return bool(client.ping())
        except AuthenticationError:
            return False


def test_no_command_has_a_password_as_an_argument() -> None:
    assert any("ACL SETUSER" in block for block in BLOCKS)
    assert not [block for block in BLOCKS if "PASSWORD" in block or "'>NEW'" in block]


def test_what_is_typed_becomes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    [block] = [block for block in BLOCKS if "var/store-url" in block]
    assert block.count("\n") == 1, "pasted, a second line would be the secret"
    (tmp_path / "var").mkdir()
    assert run(block, tmp_path, "rediss://zone:a\\b@redis.example:6379/0") == []
    file = tmp_path / "var" / "store-url"
    assert file.read_text() == "rediss://zone:a\\b@redis.example:6379/0\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.nightly  # starts two servers; due when the page changes
def test_a_changed_password_of_redis_outlives_the_restart_of_each_server(tmp_path: Path) -> None:
    names, add, remove = [block for block in BLOCKS if "REDISCLI_AUTH" in block]
    assert "read" in names.splitlines()[-1], "pasted, a further line would be a password"
    with ExitStack() as stack:
        servers = []
        for number, port in enumerate(stack.enter_context(held_ports(2)), start=1):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "users.acl").write_text(USERS)
            server = LocalRedis(folder, ["--aclfile", str(folder / "users.acl")], port=port)
            stack.callback(server.kill)
            server.start()
            servers.append(server)
            names = names.replace(f"redis-{number}.example:6379", f"127.0.0.1:{port}")
        printed = run(f"{names}{add}", tmp_path, "of-admin", "of-old", "of-new")
        assert printed == ["OK"] * 4 + ["PONG"] * 2
        functions = add.partition("\n")[0]
        run(f"{names}{functions}\n{remove}", tmp_path, "of-admin", "of-old", "of-new")
        for server in servers:
            server.kill(signal.SIGTERM)
            server.start()
            assert (signs_in(server, "of-new"), signs_in(server, "of-old")) == (True, False)

"""Clients that know nothing of the emulator use it as if it were WeCom."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import ROOT
from tests.support.processes import finished
from tests.support.tools import node_package, tool
from tests.support.zones import serve_zone
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy
from wwspec_devtools.testing.zone import ServedZone

# A zone and another interpreter each; test_decoders and packages/devtools/tests/emulator/proxy are quick.
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PROGRAM = ("corpid", "secret", "program_id")


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[tuple[ServedZone, dict[str, str]]]:
    """A zone, and the variables with which a client reaches its emulator at the address of WeCom."""
    authority = Authority(tmp_path)
    with serve_zone(ROOT) as zone:
        host, port = zone.client.url.removeprefix("http://").split(":")
        with Proxy(authority, (host, int(port))) as proxy:
            yield zone, {"HTTPS_PROXY": proxy.url, "NO_PROXY": "", "REQUESTS_CA_BUNDLE": str(authority.certificate)}


@contextmanager
def running(command: list[str], **environment: str) -> Iterator["subprocess.Popen[str]"]:
    env = {**os.environ, **environment}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_published_python_client_calls_abilities_and_renews_its_token(
    proxied: tuple[ServedZone, dict[str, str]],
) -> None:
    zone, variables = proxied
    info = zone.client.info()
    command = [sys.executable, str(HERE / "call_with_wechatpy.py"), *(info[name] for name in PROGRAM)]
    with running(command, **variables) as client:
        first = asked(client, "invoke_sync_msg")
        assert len(json.loads(first["answer"]["response_data"])["msg_list"]) == 2
        assert asked(client, "invoke_sync_msg")["token"] == first["token"]
        zone.advance(7201)
        after = asked(client, "chat_digest")
        assert json.loads(after["answer"]["response_data"])["messages"] == 2
        assert after["token"] != first["token"], "the expired token was used again"


def test_a_client_that_sends_absolute_form_requests_calls_abilities(proxied: tuple[ServedZone, dict[str, str]]) -> None:
    """Row 25: axios up to 1.15 asks the proxy for no tunnel."""
    zone, variables = proxied
    info = zone.client.info()
    command = (node(), HERE / "call_with_axios.js", *(info[name] for name in PROGRAM), "invoke_sync_msg")
    done = finished(*command, env={**os.environ, **variables})
    assert done.returncode == 0, done.stderr
    assert len(json.loads(json.loads(done.stdout)["response_data"])["msg_list"]) == 2


def test_wecoms_own_library_verifies_and_decrypts_the_notification(tmp_path: Path) -> None:
    receiver_js = [node(), str(HERE / "receiver.js")]
    token, key = secrets.token_hex(16), secrets.token_hex(21) + "A"
    with running([*receiver_js, token, key]) as receiver:
        assert receiver.stdout is not None
        port = receiver.stdout.readline().strip()
        callback = ["--callback-url", f"http://127.0.0.1:{port}/callback"]
        for name, secret in (("callback-token", token), ("encoding-aes-key", key)):
            (tmp_path / name).write_text(secret)
            callback += [f"--{name}-file", str(tmp_path / name)]
        with serve_zone(ROOT, emulate=callback) as zone:
            zone.fire("hit_keyword")
            received = json.loads(receiver.stdout.readline())
            assert received["id"] == zone.client.info()["corpid"]
            assert "<Event><![CDATA[program_notify]]></Event>" in received["message"]
            assert f"<NotifyId><![CDATA[{zone.notified()}]]></NotifyId>" in received["message"]
            assert "<NotifyScene>2</NotifyScene>" in received["message"]


def node() -> str:
    node_package(HERE, "axios")
    return tool("node")


def asked(process: "subprocess.Popen[str]", line: str) -> Any:
    """Return the line of JSON with which a process answers a line."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, "the process ended"
    return json.loads(answer)

"""Clients that ask the proxy for a whole URL instead of a tunnel: the platform's host is served, and no other."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator.proxy.conftest import Recording
from tests.support.tools import tool
from tests.support.waiting import DEADLINE
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy
from wwspec_devtools.emulator.settings import WECOM_HOST

BASE = f"http://{WECOM_HOST}"


@pytest.fixture
def asked(server: Recording) -> list[dict[str, Any]]:
    """What reached the emulator in this test."""
    server.asked.clear()
    return server.asked


@contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    host, port = proxy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        yield connection


def exchange(proxy: Proxy, content: bytes) -> bytes:
    """Send bytes, and return all that comes until the proxy hangs up."""
    with connected(proxy) as connection:
        connection.sendall(content)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def get(target: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", *headers, "", ""]).encode()


@pytest.mark.parametrize("scheme", ["http", "https", "HTTPS"])
def test_a_request_for_the_platform_is_answered_by_the_emulator(
    proxy: Proxy, asked: list[dict[str, Any]], scheme: str
) -> None:
    """Row 25: the form that axios up to 1.15 sends, for http:// and https:// alike."""
    body = b'{"program_id":"p"}'
    head = (
        f"POST {scheme}://{WECOM_HOST}/cgi-bin/chatdata/sync_call_program?access_token=t HTTP/1.1\r\n"
        f"Host: {WECOM_HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = exchange(proxy, head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    [request] = asked
    assert request["line"] == "POST /cgi-bin/chatdata/sync_call_program?access_token=t HTTP/1.1"
    assert request["body"] == body.decode()
    assert dict(request["headers"])["host"] == WECOM_HOST
    assert answer.endswith(json.dumps(request).encode())


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (f"{BASE}/a/../b?c=http://x/#d", "/a/../b?c=http://x/"),
        (f"{BASE}", "/"),
        (f"{BASE}?a=b", "/?a=b"),
        (f"http://{WECOM_HOST.upper()}:80//a", "//a"),
    ],
)
def test_the_path_reaches_the_emulator_as_it_was_sent(
    proxy: Proxy, asked: list[dict[str, Any]], target: str, path: str
) -> None:
    assert exchange(proxy, get(target, "Host: x")).startswith(b"HTTP/1.1 200")
    assert asked[0]["line"] == f"GET {path} HTTP/1.1"


@pytest.mark.parametrize(
    "target",
    [
        "http://example.com/",
        "https://example.com/cgi-bin/gettoken",
        f"http://{WECOM_HOST}.example.com/",
        f"http://{WECOM_HOST}@example.com/",
        f"http://user@{WECOM_HOST}/",
        f"ftp://{WECOM_HOST}/",
        f"//{WECOM_HOST}/",
        "http://127.0.0.1/emulator/info",
        "http://[/",
        "http:///",
        "/cgi-bin/gettoken",
        "*",
    ],
)
def test_any_other_host_is_refused_with_the_reason(proxy: Proxy, asked: list[dict[str, Any]], target: str) -> None:
    answer = exchange(proxy, get(target, f"Host: {WECOM_HOST}"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert f"this proxy answers for open.weixin.qq.com, open.work.weixin.qq.com, {WECOM_HOST} only".encode() in answer
    assert b"NO_PROXY" in answer
    assert asked == []


def test_the_host_header_is_made_from_the_url(proxy: Proxy, asked: list[dict[str, Any]]) -> None:
    """Row 25: RFC 9112, 3.2.2."""
    assert exchange(proxy, get(f"{BASE}/", "Host: example.com")).startswith(b"HTTP/1.1 200")
    assert [value for name, value in asked[0]["headers"] if name == "host"] == [WECOM_HOST]


def test_headers_for_the_proxy_end_there(proxy: Proxy, asked: list[dict[str, Any]]) -> None:
    for_proxy = [
        "Connection: keep-alive",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eDp5",
        "Keep-Alive: timeout=5",
        "TE: trailers",
    ]
    exchange(proxy, get(f"{BASE}/", "Host: x", *for_proxy, "X-Kept: 1", "Origin: https://example.com"))
    assert {name for name, _ in asked[0]["headers"]} == {"host", "x-kept", "origin", "connection"}
    assert dict(asked[0]["headers"])["connection"] == "close"


def test_a_client_sends_one_request_after_the_other(proxy: Proxy, asked: list[dict[str, Any]]) -> None:
    with httpx.Client(proxy=proxy.url, trust_env=False, timeout=DEADLINE) as http:
        for size in (0, 1, 3_000_000):
            content = os.urandom(size)
            assert http.post(f"{BASE}/x", content=content).json()["body"].encode("latin-1") == content
        chunks = http.post(f"{BASE}/x", content=iter([b"one", b"", b"two"])).json()
        assert chunks["body"] == "onetwo"
        assert http.get(f"{BASE}/chunks").text == "onetwo"
        assert http.head(f"{BASE}/x").status_code == 200
        assert http.options(f"{BASE}/x").status_code == 200
    assert len(asked) == 6


def test_curl_sends_a_large_body_after_being_told_to(proxy: Proxy, tmp_path: Path) -> None:
    """Row 25: curl waits for 100 Continue before a large body."""
    content = tmp_path / "content"
    content.write_bytes(b"x" * 2_000_000)
    done = subprocess.run(
        [tool("curl"), "-sS", "--expect100-timeout", "15", "-x", proxy.url, "--data-binary", f"@{content}", BASE],
        capture_output=True,
        timeout=600,
        check=True,
    )
    assert json.loads(done.stdout)["body"] == "x" * 2_000_000


def test_a_connection_carries_one_request(proxy: Proxy, asked: list[dict[str, Any]]) -> None:
    """Row 25: a connection that began with the platform leads nowhere else."""
    requests = [get(f"{base}/{number}", "Host: x") for number, base in enumerate((BASE, BASE, "http://example.com"))]
    answer = exchange(proxy, b"".join(requests))
    assert re.findall(rb"HTTP/1.1 \d+", re.sub(rb'"line": "[^"]*"', b"", answer)) == [b"HTTP/1.1 200"]
    assert [request["line"] for request in asked] == ["GET /0 HTTP/1.1"]


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Transfer-Encoding: CHUNKED\r\nContent-Length: 0",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\x0bchunked",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: +4",
        "Content-Length: 0x4",
        "Content-Length: 4\r\n Transfer-Encoding: chunked",
        "X: 1\nTransfer-Encoding: chunked",
    ],
)
def test_no_request_hides_in_a_body(proxy: Proxy, asked: list[dict[str, Any]], head: str) -> None:
    hidden = "0\r\n\r\nPOST /hidden HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nxxxxx"
    answer = exchange(proxy, f"POST {BASE}/x HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{hidden}".encode("latin-1"))
    assert all("hidden" not in request["line"] for request in asked)
    assert answer.count(b"HTTP/1.1 200") == len(asked) <= 1


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n"]
)
def test_what_is_no_http_is_a_bad_request(proxy: Proxy, asked: list[dict[str, Any]], content: bytes) -> None:
    """Row 25: such as TLS, from a client that takes the proxy for one with https://."""
    assert exchange(proxy, content).startswith(b"HTTP/1.1 400 ")
    assert asked == []


def test_a_head_without_end_is_refused(proxy: Proxy) -> None:
    """Row 25: memory is bounded."""
    with connected(proxy) as connection:
        with suppress(ConnectionError):
            connection.sendall(f"GET {BASE}/ HTTP/1.1\r\n".encode() + b"x: y\r\n" * 20_000)
        with suppress(ConnectionError):
            assert connection.recv(12) == b"HTTP/1.1 431"


def test_an_offer_to_upgrade_is_not_taken(proxy: Proxy, asked: list[dict[str, Any]]) -> None:
    """Row 25: java.net.http offers HTTP/2 with each request."""
    offer = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA"]
    assert exchange(proxy, get(f"{BASE}/1", "Host: x", *offer)).startswith(b"HTTP/1.1 200")
    headers = dict(asked[0]["headers"])
    assert (headers["connection"], "upgrade" in headers) == ("close", False)


def test_a_reply_that_is_cut_off_does_not_look_whole(proxy: Proxy) -> None:
    with (
        httpx.Client(proxy=proxy.url, trust_env=False, timeout=DEADLINE) as http,
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"),
    ):
        http.get(f"{BASE}/cut")


def test_an_answer_before_the_end_of_the_body_reaches_the_client(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        connection.sendall(f"POST {BASE}/early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx".encode())
        assert connection.recv(12) == b"HTTP/1.1 413"
        connection.sendall(b"x" * 999_999)
        assert b"".join(iter(lambda: connection.recv(65536), b"")).endswith(b"too large")


def test_without_an_emulator_the_proxy_says_so(tmp_path: Path) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        with Proxy(Authority(tmp_path), nobody_listens.getsockname()) as proxy:
            answer = exchange(proxy, get(f"{BASE}/", "Host: x"))
            assert exchange(proxy, f"CONNECT {WECOM_HOST}:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == answer
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"the emulator can't be reached" in answer

"""A client whose base URL is hard-coded reaches the emulator through the proxy, and nothing else does."""

import json
import os
import re
import socket
import ssl
import stat
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.emulator.proxy.conftest import Recording
from tests.support.tools import tool
from tests.support.waiting import DEADLINE
from tests.support.zones import running_child
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy
from wwspec_devtools.emulator.settings import WECOM_HOST


def client(proxy: Proxy, authority: Authority) -> httpx.Client:
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    return httpx.Client(proxy=proxy.url, verify=trust, trust_env=False, timeout=DEADLINE)


def test_a_kept_connection_carries_many_requests_and_large_bodies(proxy: Proxy, authority: Authority) -> None:
    with client(proxy, authority) as http:
        for size in (0, 1, 3_000_000):
            body = os.urandom(size)
            answer = http.post(f"https://{WECOM_HOST}/x", content=body).json()
            assert answer["body"].encode("latin-1") == body


def test_curl_needs_nothing_but_two_settings(proxy: Proxy, authority: Authority) -> None:
    done = subprocess.run(
        [tool("curl"), "-sS", "--cacert", str(authority.certificate), f"https://{WECOM_HOST}/path?a=b"],
        env={"PATH": os.environ["PATH"], "HTTPS_PROXY": proxy.url},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    asked = json.loads(done.stdout)
    assert (asked["line"], dict(asked["headers"])["host"]) == ("GET /path?a=b HTTP/1.1", WECOM_HOST)


def test_the_proxy_ends_at_once_though_a_client_keeps_its_connection(
    authority: Authority, server: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = server.server_address[:2]
    with ExitStack() as kept:
        with Proxy(authority, (str(host), port)) as proxy:
            kept.enter_context(client(proxy, authority)).get(f"https://{WECOM_HOST}/")
            began = time.monotonic()
        assert time.monotonic() - began < 25, "TLS waits 30 seconds for the client to end it"
    assert not caplog.records


def test_a_client_without_trust_and_a_tunnel_to_another_host_are_refused(proxy: Proxy, authority: Authority) -> None:
    with (
        httpx.Client(proxy=proxy.url, verify=ssl.create_default_context(), trust_env=False) as http,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        http.get(f"https://{WECOM_HOST}/")
    with client(proxy, authority) as http, pytest.raises(httpx.ProxyError, match="403"):
        http.get("https://example.com/")


def test_the_authority_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = Authority(folder).certificate.read_bytes()
    assert Authority(folder).certificate.read_bytes() == first
    assert (mode_of(folder / "ca.key"), mode_of(folder)) == (0o600, 0o700)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_key_in_place_of_a_readable_file_is_private(tmp_path: Path) -> None:
    """Row 6: a process that had the old file open can't read the new key, either."""
    key = tmp_path / "ca.key"
    key.touch(mode=0o644)
    key.chmod(0o644)
    with key.open("rb") as opened:
        Authority(tmp_path)
        assert opened.read() == b""
    assert mode_of(key) == 0o600
    assert key.read_bytes().startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_a_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    """Row 6: somebody who can make a link in the folder could otherwise read the key at its end."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch(mode=0o644)
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "ca.key").symlink_to(elsewhere)
    Authority(folder)
    assert elsewhere.read_bytes() == b""
    assert mode_of(folder / "ca.key") == 0o600


def test_a_key_that_others_could_read_is_made_private_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Row 6: an authority of an earlier version is used on, with a private key."""
    certificate = Authority(tmp_path).certificate.read_bytes()
    assert not caplog.records
    (tmp_path / "ca.key").chmod(0o640)
    assert Authority(tmp_path).certificate.read_bytes() == certificate
    assert mode_of(tmp_path / "ca.key") == 0o600
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "ca.key was open to other users (mode 0640)" in said
    assert "remove ca.pem and ca.key" in said


def test_files_and_folders_of_an_authority_are_its_owners_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Authority(tmp_path / "above" / "state")
    finally:
        os.umask(before)
    modes = {path.name: mode_of(path) for path in (tmp_path / "above", *(tmp_path / "above").rglob("*"))}
    assert modes == {"above": 0o700, "state": 0o700, "ca.key": 0o600, "ca.pem": 0o600}


def test_a_certificate_that_others_could_replace_is_taken_from_them(tmp_path: Path) -> None:
    certificate = Authority(tmp_path).certificate
    certificate.chmod(0o666)
    Authority(tmp_path)
    assert mode_of(certificate) == 0o600


def test_a_folder_where_any_user_may_replace_the_authority_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigurationError, match="any user may replace files .* name another folder with --state"):
        Authority(tmp_path)


def test_nothing_but_the_authority_stays_in_its_folder(authority: Authority) -> None:
    """Row 6: keys are written beside their place first, and keys of hosts are read from files once."""
    authority.context("one.example.com")
    assert sorted(path.name for path in authority.certificate.parent.iterdir()) == ["ca.key", "ca.pem"]


def test_a_broken_authority_is_told_with_the_fix(tmp_path: Path) -> None:
    Authority(tmp_path)
    (tmp_path / "ca.key").write_text("not a key")
    with pytest.raises(ConfigurationError, match="remove ca.pem and ca.key"):
        Authority(tmp_path)


def test_the_proxy_binds_to_a_free_port_of_loopback_only(authority: Authority) -> None:
    with pytest.raises(ConfigurationError, match="loopback only"):
        Proxy(authority, ("127.0.0.1", 1), host="0.0.0.0")  # noqa: S104 - must be refused
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="can't be opened"):
        Proxy(authority, ("127.0.0.1", 1), port=taken.getsockname()[1]).__enter__()


def test_the_emulator_is_a_proxy_when_it_is_asked_to_and_not_for_its_own_endpoints(tmp_path: Path) -> None:
    arguments = ["emulate", "--port", "0", "--proxy-port", "0", "--state", str(tmp_path / "state")]
    with running_child(arguments, output=tmp_path / "log") as emulator:
        found = emulator.wait_for(re.compile(r"HTTPS_PROXY=(http://\S+), trusting (\S+)"))
        trust = ssl.create_default_context(cafile=found[2])
        with httpx.Client(proxy=found[1], verify=trust, trust_env=False, timeout=DEADLINE) as http:
            for scheme in ("https", "http"):
                answer = http.get(f"{scheme}://{WECOM_HOST}/cgi-bin/gettoken?corpid=x&corpsecret=y").json()
                assert answer["errcode"] == 40013
                assert http.get(f"{scheme}://{WECOM_HOST}/emulator/info").status_code == 403

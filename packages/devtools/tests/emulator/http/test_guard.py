"""Who may call the emulator: clients on this machine, no web page, and no name that was bound to this machine anew."""

import re
import socket
from itertools import product

import httpx
import pytest
from click.testing import CliRunner

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator, SealedProgram
from tests.support.tables import for_each
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_router.cli.main import main

APP_SIDE = "/cgi-bin/gettoken"
OWN = "/emulator/info"
READS = [f"/emulator/{name}" for name in ("zone-key", "stream", "session", "traffic", "traffic/1")]

REBOUND = "rebound.example.com rebound.example.com:8090 192.0.2.1:8090 127.0.0.1.example.com [::1".split()
STRANGERS = [{"host": host} for host in (*REBOUND, "qyapi.weixin.qq.com.example.com", "")]
STRANGERS += [{"origin": origin} for origin in ("https://example.com", "null", "http://[", "")]


@pytest.fixture(scope="module")
def emulator(module_zone: tuple[Emulator, SealedProgram]) -> Emulator:
    return module_zone[0]


@for_each(product([APP_SIDE, OWN, *READS, "/", "/console/app.js"], STRANGERS))
def test_a_web_page_or_a_rebound_name_is_refused_with_what_to_do(
    path: str, headers: dict[str, str], emulator: Emulator
) -> None:
    response = emulator.http.get(path, headers=headers)
    assert response.status_code == 403
    answer = response.json()
    assert answer["errcode"] == 48002
    assert "--allow-host" in answer["errmsg"]


OF_ANOTHER_SITE = [
    {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    for site in ("cross-site", "same-site")
    for mode, dest in (("no-cors", "image"), ("no-cors", "empty"), ("cors", "empty"), ("navigate", "iframe"))
]
"""What browsers say of images, requests and frames of another page; most have no Origin."""


@for_each(product([APP_SIDE, OWN, "/", "/console/app.js"], OF_ANOTHER_SITE))
def test_what_another_web_page_loads_is_refused(path: str, headers: dict[str, str], emulator: Emulator) -> None:
    response = emulator.http.get(path, headers=headers)
    assert response.status_code == 403
    assert "another web page" in response.json()["errmsg"]


@for_each(["cross-site", "same-site", "same-origin", "none"])
def test_a_link_of_another_web_page_opens_the_console_and_sends_nothing(site: str, emulator: Emulator) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert emulator.http.get("/", headers=headers).status_code == 200
    is_own = site in ("same-origin", "none")
    assert (emulator.http.post(APP_SIDE, headers=headers).status_code != 403) == is_own


@for_each([APP_SIDE, OWN, "/", "/console/app.js", "/nowhere"])
def test_no_answer_may_be_used_by_another_web_page(path: str, emulator: Emulator) -> None:
    for headers in ({}, {"origin": "https://example.com"}):
        answer = emulator.http.get(path, headers=headers)
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_rebound_name_does_not_run_the_program(start_with_program: StartEmulator, program: SealedProgram) -> None:
    """Row 3: with DNS rebinding a web page got a token and ran the developer's handler."""
    emulator = start_with_program()
    url = f"/cgi-bin/chatdata/sync_call_program?access_token={emulator.token()}"
    body = {"program_id": emulator.settings.program_id, "ability_id": "echo", "request_data": "{}"}
    for headers in ({"host": "rebound.example.com"}, {"origin": "http://rebound.example.com:8090"}):
        assert emulator.http.post(url, json=body, headers=headers).status_code == 403
    assert program.calls == []
    assert emulator.http.post(url, json=body).json()["errcode"] == 0


@pytest.mark.parametrize("headers", [[], ["Host: 127.0.0.1", "Host: rebound.example.com"]], ids=["no Host", "two"])
@pytest.mark.parametrize("path", [APP_SIDE, OWN])
def test_a_request_without_a_host_or_with_two_is_refused(emulator: Emulator, path: str, headers: list[str]) -> None:
    port = int(emulator.url.rpartition(":")[2])
    head = "\r\n".join([f"GET {path} HTTP/1.0", *headers, "", ""])
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert re.match(rb"HTTP/1.1 40[03] ", answer)


@for_each(product([APP_SIDE, OWN], ["127.0.0.1:8090", "LocalHost", "[::1]:8090", "127.9.9.9"]))
def test_names_and_addresses_of_this_machine_are_let_in(path: str, host: str, emulator: Emulator) -> None:
    """Row 3: also as the origin, since a page on localhost is the developer's own."""
    assert emulator.http.get(path, headers={"host": host}).status_code == 200
    assert emulator.http.get(path, headers={"origin": f"http://{host}"}).status_code == 200


def test_wecoms_own_name_is_let_in_on_the_app_side_only(emulator: Emulator) -> None:
    """Row 3: clients that come through the proxy call the emulator by it."""
    wecom = {"host": "qyapi.weixin.qq.com"}
    assert emulator.http.get(APP_SIDE, headers=wecom).json()["errcode"] == 40013
    assert emulator.http.get(OWN, headers=wecom).status_code == 403


def test_a_host_that_is_allowed_is_let_in_everywhere(start: StartEmulator) -> None:
    """Row 3: as an app in a container needs, which calls the emulator at host.docker.internal."""
    emulator = start(allowed_hosts=("Host.Docker.internal", "fd00::5"))
    for host in ("host.docker.internal:8090", "HOST.docker.internal", "[fd00::5]:8090"):
        for path in (APP_SIDE, OWN):
            assert emulator.http.get(path, headers={"host": host}).status_code == 200
    assert emulator.http.get(APP_SIDE, headers={"host": "docker.internal"}).status_code == 403


@pytest.mark.parametrize("name", ["", "http://gateway", "gateway:8090", "gate way", "user@gateway", "*", "[::1"])
def test_an_allowed_host_is_a_name_or_an_address(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a host name or an address"):
        EmulatorSettings(allowed_hosts=(name,))
    done = CliRunner().invoke(main, ["emulate", "--port", "0", "--allow-host", name])
    assert done.exit_code == 1
    assert "such as host.docker.internal" in done.stderr


def test_the_emulators_client_tells_why_it_was_refused(emulator: Emulator) -> None:

    class Gateway(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.headers["host"] = "gateway"
            return super().handle_request(request)

    with EmulatorClient(emulator.url, Gateway()) as client, pytest.raises(EmulatorError, match="--allow-host gateway"):
        client.info()

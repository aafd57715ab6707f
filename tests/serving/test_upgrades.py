"""Offers to go on with another protocol are ignored [RFC 9110, 7.8]: what carries one is a request as any other."""

import json
from collections.abc import Iterator

import pytest

from tests.serving.wire import (
    BODY,
    CALL,
    HOST,
    LAST,
    PLAIN,
    Served,
    chunked,
    post,
    reply_of,
    sealed,
    starting,
    statuses,
)
from wwspec_router.registry.table import AbilityTable

OFFERS = {
    "java.net.http": b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAA\r\nUpgrade: h2c\r\n",
    "curl": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n",
    "WebSocket": b"connection: keep-alive, upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
    "several": b"upgrade: h2c\r\nupgrade: websocket, IRC/6.9\r\nconnection: upgrade\r\n",
    "unknown": b"connection: upgrade\r\nupgrade: \xe9\r\n",
}
CHAT = sealed("invoke_get_group_chat", {"chatid": "the body"})
SMUGGLED = post(body=sealed("invoke_get_group_chat", {"chatid": "smuggled"}))


@pytest.fixture(scope="module")
def served(table: AbilityTable) -> Iterator[Served]:
    with starting(table) as start:
        program = start()
        program.sdk.invoke = lambda api, request: reply_of(json.loads(request).get("chatid", "no chat"))
        yield program


def in_chunks(body: bytes, offer: bytes) -> bytes:
    return chunked(body[:7], body[7:]).replace(PLAIN, PLAIN + offer)


def pieces(request: bytes, where: str) -> list[bytes]:
    """Cut a request between head and body, in the body, or everywhere."""
    head = request.index(b"\r\n\r\n") + 4
    if where == "one segment":
        return [request]
    if where == "body later":
        return [request[:head], request[head:]]
    if where == "rest of the body later":
        return [request[: head + 10], request[head + 10 :]]
    return [request[index : index + 1] for index in range(len(request))]


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("where", ["one segment", "body later", "rest of the body later", "byte by byte"])
@pytest.mark.parametrize("form", ["length", "chunks"])
def test_a_call_with_an_offer_is_answered_as_without(served: Served, offer: str, where: str, form: str) -> None:
    request = in_chunks(CHAT, OFFERS[offer]) if form == "chunks" else post(more=OFFERS[offer], body=CHAT)
    received = served.talk(*pieces(request, where), CALL, LAST)
    assert statuses(received) == [200] * 3
    assert received.count(b"ww-sealed: yes") == 2, "the body of a call was lost"
    assert received.index(b"the body") < received.index(b"no chat")


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("where", ["one segment", "body later"])
def test_a_body_after_an_offer_to_upgrade_is_never_a_request(served: Served, offer: str, where: str) -> None:
    """Otherwise the author of a body could smuggle a call in."""
    request = post(head=HOST, more=OFFERS[offer], body=SMUGGLED)
    received = served.talk(*pieces(request, where), LAST)
    assert statuses(received) == [200, 200]
    assert b"smuggled" not in received


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1", b"HEAD / HTTP/1.1", b"PUT / HTTP/1.1"])
def test_other_requests_with_an_offer_to_upgrade_are_answered_as_without(served: Served, request_line: bytes) -> None:
    received = served.talk(request_line + b"\r\nhost: x\r\n" + OFFERS["WebSocket"] + b"\r\n", LAST)
    assert statuses(received) == [405, 200]


def test_other_wishes_beside_an_offer_to_upgrade_are_heard(served: Served) -> None:
    expecting = post(more=OFFERS["curl"] + b"expect: 100-continue\r\n")
    closing = post(more=OFFERS["curl"].replace(b"Upgrade, ", b"Upgrade, close, "))
    assert statuses(served.talk(expecting[: -len(BODY)], BODY, closing)) == [100, 200, 200]


@pytest.mark.parametrize("target", [b"x:443", b"/", b"http://x:80/"])
def test_a_tunnel_is_refused(served: Served, target: bytes) -> None:
    """The parser takes CONNECT for an offer to upgrade, which can't be ignored."""
    received = served.talk(b"CONNECT " + target + b" HTTP/1.1\r\nhost: x\r\n\r\n" + CALL)
    assert statuses(received) == [400]

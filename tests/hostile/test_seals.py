"""Nobody without the zone key is let in, whatever is done to a request on its way."""

import base64
import os
from collections.abc import Callable
from itertools import product

import httpx
import pytest

from tests.hostile.conftest import NOT_DECODED, OK, Pairs, Wire
from tests.support.sealing import seal_reply
from tests.support.tables import for_each
from torture.client import http_request
from wwspec_devtools.emulator.standin.wwspec_standin import seal

EVENT = '{"event_type":"hit_keyword","timestamp":5,"hit_keyword":{"token":"t"}}'
SEALED = ["ww-seal", "ww-kind", "ww-request-id", "ww-timestamp", "ww-signature"]
Change = Callable[[Pairs, str], Pairs]


def replaced(headers: Pairs, name: str, value: str) -> Pairs:
    return [(each, value if each == name else before) for each, before in headers]


CHANGES: dict[str, Change] = {
    "missing": lambda headers, name: [pair for pair in headers if pair[0] != name],
    "empty": lambda headers, name: replaced(headers, name, ""),
    "twice": lambda headers, name: [*headers, *(pair for pair in headers if pair[0] == name)],
    "twice, once empty": lambda headers, name: [*headers, (name, "")],
    "not ASCII": lambda headers, name: replaced(headers, name, "\xe9\xff"),
    "NUL": lambda headers, name: replaced(headers, name, "%00"),
    "of 60 kB": lambda headers, name: replaced(headers, name, "a" * 60_000),
    "another": lambda headers, name: replaced(headers, name, "2"),
    "with a space": lambda headers, name: replaced(headers, name, f"{dict(headers)[name]} x"),
}


@for_each(product(CHANGES, SEALED))
def test_a_sealed_header_that_was_altered_is_refused(change: str, name: str, wire: Wire) -> None:
    sealed = wire.seal()
    wire.refuses(CHANGES[change](list(sealed.headers.items()), name), sealed.body)


@for_each([("ww-x", "1"), ("ww-", ""), ("WW-Extra", "1"), ("ww-corpid", "ww1"), ("ww-seal-2", "a" * 60_000)])
def test_a_header_beyond_the_sealed_ones_is_refused(name: str, value: str, wire: Wire) -> None:
    sealed = wire.seal()
    wire.refuses([*sealed.headers.items(), (name, value)], sealed.body)


def test_a_refusal_tells_nothing_of_the_request_before(wire: Wire) -> None:
    for body in (b"\xff\xfe", b"not sealed", b""):
        assert not wire.call(request_id="request-of-another").is_exception
        response = httpx.post(wire.url, content=body, trust_env=False)
        assert seal.open_reply(wire.key, response.headers.multi_items(), response.text).is_exception
        assert "request-of-another" not in str(response.headers)


def test_headers_that_are_not_the_seal_s_change_nothing(wire: Wire) -> None:
    sealed = wire.seal()
    others = [("x-forwarded-for", "1.2.3.4"), ("cookie", "\xe9" * 100), ("authorization", "a" * 25_000), ("w", "ww-x")]
    others += [("transfer-mode", "chunked"), ("content-encoding", "gzip"), ("expect", "nothing")]
    assert wire.send([*others, *sealed.headers.items(), *others], sealed.body).reply["text"] == "good"


def test_a_request_without_any_seal_is_refused(wire: Wire) -> None:
    for body in ("", "{}", '{"ability_id":"misbehave"}', "\x00" * 1000, base64.b64encode(os.urandom(1000))):
        wire.refuses([], body)


@for_each([b"\xff\xfe", b"\xed\xa0\x80", "读".encode("utf-16"), b"\xc0\x80", b"\xf5\x80\x80\x80"])
def test_a_body_that_is_not_utf_8_is_refused_even_under_genuine_headers(body: bytes, wire: Wire) -> None:
    answer = wire.send(list(wire.seal().headers.items()), body)
    assert answer.is_exception
    assert answer.reply == {"errcode": 710660, "errmsg": "the request's body is not UTF-8"}


@for_each(["\ufeff{}", "{}\ufeff", " {}", "{}\n", "{}\r\n", "{}=", "{}\x00", "{0}{0}"])
def test_a_body_with_anything_around_it_is_refused(around: str, wire: Wire) -> None:
    sealed = wire.seal()
    wire.refuses(sealed.headers.items(), around.format(sealed.body))


def test_a_body_that_was_cut_off_anywhere_is_refused(wire: Wire) -> None:
    sealed = wire.seal()
    for length in range(0, len(sealed.body), 5):
        wire.refuses(sealed.headers.items(), sealed.body[:length])


def test_a_body_with_any_bit_flipped_is_refused(wire: Wire) -> None:
    sealed = wire.seal()
    raw = bytearray(base64.b64decode(sealed.body))
    for position in range(0, len(raw), 3):
        raw[position] ^= 1 << position % 8
        wire.refuses(sealed.headers.items(), base64.b64encode(raw))
        raw[position] ^= 1 << position % 8


def test_a_header_with_any_character_changed_is_refused(wire: Wire) -> None:
    sealed = wire.seal()
    for name, value in sealed.headers.items():
        for position in range(0, len(value), 5):
            changed = value[:position] + chr(ord(value[position]) ^ 1) + value[position + 1 :]
            wire.refuses(replaced(list(sealed.headers.items()), name, changed), sealed.body)


def test_the_headers_of_one_call_do_not_let_another_in(wire: Wire) -> None:
    one, two = wire.seal(), wire.seal()
    wire.refuses(one.headers.items(), two.body)


@pytest.mark.parametrize("key", [bytes(seal.KEY_BYTES), os.urandom(seal.KEY_BYTES)], ids=["zeros", "random"])
def test_a_call_under_another_key_is_refused(wire: Wire, key: bytes) -> None:
    content = seal.CallContent("ww1", 7, 1, '{"name":"good"}', "request-1", 1, "misbehave")
    sealed = seal.seal_call(key, content)
    wire.refuses(sealed.headers.items(), sealed.body)


def test_a_reply_of_the_program_is_no_call(wire: Wire) -> None:
    for exception in (False, True):
        sealed = seal_reply(wire.key, '{"name":"good"}', "request-1", 1, exception=exception)
        wire.refuses(sealed.headers.items(), sealed.body)
        wire.refuses(replaced(list(sealed.headers.items()), "ww-kind", "call"), sealed.body)


def test_what_refuses_a_request_tells_nothing_of_it(wire: Wire) -> None:
    sealed = wire.seal(data='{"name":"a-secret"}')
    answer = wire.send([*sealed.headers.items(), ("ww-secret", "a-secret")], sealed.body)
    assert (answer.is_exception, answer.reply) == (True, NOT_DECODED)
    assert "a-secret" not in answer.text


def test_a_replayed_call_is_answered_again(wire: Wire) -> None:
    """The seal keeps no memory of what it opened, so handlers see a replay as a second call."""
    sealed = wire.seal()
    answers = [wire.send(list(sealed.headers.items()), sealed.body) for _ in range(3)]
    assert {answer.text for answer in answers} == {'{"errcode":0,"errmsg":"ok","text":"good","numbers":[],"ratio":0.5}'}


def test_a_replayed_event_takes_the_place_of_the_first_and_is_told_again(wire: Wire) -> None:
    sealed = wire.seal("", EVENT, call_type=2, request_id="an event that is replayed")
    for _ in range(2):
        assert wire.send(list(sealed.headers.items()), sealed.body).reply == OK
    first, second = (each["notify_id"] for each in wire.zone.client.notifications()[-2:])
    assert first == second
    assert wire.call("get_callback_data", "{}", notify_id=first).text == EVENT


def test_a_request_that_breaks_off_anywhere_leaves_the_program_alive(wire: Wire) -> None:
    whole = http_request(wire.seal())
    for length in range(0, len(whole), 17):
        assert not wire.raw(whole[:length]).startswith(b"HTTP/1.1 200"), "half a request was answered"


@for_each(
    [
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\nname without colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\nww-x: a\rb\x00c\r\n\r\n",
        b"POST " + b"/" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
)
def test_bytes_that_are_no_request_are_refused_without_a_word_of_the_program(data: bytes, wire: Wire) -> None:
    answer = wire.raw(data)
    assert answer[9:10] in (b"4", b""), answer[:200]
    assert b"Traceback" not in answer


def test_a_body_announced_larger_than_16_mib_is_not_read(wire: Wire) -> None:
    answer = wire.raw(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 16777217\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_request_smuggled_behind_another_is_never_run(wire: Wire) -> None:
    sealed = wire.seal()
    good, bad = http_request(sealed), http_request(seal.Sealed({}, sealed.body))
    for sent, kind in ((bad + good + bad, b"exception"), (good + bad + good, b"reply")):
        answer = wire.raw(sent)
        kinds = [line for line in answer.split(b"\r\n") if line.lower().startswith(b"ww-kind")]
        assert [each.rpartition(b" ")[2] for each in kinds] == [kind]
        assert answer.count(b"HTTP/1.1 ") == 1

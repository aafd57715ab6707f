"""Callbacks in a web framework of the app's own: opened by hand, and answered by a receiver."""

import time
from urllib.parse import urlencode

import pytest
from hypothesis import given, strategies as st

from tests.client.notify.stand import AES_KEY, CORPID, CRYPTO, TOKEN, ServerKind, Stand, sealed
from tests.client.scripted import reply
from tests.support.tables import for_each
from wwspec_client import CallbackError, Callbacks
from wwspec_client.models import HttpAnswer
from wwspec_contracts.callbacks import CallbackCrypto, write_xml

EVENT = {"event_type": "hit_keyword", "timestamp": 1, "hit_keyword": {"token": "t"}}
XML = write_xml({"ToUserName": CORPID, "MsgType": "event", "Event": "change_app_admin", "AgentID": 7})
OWN = Callbacks(token=TOKEN, encoding_aes_key=AES_KEY, receive_id=CORPID)


def verified(echo: str = "12345") -> dict[str, str]:
    """Return the query with which WeCom verifies the URL."""
    encrypted = CRYPTO.encrypt(echo)
    return CRYPTO.query(int(time.time()), encrypted) | {"echostr": encrypted}


def test_a_callback_is_opened_from_a_query_as_text_or_decoded_and_a_body_as_bytes_or_text() -> None:
    query, body = sealed(XML)
    for opened in (OWN.open(query, body), OWN.open(urlencode(query), body.decode())):
        assert (opened.fields["Event"], opened.fields["AgentID"]) == ("change_app_admin", "7")
        assert (opened.receive_id, opened.envelope["AgentID"], opened.xml) == (CORPID, "1000002", XML)


@for_each([["other", CORPID], {CORPID}, lambda given: given == CORPID])
def test_an_app_may_have_several_receive_ids(receive_id: object) -> None:
    own = Callbacks(token=TOKEN, encoding_aes_key=AES_KEY, receive_id=receive_id)  # type: ignore[arg-type]
    assert own.open(*sealed(XML)).receive_id == CORPID
    assert own.echo(verified()) == "12345"
    with pytest.raises(CallbackError, match="for another receiver"):
        own.open(*sealed(XML, CRYPTO.for_receiver("stranger")))


@for_each(
    [
        (CallbackCrypto("wrong", AES_KEY, CORPID), 0, "signature does not fit"),
        (CallbackCrypto(TOKEN, "b" * 42 + "A", CORPID), 0, "does not decrypt"),
        (CRYPTO.for_receiver(f"{CORPID}2"), 0, "for another receiver"),
        (CRYPTO, -4000, "seconds old: it is repeated"),
        (CRYPTO, 4000, "seconds ahead"),
    ]
)
def test_what_is_not_sealed_for_the_app_now_is_refused(crypto: CallbackCrypto, off: int, said: str) -> None:
    with pytest.raises(CallbackError, match=said):
        OWN.open(*sealed(XML, crypto, time.time() + off))


TEXTS = st.text(st.characters(exclude_categories=()), max_size=40)


@given(
    st.one_of(TEXTS, st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), TEXTS)),
    st.one_of(st.binary(max_size=80), TEXTS, st.just(b"<xml><Encrypt>AA==</Encrypt></xml>")),
)
def test_whatever_a_stranger_sends_is_a_callback_error(query: str | dict[str, str], body: bytes | str) -> None:
    with pytest.raises(CallbackError):
        OWN.open(query, body)
    with pytest.raises(CallbackError):
        OWN.echo(query)


def request(stand: Stand, method: str, query: str, body: bytes = b"") -> HttpAnswer:
    """Give a request to the receiver as an app's own framework does."""
    answer: HttpAnswer = stand.call(stand.receiver.handle_request, method, query, body)
    return answer


def test_a_receiver_answers_requests_of_any_framework(kind: ServerKind) -> None:
    with Stand(kind, [reply(**EVENT)]) as stand:
        assert request(stand, "GET", urlencode(verified())) == HttpAnswer(200, "12345")
        query, body = sealed(write_xml({"ToUserName": CORPID, "Event": "program_notify", "NotifyId": "n1"}))
        assert request(stand, "POST", urlencode(query), body) == HttpAnswer(200)
        assert [event.event_type for event in stand.handled(1)] == ["hit_keyword"]
        assert request(stand, "POST", "", body).status == 403
        assert request(stand, "PUT", urlencode(query), body) == HttpAnswer(405, headers={"allow": "GET, POST"})
        too_long = b" " * (stand.receiver._core.policy.body_limit + 1)
        assert request(stand, "POST", urlencode(query), too_long).status == 413

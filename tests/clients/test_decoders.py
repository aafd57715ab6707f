"""Callbacks against decoders that others wrote, in both directions."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.client.notify.stand import AES_KEY, CORPID, CRYPTO, TOKEN, Stand
from tests.client.scripted import reply
from tests.clients.test_published_clients import HERE, asked, node, running
from wwspec_contracts.callbacks import CallbackCrypto, CallbackError, CallbackReceiver, write_xml

Ask = Callable[[dict[str, Any]], dict[str, str]]

TEXTS = ["", "x" * 31, "x" * 32, "中文 & <b>]]></b>", "x" * 5000, "\r\n\t"]


@pytest.fixture(params=["wechatpy", "werobot", "node"], scope="module")
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """A decoder in a process of its own."""
    if request.param == "node":
        command = [node(), str(HERE / "decode_callbacks.js")]
    else:
        command = [sys.executable, str(HERE / "decode_callbacks.py"), request.param]
    with running([*command, TOKEN, AES_KEY, CORPID]) as process:
        yield lambda request: asked(process, json.dumps(request))


def sealed(text: str, crypto: CallbackCrypto = CRYPTO) -> dict[str, str]:
    encrypted = crypto.encrypt(text)
    return {"encrypt": encrypted, **crypto.query(int(time.time()), encrypted)}


def test_others_open_what_the_emulator_seals_and_refuse_what_is_changed(ask: Ask) -> None:
    for text in TEXTS:
        assert ask({"open": sealed(text)}) == {"text": text}
    good = sealed("text")
    assert "refused" in ask({"open": {**good, "msg_signature": good["msg_signature"][::-1]}})
    assert "refused" in ask({"open": {**good, "nonce": "0"}})
    assert "refused" in ask({"open": sealed("text", CallbackCrypto(TOKEN, AES_KEY, "another"))})
    assert "refused" in ask({"open": sealed("text", CallbackCrypto("another", AES_KEY, CORPID))})


def test_a_receiver_opens_what_others_seal_and_refuses_what_is_changed(ask: Ask) -> None:
    receiver = CallbackReceiver(CRYPTO)
    for text in TEXTS:
        query = ask({"seal": text})
        assert receiver.answer_echo({**query, "echostr": query["encrypt"]}) == text
        with pytest.raises(CallbackError, match="signature"):
            receiver.answer_echo({**query, "echostr": query["encrypt"], "timestamp": "1"})
        with pytest.raises(CallbackError, match="another receiver"):
            CallbackReceiver(CallbackCrypto(TOKEN, AES_KEY, "another")).answer_echo(
                {**query, "echostr": query["encrypt"]}
            )


def test_a_notification_that_others_seal_is_fetched(ask: Ask) -> None:
    inner = {"ToUserName": CORPID, "MsgType": "event", "Event": "program_notify", "NotifyId": "n1"}
    query = ask({"seal": write_xml(inner)})
    body = write_xml({"Encrypt": query.pop("encrypt")}).encode()
    with Stand("asgi", [reply(event_type="hit_keyword", timestamp=5, hit_keyword={"token": "t"})]) as stand:
        assert stand.http.post("/", params=query, content=body).status_code == 200
        assert stand.handled(1)[0].notify_id == "n1"

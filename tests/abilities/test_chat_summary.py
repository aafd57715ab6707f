"""The ability `chat_summary`: an analysis of WeCom's."""

import base64
from typing import Any

import pytest
from Crypto.Cipher import PKCS1_v1_5
from Crypto.PublicKey import RSA

from tests.support.rsa_keys import new_rsa_key
from wwspec_devtools.testing.zone import Zone


@pytest.fixture(scope="module")
def private() -> "RSA.RsaKey":
    return new_rsa_key()


def message_keys(zone: Zone, private: "RSA.RsaKey") -> list[dict[str, Any]]:
    """Return a few text messages with their keys, which the app has opened."""
    with zone.app_client() as client:
        client.set_public_key(private.public_key().export_key().decode(), 1)
    token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    messages = zone.call("invoke_sync_msg", {"limit": 200, "token": token}).reply["msg_list"]
    texts = [each for each in messages if each["msgtype"] == 1][:3]
    opened = [_opened(private, each["service_encrypt_info"]["encrypted_secret_key"]) for each in texts]
    return [
        {"msgid": each["msgid"], "encrypt_info": {"secret_key": key}} for each, key in zip(texts, opened, strict=True)
    ]


def _opened(private: "RSA.RsaKey", sealed: str) -> str:
    return PKCS1_v1_5.new(private).decrypt(base64.b64decode(sealed), b"").decode()


def test_messages_are_summarised_and_those_that_can_not_be_read_are_named(zone: Zone, private: "RSA.RsaKey") -> None:
    unreadable = {"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}
    keys = [*message_keys(zone, private), unreadable]
    reply = zone.submit("chat_summary", {"msg_list": keys}).result().reply
    assert len(reply["summaries"]) == 1
    assert reply["summaries"][0]
    assert reply["unread"] == ["made-up"]


def test_a_summary_of_nothing_that_can_be_read_is_refused_as_wecom_refuses_it(zone: Zone) -> None:
    unreadable = {"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}
    answer = zone.call("chat_summary", {"msg_list": [unreadable]})
    assert (answer.refused_by, answer.errcode) == ("program", 710637)

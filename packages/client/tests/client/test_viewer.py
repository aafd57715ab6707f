"""Messages for the page where they are read: with opened keys, and with those that no key opens."""

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.rsa_keys import new_rsa_key
from wwspec_client import AsyncZoneClient, KeyRing, ZoneClient
from wwspec_client.viewer import ViewerName
from wwspec_contracts import sync_msg
from wwspec_contracts.messages import Message, Party, ServiceEncryptInfo
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.testing.zone import Zone


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing({1: new_rsa_key().export_key().decode()})


def test_each_message_of_a_page_has_the_key_that_shows_it(zone: Zone, app: ZoneClient, ring: KeyRing) -> None:
    """[100076] `repr` shows no key."""
    app.set_public_key(ring.public_key(), 1)
    page = app.call(sync_msg.Request(limit=50)).msg_list
    shown = app.viewer_messages(page, ring)
    assert shown.unopened == []
    keys = MessageKeys(1)
    assert [(each.msgid, each.secret_key) for each in shown.messages] == [
        (each.msgid, keys.secret_key(each.msgid)) for each in page
    ]
    assert [each.send_time for each in shown.messages] == [each.send_time for each in page]
    assert shown.messages[0].secret_key not in repr(shown)
    [found, *_] = msgspec.json.decode(msgspec.json.encode(shown.messages))
    assert set(found) == {"msgid", "secret_key", "sender", "receivers", "chat", "send_time", "msgtype"}
    assert set(found["sender"]) == {"type", "openid"}


def name(kind: str, openid: str) -> ViewerName:
    return ViewerName(type=kind, openid=openid)


def test_a_name_is_what_the_component_asks_for(app: ZoneClient, ring: KeyRing) -> None:
    """[100076] A customer in a group is named together with the group, a robot not at all."""
    app.set_public_key(ring.public_key(), 1)
    sealed = app.call(sync_msg.Request(limit=1)).msg_list[0].service_encrypt_info
    member, customer, robot = Party(type=1, id="lina"), Party(type=2, id="wm1"), Party(type=3, id="wb1")
    single, group = (Message(msgid=each, msgtype=1, service_encrypt_info=sealed) for each in "12")
    single = replace(single, sender=member, receiver_list=[customer])
    group = replace(group, sender=customer, receiver_list=[member, robot], chatid="wr1")
    first, second = ZoneClient.viewer_messages([single, group], ring).messages
    lina, in_group, chat = name("userName", "lina"), name("externalUserName", "wr1/wm1"), name("chatName", "wr1")
    assert (first.sender, first.receivers, first.chat) == (lina, [name("externalUserName", "wm1")], None)
    assert (second.sender, second.receivers, second.chat) == (in_group, [lina, name("", "wb1")], chat)


def test_a_message_whose_key_can_not_be_opened_is_reported(app: ZoneClient, ring: KeyRing) -> None:
    app.set_public_key(ring.public_key(), 1)
    good = app.call(sync_msg.Request(limit=1)).msg_list[0]
    sealed, lost = (
        ServiceEncryptInfo(public_key_ver=version, **{"encrypted_secret_key": "AAAA"}) for version in (1, 7)
    )
    page = [
        Message(msgid="bare"),
        Message(msgid="foreign", service_encrypt_info=sealed),
        good,
        Message(msgid="lost", service_encrypt_info=lost),
    ]
    shown = AsyncZoneClient.viewer_messages(page, ring)
    assert [each.msgid for each in shown.messages] == [good.msgid]
    assert [(each.msgid, each.reason.partition(":")[0]) for each in shown.unopened] == [
        ("bare", "the message has no service_encrypt_info"),
        ("foreign", "the private key of version 1 does not open this secret key"),
        ("lost", "the key ring has no private key of version 7"),
    ]

"""The kind of a message is typed, and one that WeCom adds later reads as its number."""

import msgspec
import pytest

from wwspec_contracts.messages import Message, MsgType


@pytest.mark.parametrize("kind", MsgType)
def test_the_kind_of_a_message_is_typed(kind: MsgType) -> None:
    message = msgspec.json.decode(b'{"msgtype":%d}' % kind, type=Message)
    assert type(message.kind) is MsgType
    assert (message.kind, type(message.msgtype)) == (kind, int)


@pytest.mark.parametrize("number", [-1, 29, 2**40])
def test_a_kind_that_wecom_adds_later_is_read_as_its_number(number: int) -> None:
    message = msgspec.json.decode(b'{"msgtype":%d}' % number, type=Message)
    assert message.kind == message.msgtype == number

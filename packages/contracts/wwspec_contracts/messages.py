"""Messages as WeCom describes them: who, to whom, when, which kind, and the sealed key [99824, 101365].

The text of a message never reaches the program; it stays with WeCom and is named by its msgid.
"""

from collections.abc import Mapping
from enum import IntEnum

from wwspec_contracts.base import UNSET, Contract, UnsetType


class PartyType(IntEnum):
    """Kind of sender, receiver or group member."""

    EMPLOYEE = 1
    CUSTOMER = 2
    """An external contact."""
    ROBOT = 3


class MsgType(IntEnum):
    """Kind of message."""

    UNSUPPORTED = 0
    TEXT = 1
    IMAGE = 2
    EMOTION = 3
    LINK = 4
    MINI_PROGRAM = 5
    VOICE = 6
    VIDEO = 7
    FILE = 8
    CARD = 9
    FORWARDED = 10
    """Several messages forwarded as one."""
    CHANNELS_VIDEO = 11
    SCHEDULE = 12
    RED_PACKET = 13
    LOCATION = 14
    QUICK_MEETING = 15
    TODO = 16
    VOTE = 17
    ONLINE_DOCUMENT = 18
    NEWS = 19
    """An article with title, picture and link."""
    MIXED = 20
    """Text and pictures in one message."""
    AUDIO_ARCHIVE = 21
    """Recording of a call."""
    CALL = 22
    """Audio or video call."""
    DRIVE_FILE = 23
    AGREE_ARCHIVING = 24
    REFUSE_ARCHIVING = 25
    GROUP_RELAY = 26
    """A list that group members continue (接龙)."""
    MARKDOWN = 27
    NOTE = 28


_MSG_TYPES: Mapping[int, MsgType] = {each.value: each for each in MsgType}


class ChatType(IntEnum):
    """Kind of chat."""

    SINGLE = 1
    """One-to-one."""
    GROUP = 2


class Party(Contract):
    """A sender or a receiver."""

    type: int = 0
    """A `PartyType`."""
    id: str = ""
    """userid of an employee, external_userid of a customer, or id of a robot."""


class ServiceEncryptInfo(Contract):
    """The key of one message, sealed for the app, whose back end opens it for the analysis tasks."""

    encrypted_secret_key: str = ""
    """Base64 of the key under the app's RSA public key."""
    public_key_ver: int = 0
    """Version of the public key that was used."""


class ExtraInfo(Contract):
    """What only some kinds of message carry."""

    call_duration: int = 0
    """Seconds; for `MsgType.CALL` and `MsgType.AUDIO_ARCHIVE`."""


class MessageHead(Contract):
    """What is known of a message besides its id."""

    sender: Party | UnsetType = UNSET
    receiver_list: list[Party] = []
    """Without the sender, except in messages to oneself."""
    chatid: str = ""
    """Group id; empty in one-to-one chats."""
    send_time: int = 0
    """Unix time in seconds."""
    msgtype: int = 0
    """A `MsgType`, as a number; `kind` is typed."""
    service_encrypt_info: ServiceEncryptInfo | UnsetType = UNSET

    @property
    def kind(self) -> MsgType | int:
        """The `MsgType`; of a kind that WeCom has added since, the number."""
        return _MSG_TYPES.get(self.msgtype, self.msgtype)


class Message(MessageHead):
    """One conversation record."""

    msgid: str = ""
    extra_info: ExtraInfo | UnsetType = UNSET

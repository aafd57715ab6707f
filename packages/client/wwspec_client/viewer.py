"""Messages for the page where they are read: what a template of WeCom's component needs of each [100076]."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from wwspec_client.keys import KeyRing, KeyRingError
from wwspec_contracts.messages import Message, Party, PartyType

__all__ = ["UnopenedMessage", "ViewerMessage", "ViewerMessages", "ViewerName"]

_NAMES: Mapping[int, str] = {PartyType.EMPLOYEE: "userName", PartyType.CUSTOMER: "externalUserName"}


class ViewerName(msgspec.Struct, frozen=True, kw_only=True):
    """A name that the component shows: the attributes of `ww-open-data`."""

    type: str
    """`userName`, `externalUserName` or `chatName`; empty for a robot, which the component has no name for."""
    openid: str
    """The ID of a member, a customer or a group; of a customer in a group, `chatid/external_userid`."""


@dataclass(frozen=True, kw_only=True)
class ViewerMessage:
    """A message as the component shows it. `repr` leaves the key out."""

    msgid: str
    """`message-id` of `ww-open-message`."""
    secret_key: str = field(repr=False)
    """Its `secret-key`, decrypted."""
    sender: ViewerName
    """Who wrote it."""
    receivers: list[ViewerName]
    """To whom."""
    chat: ViewerName | None
    """The group; None in a one-to-one chat."""
    send_time: int
    """Unix seconds."""
    msgtype: int
    """A `MsgType`."""


class UnopenedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can't be shown, since its key can't be decrypted."""

    msgid: str
    """The message."""
    reason: str
    """Why, and what to do."""


class ViewerMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages for the page, and those that it can't show: nothing of the page is left out.

    `msgspec.json.encode` writes the JSON of `messages` for the page.
    """

    messages: list[ViewerMessage]
    """In the order of the page."""
    unopened: list[UnopenedMessage]
    """Messages whose key the ring does not open."""


def viewer_messages(page: Iterable[Message], ring: KeyRing) -> ViewerMessages:
    """Return messages as the page shows them; see `ZoneClient.viewer_messages`."""
    messages: list[ViewerMessage] = []
    unopened: list[UnopenedMessage] = []
    for message in page:
        try:
            messages.append(_shown(message, ring.open(message.service_encrypt_info)))
        except KeyRingError as error:
            unopened.append(UnopenedMessage(msgid=message.msgid, reason=str(error)))
    return ViewerMessages(messages=messages, unopened=unopened)


def _shown(message: Message, secret_key: str) -> ViewerMessage:
    chatid, sender = message.chatid, message.sender
    return ViewerMessage(
        msgid=message.msgid,
        secret_key=secret_key,
        sender=_name(Party() if sender is UNSET else sender, chatid),
        receivers=[_name(receiver, chatid) for receiver in message.receiver_list],
        chat=ViewerName(type="chatName", openid=chatid) if chatid else None,
        send_time=message.send_time,
        msgtype=message.msgtype,
    )


def _name(party: Party, chatid: str) -> ViewerName:
    in_group = party.type == PartyType.CUSTOMER and chatid
    return ViewerName(type=_NAMES.get(party.type, ""), openid=f"{chatid}/{party.id}" if in_group else party.id)

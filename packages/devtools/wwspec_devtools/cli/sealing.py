"""Finds the versions of the app's key that seal messages. No API lists them, but each message names one [99824]."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from wwspec_client import ZoneClient

PREFIX = "invoke_"
"""What programs put before an SDK API's name; `client.ZoneClient` has the same default."""
SYNC_MSG = "sync_msg"
prefix_option = click.option(
    "--prefix", default=PREFIX, show_default=True, help="What comes before sync_msg in its ability ID."
)
PAGE = 1000
"""Messages to pull: the largest page, since WeCom limits the calls strictly."""


class SealedKey(msgspec.Struct, frozen=True):
    """The `service_encrypt_info` of a message."""

    encrypted_secret_key: str = ""
    public_key_ver: int = 0


class _Message(msgspec.Struct, frozen=True):
    service_encrypt_info: SealedKey = SealedKey()


class _SyncPage(msgspec.Struct, frozen=True):
    has_more: bool | int = False
    msg_list: list[_Message] = []


@dataclass(frozen=True)
class SealedMessages:
    """What the oldest messages of the last 5 days show."""

    messages: int
    has_more: bool
    """Whether there are newer messages."""
    samples: Mapping[int, SealedKey]
    """The latest secret key of each version, in the order in which the versions were used."""

    @property
    def text(self) -> str:
        """Which versions seal how many messages, as the start of a sentence."""
        several = "messages are" if self.messages > 1 else "message is"
        more = "; there are newer ones" if self.has_more else ""
        versions = ", ".join(map(str, self.samples))
        return f"{self.messages} {several} sealed with version {versions}{more}"


def pull_messages(client: "ZoneClient", prefix: str) -> SealedMessages:
    """Pull messages through the program, as an app does; this changes nothing.

    Args:
        client: Of the app.
        prefix: What comes before `sync_msg` in the program's ability ID.

    Raises:
        ZoneClientError: They can't be pulled.
    """
    page = client.call(f"{prefix}{SYNC_MSG}", {"limit": PAGE}, reply=_SyncPage)
    sealed = [each.service_encrypt_info for each in page.msg_list]
    samples = {each.public_key_ver: each for each in sealed if each.encrypted_secret_key}
    return SealedMessages(len(sealed), bool(page.has_more), samples)

"""What a receiver accepts, stores and gives to a handler."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from wwspec_router.client.calls import decode_reply
from wwspec_router.client.errors import ReplyTypeError
from wwspec_router.client.notify.events import WecomEvent
from wwspec_router.contracts import Contract
from wwspec_router.errors import JsonError

T = TypeVar("T")

Key = tuple[str, str]
"""Corpid and notify_id: what makes a notification the same."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """A `program_notify` callback [99843]."""

    corpid: str
    """The corp that it is about: `ToUserName` of the encrypted XML."""
    notify_id: str
    """What `get_callback_data` is called with."""
    scene: int = 0
    """What the program gave to `spec_notify_app` as `notify_scene`."""
    create_time: int = 0
    """Unix time in seconds."""
    receive_id: str = ""
    """For whom the callback is encrypted: a corpid, or a suite's ID."""
    agentid: str = ""
    """The app, as the envelope says; no signature protects it."""

    @property
    def key(self) -> Key:
        """What makes it the same as another one."""
        return self.corpid, self.notify_id


@dataclass(frozen=True, kw_only=True)
class NotifyEvent:
    """An event that a notification announces, as a handler receives it."""

    notification: Notification
    """The notification of the event."""
    event_type: str
    """WeCom's name of the event, or the kind of the program's own notification."""
    timestamp: int
    """Unix time in seconds, of the event."""
    data: WecomEvent | Contract | dict[str, Any]
    """WeCom's event as its contract, or the payload of a kind in the receiver's `kinds`; otherwise `raw`."""
    raw: dict[str, Any]
    """The whole reply of `get_callback_data`."""
    attempt: int
    """1, and one more after each time the handler has failed."""

    @property
    def notify_id(self) -> str:
        """The idempotency key."""
        return self.notification.notify_id

    @property
    def result(self) -> Any:
        """What the program's code on the event has returned, as plain JSON; None when there is none."""
        return self.raw.get(f"{self.event_type}_result")

    def result_as(self, kind: type[T]) -> T | None:
        """Return what the program's code on the event has returned as its class; None when there is none.

        Args:
            kind: The class that the module of `wwspec contracts --client` has for it, or another type of msgspec.

        Raises:
            ReplyTypeError: It is not of this class.
        """
        if self.result is None:
            return None
        text = msgspec.json.encode(self.result).decode()
        try:
            found: T = decode_reply(text, kind)
        except (JsonError, msgspec.ValidationError) as error:
            wanted = getattr(kind, "__qualname__", "such value")
            raise ReplyTypeError(f"{self.event_type}_result", f"the result is no {wanted}: {error}", text) from None
        return found


class Stage(StrEnum):
    """How far a notification is."""

    NOTED = "noted"
    """Its event waits to be fetched."""
    FETCHED = "fetched"
    """Its event waits to be handled."""
    DONE = "done"
    """Handled; kept for a while, so that a repeated callback is recognised."""
    FAILED = "failed"
    """Given up; kept to be looked at, and to be tried again by `retry`."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A notification with its state in a receiver's store."""

    notification: Notification
    """The notification."""
    stage: Stage = Stage.NOTED
    """How far it is; `Stage.FAILED` when the receiver has given it up."""
    noted: float
    """Unix time in seconds of its arrival."""
    due: float
    """Unix time in seconds of the next attempt; of the latest change when there is none."""
    attempts: int = 0
    """How often this stage was tried without success."""
    event: str = ""
    """The reply of `get_callback_data`, from FETCHED until it is handled."""
    reason: str = ""
    """How the latest attempt failed."""

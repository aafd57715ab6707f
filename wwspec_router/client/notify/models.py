"""What a receiver accepts, stores and gives to a handler."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from wwspec_router.client.notify.events import WecomEvent
from wwspec_router.contracts import Contract

Key = tuple[str, str]
"""Corpid and notify_id: what makes a notification the same. For another callback: whose it is, and a digest of it."""


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
        """What the program's code on the event has returned; None when there is none."""
        return self.raw.get(f"{self.event_type}_result")


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
    RECEIVED = "received"
    """A callback that is no notification waits for `on_other`. An older release that shares the store ignores it."""
    FAILED_CALLBACK = "failed_callback"
    """Such a callback is given up; kept as in `FAILED`."""


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

    @property
    def key(self) -> Key:
        """What makes it the same as another one."""
        return self.notification.key

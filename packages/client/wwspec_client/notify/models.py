"""What a receiver accepts, stores and gives to a handler."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from wwspec_client.calls import decode_reply
from wwspec_client.errors import ReplyTypeError
from wwspec_client.notify.events import WecomEvent
from wwspec_contracts.base import Contract
from wwspec_contracts.callbacks import Callback, CallbackError, read_xml
from wwspec_contracts.errors import JsonError
from wwspec_contracts.support.printable import printable

T = TypeVar("T")

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
    RECEIVED = "received"
    """A callback that is no notification waits for `on_other`."""
    FAILED_CALLBACK = "failed_callback"
    """Such a callback is given up; kept as in `FAILED`."""


_LONGEST_KIND = 40


class _Kept(msgspec.Struct, frozen=True):
    """A callback as `Pending.event` has it."""

    xml: str
    envelope: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A notification, or another callback, with its state in a receiver's store."""

    notification: Notification
    """The notification. For another callback its key: whose it is as `corpid`; kind and digest as `notify_id`."""
    stage: Stage = Stage.NOTED
    """How far it is; `Stage.FAILED` or `FAILED_CALLBACK` when the receiver has given it up."""
    noted: float
    """Unix time in seconds of its arrival."""
    due: float
    """Unix time in seconds of the next attempt; of the latest change when there is none."""
    attempts: int = 0
    """How often this stage was tried without success."""
    event: str = ""
    """The reply of `get_callback_data`, from FETCHED until it is handled; what `callback` is made of."""
    reason: str = ""
    """How the latest attempt failed."""

    @property
    def key(self) -> Key:
        """What makes it the same as another one."""
        return self.notification.key

    @property
    def callback(self) -> Callback | None:
        """The callback that is no notification, until it is handled; None for a notification.

        Raises:
            CallbackError: What is stored is damaged.
        """
        if self.stage not in (Stage.RECEIVED, Stage.FAILED_CALLBACK):
            return None
        try:
            kept = msgspec.json.decode(self.event, type=_Kept)
        except msgspec.MsgspecError:
            raise CallbackError(f"what is stored of {self.name} is damaged") from None
        return Callback(read_xml(kept.xml, nested=True), kept.xml, self.notification.receive_id, kept.envelope)

    @property
    def name(self) -> str:
        """What it is, for people."""
        kind = "callback" if self.stage in (Stage.RECEIVED, Stage.FAILED_CALLBACK) else "notification"
        return f"{kind} {printable(self.notification.notify_id)}"


def pending_of(
    notification: bytes | str, stage: str, noted: float, due: float, attempts: int, event: str, reason: str
) -> Pending:
    """Return a row from what a store has of it: the notification as JSON, and the other fields."""
    return Pending(
        notification=msgspec.json.decode(notification, type=Notification),
        stage=Stage(stage),
        noted=noted,
        due=due,
        attempts=attempts,
        event=event,
        reason=reason,
    )


def callback_row(callback: Callback, now: float) -> Pending:
    """Return the row of a callback that is no notification. Sent again, it is the same XML and has the same key.

    A command without a code or ticket of its own has another key with each delivery: a corp may remove the app twice
    within the second of its TimeStamp.

    Args:
        callback: The callback.
        now: Unix time in seconds.
    """
    is_distinct = "InfoType" not in callback.fields or bool({"AuthCode", "SuiteTicket"} & callback.fields.keys())
    delivery = "" if is_distinct else f"\0{callback.nonce}"
    digest = sha256((callback.xml + delivery).encode(errors="replace")).hexdigest()
    notification = Notification(
        corpid=callback.fields.get("ToUserName") or callback.receive_id,
        notify_id=f"{kind_of(callback)[:_LONGEST_KIND]}:{digest[:32]}",
        receive_id=callback.receive_id,
        agentid=callback.envelope.get("AgentID", ""),
    )
    event = msgspec.json.encode(_Kept(callback.xml, callback.envelope)).decode()
    return Pending(notification=notification, stage=Stage.RECEIVED, noted=now, due=now, event=event)


def kind_of(callback: Callback) -> str:
    """Return what a callback tells of: its `InfoType`, `Event` or `MsgType`."""
    fields = callback.fields
    return fields.get("InfoType") or fields.get("Event") or fields.get("MsgType", "")

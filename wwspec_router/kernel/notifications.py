"""Notifies apps that they can fetch something, through the SDK API `spec_notify_app` [99849].

The order is a promise: the content is stored durably before the app gets its notify_id. Nothing here knows events,
HTTP, or how handlers run.
"""

from collections.abc import Mapping
from time import time

import msgspec

from wwspec_router.contracts import Contract
from wwspec_router.contracts.bounds import bounded
from wwspec_router.contracts.decoding import UNREADABLE
from wwspec_router.envelope import Call
from wwspec_router.errors import ApiError, CallError, StoreError
from wwspec_router.registry.events import NotificationKind
from wwspec_router.sdk.base import Sdk, SdkClient
from wwspec_router.stores.base import NotifyStore

NOTIFY_API = "spec_notify_app"
HIGHEST_SCENE = 255


class _Notification(msgspec.Struct, gc=False):
    """The request of `spec_notify_app` [99849]."""

    notify_id: str
    notify_scene: int


class _Outcome(msgspec.Struct, gc=False):
    """The part of a reply of the platform that is read."""

    errcode: int = 0
    errmsg: str = ""


class AppNotifier:
    """Tells apps which notify_id they can fetch."""

    def __init__(self) -> None:
        self._outcome = msgspec.json.Decoder(bounded(_Outcome))
        self._encode = msgspec.json.Encoder().encode

    def notify_app(self, client: SdkClient, notify_id: str, scene: int) -> None:
        """Notify the app of an SDK client.

        Raises:
            ApiError: The platform refused.
            CallError: It could not be asked, or its reply is not readable.
        """
        reply = client.invoke(NOTIFY_API, self._encode(_Notification(notify_id, scene)).decode())
        try:
            outcome = self._outcome.decode(reply)
        except UNREADABLE:
            raise CallError(f"{NOTIFY_API}: the platform's reply is not readable") from None
        if outcome.errcode != 0:
            raise ApiError(NOTIFY_API, outcome.errcode, outcome.errmsg)


class AppNotifications:
    """Sends what handlers pass to `ctx.notify`.

    Args:
        sdk: Makes notify_ids, and notifies the app.
        store: Keeps the payloads.
        ttl: Seconds for which one is kept.
        kinds: From a payload's type to its kind.
    """

    def __init__(
        self, sdk: Sdk, store: NotifyStore, ttl: float, kinds: Mapping[type[Contract], NotificationKind]
    ) -> None:
        self._sdk = sdk
        self._store = store
        self._ttl = ttl
        self._kinds = kinds
        self._notifier = AppNotifier()
        self._encode = msgspec.json.Encoder().encode

    def send(self, call: Call, payload: Contract, scene: int) -> str:
        """Store a payload, notify the call's app, and return the notify_id; see `Context.notify`."""
        kind = self._kinds.get(type(payload))
        if kind is None:
            name = f"{type(payload).__module__}:{type(payload).__qualname__}"
            raise TypeError(f'no row [notifications.<kind>] of the registry file has contract = "{name}"')
        if scene not in range(HIGHEST_SCENE + 1):
            raise ValueError(f"a scene is a whole number from 0 to {HIGHEST_SCENE}")
        content = {"event_type": kind.name, "timestamp": int(time()), kind.name: msgspec.Raw(kind.encode(payload))}
        notify_id = self._sdk.new_notify_id()
        try:
            self._store.put(call.corpid, call.agentid, notify_id, self._encode(content).decode(), self._ttl)
        except StoreError as error:
            raise CallError("the notification could not be stored", detail=str(error)) from error
        client = self._sdk.client(call.corpid, call.agentid, call.ability_id, call.job_info)
        self._notifier.notify_app(client, notify_id, scene)
        return notify_id

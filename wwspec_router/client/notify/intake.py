"""What a request to the callback URL is answered, without I/O."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from wwspec_router.callbacks import Callback, CallbackCrypto, CallbackError, CallbackReceiver
from wwspec_router.client.notify.models import Notification
from wwspec_router.client.notify.policy import NotifyPolicy
from wwspec_router.client.steps import Steps, ask
from wwspec_router.errors import ConfigurationError, StoreError

__all__ = ["ANSWER_SECONDS", "HttpAnswer", "Intake", "ReceiveId"]

ANSWER_SECONDS = 5.0
"""WeCom waits so long for the answer to a callback, and sends it three times in all [90238]."""

ReceiveId = str | Collection[str] | Callable[[str], bool]
"""For whom callbacks are encrypted: one ID, several, or a function that returns whether an ID is the app's."""

_LONGEST_NUMBER = 18
"""Digits."""

_log = logging.getLogger("wwspec_router.notify")


@dataclass(frozen=True)
class HttpAnswer:
    """What a callback is answered."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Intake:
    """Opens callbacks.

    Args:
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey.
        receive_id: Whose callbacks are taken.
        note: Keeps a notification; returns whether the receiver works.
        on_other: Takes all other callbacks; None when nothing does.
        policy: Bounds.
        clock: Returns Unix time in seconds.

    Raises:
        ConfigurationError: Token, key or receive ID is missing or malformed.
    """

    def __init__(
        self,
        token: str,
        encoding_aes_key: str,
        receive_id: ReceiveId,
        *,
        note: Callable[[Notification], Steps[bool]],
        on_other: Callable[[Callback], Any] | None,
        policy: NotifyPolicy,
        clock: Callable[[], float],
    ) -> None:
        if not token or not receive_id:
            raise ConfigurationError("a receiver needs token=, encoding_aes_key= and receive_id=, as the app has them")
        accepts = receive_id if callable(receive_id) else _names(receive_id).__contains__
        self._callbacks = CallbackReceiver(CallbackCrypto(token, encoding_aes_key, ""), accepts)
        self._note = note
        self._on_other = on_other
        self._policy = policy
        self._clock = clock

    def refusal(self, method: str, length: str) -> HttpAnswer | None:
        """Return what a request is answered whose body need not be read; None when it must.

        Args:
            method: Of HTTP.
            length: Its `Content-Length`; empty when it has none.
        """
        if method not in ("GET", "HEAD", "POST"):
            return HttpAnswer(405, headers={"allow": "GET, POST"})
        if length and not (length.isascii() and length.isdigit()):
            return HttpAnswer(400)
        return HttpAnswer(413) if length and int(length) > self._policy.body_limit else None

    def answer(self, method: str, query_text: str, body: bytes) -> Steps[HttpAnswer]:
        """Answer a request to the callback URL.

        Args:
            method: Of HTTP.
            query_text: The URL's query.
            body: The whole body.
        """
        try:
            query = dict(parse_qsl(query_text, keep_blank_values=True, errors="replace"))
            self._check_time(query)
            if method != "POST":
                return HttpAnswer(200, self._callbacks.answer_echo(query))
            callback = self._callbacks.open(query, body.decode(errors="replace"))
        except (CallbackError, ValueError) as error:
            _log.warning("a callback was refused: %s", error)
            return HttpAnswer(403)
        return (yield from self._take(callback))

    def _take(self, callback: Callback) -> Steps[HttpAnswer]:
        notification = _notification(callback)
        if notification is None:
            return (yield from self._take_other(callback))
        try:
            taken = yield from self._note(notification)
        except StoreError as error:
            _log.error("a notification was not taken, so WeCom sends it again: %s", error)
            return HttpAnswer(500)
        if not taken:
            _log.error("a notification was not taken, so WeCom sends it again: the receiver is not started")
        return HttpAnswer(200 if taken else 503)

    def _take_other(self, callback: Callback) -> Steps[HttpAnswer]:
        kind = callback.fields.get("InfoType") or callback.fields.get("Event") or callback.fields.get("MsgType", "")
        if self._on_other is None:
            _log.info("a callback %r was passed over: the receiver has no on_other", kind)
        else:
            try:
                yield from ask(partial(self._on_other, callback))
            except Exception:
                _log.exception("on_other failed for a callback %r, so WeCom sends it again", kind)
                return HttpAnswer(500)
        return HttpAnswer(200, "success" if "InfoType" in callback.fields else "")

    def _check_time(self, query: Mapping[str, str]) -> None:
        off = self._clock() - _number(query.get("timestamp", ""))
        if abs(off) > self._policy.replay_window:
            raise CallbackError(
                f"the callback's timestamp is {abs(off):.0f} seconds {'old' if off > 0 else 'ahead'}: it is repeated, "
                "or this machine's clock is wrong"
            )


def _notification(callback: Callback) -> Notification | None:
    """Return the notification that a callback brings; None when it is another callback."""
    fields = callback.fields
    if fields.get("Event") != "program_notify" or not fields.get("NotifyId"):
        return None
    return Notification(
        corpid=fields.get("ToUserName", ""),
        notify_id=fields["NotifyId"],
        scene=_number(fields.get("NotifyScene", "")),
        create_time=_number(fields.get("CreateTime", "")),
        receive_id=callback.receive_id,
        agentid=callback.envelope.get("AgentID", ""),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0


def _names(receive_id: str | Collection[str]) -> frozenset[str]:
    return frozenset((receive_id,) if isinstance(receive_id, str) else receive_id)

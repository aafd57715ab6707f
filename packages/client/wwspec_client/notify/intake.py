"""Answers requests to the callback URL, without I/O."""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import InitVar, dataclass
from functools import partial
from urllib.parse import parse_qsl

from wwspec_client.models import HttpAnswer
from wwspec_client.notify.failures import log_failure
from wwspec_client.notify.models import Notification, kind_of
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.watch import call_watched
from wwspec_client.steps import Steps
from wwspec_contracts.callbacks import Callback, CallbackCrypto, CallbackError, CallbackReceiver, read_xml
from wwspec_contracts.errors import ConfigurationError, StoreError
from wwspec_contracts.support.rare_lines import LineLimiter

ANSWER_SECONDS = 5.0
"""Seconds that WeCom waits for the answer to a callback; it sends a callback three times in all [90238]."""

_RECEIVE_ID_SECONDS = ANSWER_SECONDS - 0.5
"""Seconds that `receive_id` may take; the rest is for the answer."""

ReceiveId = str | Collection[str] | Callable[[str], bool | Awaitable[bool]]
"""For whom callbacks are encrypted: one ID, several, or a function that returns whether an ID is the app's."""

_LONGEST_NUMBER = 18
"""Digits."""

_log = logging.getLogger("wwspec_client.notify")


@dataclass(eq=False, repr=False)
class Intake:
    """Opens callbacks.

    Raises:
        ConfigurationError: Token, key or receive ID is missing or malformed.
    """

    token: InitVar[str]
    encoding_aes_key: InitVar[str]
    receive_id: ReceiveId
    note: Callable[[Notification | Callback], Steps[bool]]
    """Keeps a notification or another callback; returns whether the receiver works."""
    has_on_other: bool
    """Whether callbacks that are no notifications are kept."""
    policy: NotifyPolicy
    clock: Callable[[], float]

    def __post_init__(self, token: str, encoding_aes_key: str) -> None:
        if not token or not self.receive_id:
            raise ConfigurationError("a receiver needs token=, encoding_aes_key= and receive_id=, as the app has them")
        self._callbacks = CallbackReceiver(CallbackCrypto(token, encoding_aes_key, ""))
        self._limiter = LineLimiter()  # anybody can cause refusals

    def refusal(self, method: str, length: str) -> HttpAnswer | None:
        """Return the refusal that the headers alone decide, or None.

        Args:
            method: Of HTTP.
            length: Its `Content-Length`; empty when it has none.
        """
        if method not in ("GET", "HEAD", "POST"):
            return HttpAnswer(405, headers={"allow": "GET, POST"})
        if length and not (length.isascii() and length.isdigit()):
            return HttpAnswer(400)
        if len(length) > _LONGEST_NUMBER or (length and int(length) > self.policy.body_limit):
            return self.too_long()
        return None

    def too_long(self) -> HttpAnswer:
        """Log and return the answer to a body above the limit."""
        text = "a callback was refused: its body has more than %d bytes"
        self._limiter.log(_log, logging.WARNING, text, self.policy.body_limit)
        return HttpAnswer(413)

    def answer(self, method: str, query_text: str, body: bytes) -> Steps[HttpAnswer]:
        """Answer a request to the callback URL.

        Args:
            method: Of HTTP.
            query_text: The URL's query.
            body: The whole body.
        """
        try:
            query = _decoded(query_text)
            check_time(query, self.clock(), self.policy.replay_window)
            envelope = read_xml(body.decode(errors="replace")) if method == "POST" else {}
            sealed = envelope.get("Encrypt", "") if method == "POST" else query.get("echostr", "")
            text, receive_id = self._callbacks.unseal(query, sealed)
            if refusal := (yield from self._refusal_of(receive_id)):
                return refusal
            if method != "POST":
                return HttpAnswer(200, text)
            callback = Callback(read_xml(text, nested=True), text, receive_id, envelope, query.get("nonce", ""))
        except (CallbackError, ValueError) as error:
            self._limiter.log(_log, logging.WARNING, "a callback was refused: %s", error)
            return HttpAnswer(403)
        return (yield from self._accept(callback))

    def _refusal_of(self, receive_id: str) -> Steps[HttpAnswer | None]:
        """Return the answer when it is unknown whether an ID is one of the app's; None when it is one."""
        own = self.receive_id
        if callable(own):
            outcome = yield from call_watched(partial(own, receive_id), "receive_id", _RECEIVE_ID_SECONDS)
            if outcome.error is not None:
                log_failure("receive_id failed, so WeCom sends the callback again", outcome.error)
                return HttpAnswer(500)
            accepted = bool(outcome.result)
        else:
            accepted = receive_id in ((own,) if isinstance(own, str) else own)
        if not accepted:
            raise CallbackError("the callback is for another receiver")
        return None

    def _accept(self, callback: Callback) -> Steps[HttpAnswer]:
        text = "success" if "InfoType" in callback.fields else ""
        found = _notification(callback)
        if found is None and not self.has_on_other:
            _log.info("a callback %r was passed over: the receiver has no on_other", kind_of(callback))
            return HttpAnswer(200, text)
        what = "a notification" if found is not None else f"a callback {kind_of(callback)!r}"
        try:
            taken = yield from self.note(found or callback)
        except StoreError as error:
            _log.error("%s was not taken, so WeCom sends it again: %s", what, error)
            return HttpAnswer(500)
        if not taken:
            _log.error("%s was not taken, so WeCom sends it again: the receiver is not started", what)
            return HttpAnswer(503)
        return HttpAnswer(200, text)


def check_time(query: Mapping[str, str], now: float, window: float) -> None:
    """Refuse a callback whose timestamp is off.

    Raises:
        CallbackError: By more seconds than the window.
    """
    off = now - _number(query.get("timestamp", ""))
    if abs(off) > window:
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


class Callbacks:
    """Opens what comes to the app's callback URL: checks signature, time and receiver, and decrypts. Without I/O.

    For events of a program use a `NotifyReceiver`, which also keeps and repeats them: its `handle_request` works in any
    framework, too. Threads may share one.

    Args:
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey, 43 characters.
        receive_id: For whom callbacks are encrypted: the corpid, or the suite's ID. One text, several, or a function
            that returns whether an ID is the app's.
        replay_window: Seconds that a callback's timestamp may be off.
        clock: Returns Unix time in seconds.

    Raises:
        ConfigurationError: An argument is missing, or the EncodingAESKey is malformed.

    Examples:
        A function of a web framework, with the query and the body of its request:

        >>> from wwspec_client import CallbackError, Callbacks
        >>> callbacks = Callbacks(
        ...     token="callback-token",
        ...     encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        ...     receive_id="ww0123456789abcdef",
        ... )
        >>> def post(query: str, body: bytes) -> tuple[int, str]:
        ...     try:
        ...         callback = callbacks.open(query, body)
        ...     except CallbackError:
        ...         return 403, ""
        ...     return 200, callback.fields.get("Event", "")
        >>> post("msg_signature=made-up&timestamp=1&nonce=1", b"<xml><Encrypt>AA==</Encrypt></xml>")
        (403, '')
    """

    def __init__(
        self,
        *,
        token: str,
        encoding_aes_key: str,
        receive_id: str | Collection[str] | Callable[[str], bool],
        replay_window: float = NotifyPolicy().replay_window,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not token or not receive_id:
            raise ConfigurationError("Callbacks needs token=, encoding_aes_key= and receive_id=, as the app has them")
        self._callbacks = CallbackReceiver(CallbackCrypto(token, encoding_aes_key, ""))
        self._receive_id = receive_id
        self._replay_window = replay_window
        self._clock = clock

    def echo(self, query: str | Mapping[str, str]) -> str:
        """Return the text to answer to the GET with which WeCom verifies the URL.

        Args:
            query: The URL's query, as text or decoded.

        Raises:
            CallbackError: It is not genuine.
        """
        parameters = _decoded(query)
        return self._unseal(parameters, parameters.get("echostr", ""))[0]

    def open(self, query: str | Mapping[str, str], body: bytes | str) -> Callback:
        """Return the callback of a POST. WeCom repeats one that is not answered with 200 within 5 seconds.

        Args:
            query: The URL's query, as text or decoded.
            body: The whole body.

        Raises:
            CallbackError: It is not genuine.
        """
        envelope = read_xml(body if isinstance(body, str) else body.decode(errors="replace"))
        text, receive_id = self._unseal(_decoded(query), envelope.get("Encrypt", ""))
        return Callback(read_xml(text, nested=True), text, receive_id, envelope)

    def _unseal(self, query: Mapping[str, str], sealed: str) -> tuple[str, str]:
        check_time(query, self._clock(), self._replay_window)
        text, receive_id = self._callbacks.unseal(query, sealed)
        own = self._receive_id
        if not (own(receive_id) if callable(own) else receive_id in ((own,) if isinstance(own, str) else own)):
            raise CallbackError("the callback is for another receiver")
        return text, receive_id


def _decoded(query: str | Mapping[str, str]) -> Mapping[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True, errors="replace")) if isinstance(query, str) else query

"""A zone in memory that answers what a test says, for an app's own tests."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from wwspec_client.asynchronous import AsyncZoneClient
from wwspec_client.blocking import ZoneClient
from wwspec_client.errors import NotSentError, PlatformError, ProgramError, TransportError
from wwspec_client.retries import RetryPolicy
from wwspec_contracts.base import Contract
from wwspec_contracts.callbacks import CallbackCrypto, write_xml

__all__ = ["FakeCall", "FakeZone"]

Reply = Mapping[str, Any] | Contract | Exception


@dataclass(frozen=True)
class FakeCall:
    """A call that an app has made."""

    ability: str
    """The ability ID."""
    request: Any
    """The request, decoded."""
    is_async: bool
    """Whether the call was made by `submit`."""


@dataclass
class _Answer:
    reply: Reply | Callable[[Any], Reply]
    times: int | None


@dataclass
class FakeZone:
    """Answers an app's calls in memory, with what a test says, and makes notifications for its callback URL.

    It keeps no state of WeCom's, checks no contract and has no pages. A test that needs those takes `Zone` of
    `wwspec_devtools`. A call of an ability that has no answer raises `LookupError`; other APIs of the app answer `ok`.

    Examples:
        >>> from wwspec_client.testing import FakeZone
        >>> zone = FakeZone()
        >>> zone.answer("chat_digest", {"messages": 3})
        >>> zone.client().call("chat_digest", {"limit": 5})
        {'messages': 3}
        >>> zone.calls
        [FakeCall(ability='chat_digest', request={'limit': 5}, is_async=False)]
    """

    corpid: str = "ww0123456789abcdef"
    """The corp; callbacks are encrypted for it."""
    token: str = "callback-token"  # noqa: S105 - of no real app
    """The Token of the callback URL."""
    encoding_aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    """The EncodingAESKey of the callback URL."""
    calls: list[FakeCall] = field(default_factory=list, init=False)
    """The calls of abilities, in their order, but fetches of events that `callback` has made."""

    def __post_init__(self) -> None:
        self._answers: dict[str, list[_Answer]] = {}
        self._events: dict[str, bytes] = {}
        self._jobs: dict[str, dict[str, Any]] = {}

    def client(self, **options: Any) -> ZoneClient:
        """Return a client of this zone.

        Args:
            options: Those of `ZoneClient`.

        Raises:
            ConfigurationError: An option makes no sense.
        """
        return ZoneClient(**self._options(options))

    def async_client(self, **options: Any) -> AsyncZoneClient:
        """Return a client of this zone for an event loop.

        Args:
            options: Those of `AsyncZoneClient`.

        Raises:
            ConfigurationError: An option makes no sense.
        """
        return AsyncZoneClient(**self._options(options))

    def answer(self, ability: str, reply: Reply | Callable[[Any], Reply], times: int | None = None) -> None:
        """Set what an ability answers. Answers with `times` are used up in their order.

        Args:
            ability: The ability ID. Another API of the app is named by its path, such as `chatdata/get_log_level`.
            reply: The reply; an error of the client, such as a `PlatformError`, that the call ends with; or a function
                of the decoded request that returns either.
            times: How often. None: for all calls from now on, in place of all earlier answers.
        """
        answers = self._answers.setdefault(ability, [])
        if times is None:
            answers.clear()
        answers.append(_Answer(reply, times))

    def callback(self, event: Mapping[str, Any] | Contract, notify_id: str = "") -> tuple[str, bytes]:
        """Return the query and the body of the POST that notifies the app of an event, for its own test client.

        The ability `get_callback_data` then returns the event, as often as it is asked.

        Args:
            event: What the app fetches, with its `event_type`.
            notify_id: That of the notification; a new one by default.

        Raises:
            ConfigurationError: The EncodingAESKey is malformed.
        """
        notify_id, now = notify_id or secrets.token_hex(8), int(time.time())
        own = msgspec.to_builtins(event)
        self._events[notify_id] = msgspec.json.encode({"timestamp": now, **own})
        fields: dict[str, Any] = {
            "ToUserName": self.corpid,
            "FromUserName": "sys",
            "CreateTime": now,
            "MsgType": "event",
        }
        crypto = CallbackCrypto(self.token, self.encoding_aes_key, self.corpid)
        sealed = crypto.encrypt(write_xml({**fields, "Event": "program_notify", "NotifyId": notify_id}))
        body = write_xml({"ToUserName": self.corpid, "AgentID": "", "Encrypt": sealed})
        return urlencode(crypto.query(now, sealed)), body.encode()

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        own = {"tokens": lambda: "token", "program_id": "program", "retries": RetryPolicy(first_pause=0.0)}
        return {**own, "transport": httpx.MockTransport(self._respond), **options}

    def _respond(self, request: httpx.Request) -> httpx.Response:
        api = request.url.path.removeprefix("/cgi-bin/")
        try:
            fields = self._fields(api, msgspec.json.decode(request.content or b"{}"))
        except NotSentError as error:
            raise httpx.ConnectError(str(error)) from error
        except TransportError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except PlatformError as error:
            fields = {"errcode": error.errcode, "errmsg": error.errmsg}
        return httpx.Response(200, json={"errcode": 0, "errmsg": "ok", **fields})

    def _fields(self, api: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return what an answer has; raise the error of a test."""
        if api == "chatdata/async_program_result":
            return self._jobs[body["jobid"]]
        if api not in ("chatdata/sync_call_program", "chatdata/async_program_task"):
            return msgspec.to_builtins(self._reply(api, body)) if self._answers.get(api) else {}
        ability, is_async = body["ability_id"], api == "chatdata/async_program_task"
        if body.get("notify_id") in self._events:
            return {"response_data": self._events[body["notify_id"]].decode()}
        asked = msgspec.json.decode(body["request_data"])
        self.calls.append(FakeCall(ability, asked, is_async))
        try:
            reply = self._reply(ability, asked)
        except ProgramError as error:
            reply = {"errcode": error.errcode, "errmsg": error.errmsg}
        fields = {"response_data": msgspec.json.encode(reply).decode()}
        if not is_async:
            return fields
        jobid = secrets.token_hex(8)
        self._jobs[jobid] = fields
        return {"jobid": jobid}

    def _reply(self, name: str, asked: Any) -> Mapping[str, Any] | Contract:
        answers = self._answers.get(name)
        if not answers:
            given = ", ".join(str(each) for each, left in self._answers.items() if left) or "none"
            raise LookupError(f"no answer of {name!r} is left: zone.answer({name!r}, ...) gives one; left: {given}")
        answer = answers[0]
        if answer.times is not None:
            answer.times -= 1
            if not answer.times:
                answers.pop(0)
        reply = answer.reply(asked) if callable(answer.reply) else answer.reply
        if isinstance(reply, Exception):
            raise reply
        return reply

"""Brings callbacks to a callback URL of the app, on a thread of its own: `program_notify`, or commands of the suite.

Like WeCom it verifies the URL first, waits 5 seconds for an answer, 1 second for that of a command, and tries three
times. It verifies the URL at the start and on request, and after a failure again before each delivery. Requests have
the time of this machine's clock, not of the emulator's: an app refuses a callback that seems to be a repeated one. It
keeps no callback, and reports the outcome of each one to a function.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

import httpx
import msgspec

from wwspec_contracts.callbacks import CallbackCrypto, write_xml
from wwspec_contracts.support.certificates import trusted
from wwspec_contracts.support.printable import counted, printable
from wwspec_devtools.emulator.display.masking import masked_text
from wwspec_devtools.emulator.settings import CALLBACK_NAMES, COMMAND_NAMES, CallbackSpec, EmulatorSettings
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.tickets import CallbackAttempt, Delivery
from wwspec_devtools.emulator.state.traffic.entries import Attempt, Head, Reply, body_of

TRIES = 3
QUEUE_SIZE = 1000
SHOWN = 200
"""Characters of an answer that are shown."""
_OK = 200
_FAULT = 500
"""The HTTP status from which on the fault is the app's own."""
_VERIFY = "verify"
"""A request to verify the URL, in the queue of callbacks."""

_log = logging.getLogger("uvicorn.error")

_ERRORS = (httpx.HTTPError, httpx.InvalidURL)


class Kind(msgspec.Struct, frozen=True):
    """One of the two callback URLs that an app has."""

    name: str
    names: tuple[str, str, str]
    """Of the settings of its URL, Token and EncodingAESKey."""
    seconds: float
    """How long WeCom waits for an answer."""
    reply: str | None
    """The text that the answer must be; None for any."""
    again: str
    """The command after which the URL is verified again."""


DATA = Kind("callback URL", CALLBACK_NAMES, 5.0, None, "wwspec zone verify-callback")
"""The app's data callback URL [90968]."""
COMMANDS = Kind("command URL", COMMAND_NAMES, 1.0, "success", "wwspec zone push-ticket")
"""The command callback URL of a suite [97172, 90642]."""

Texts = tuple[str, str]
"""A text in English and Chinese."""
OnChange = Callable[[Delivery, str, int, Attempt | None], None]
"""Gets a callback, its new state, the number of tries, and the last try."""


class Courier:
    """Delivers in order, one after the other.

    Args:
        url: The callback URL.
        crypto: Seals what is sent; what verifies the URL is for its receiver.
        clock: The source of the text that the URL must decrypt.
        owner: For whom the URL is verified, in a sentence of each language.
        kind: Which of the app's URLs it is.
    """

    def __init__(self, url: str, crypto: CallbackCrypto, clock: Clock, owner: Texts, kind: Kind = DATA) -> None:
        self.url = url
        """The callback URL."""
        self._crypto = crypto
        self._clock = clock
        self._kind = kind
        self._owner = owner
        self._waiting: queue.Queue[Delivery | str | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self.verified = False
        """Whether the last verification succeeded."""
        self._client = httpx.Client(verify=trusted(), trust_env=False, timeout=kind.seconds)
        self._thread = threading.Thread(target=self._run, name="emulator-courier")
        self._report: OnChange = _ignore

    def start(self, report: OnChange) -> None:
        """Verify the URL and begin to deliver.

        Args:
            report: Called with what became of each callback.
        """
        self._report = report
        self._thread.start()
        self.verify_soon()

    def verify(self) -> str:
        """Verify that the URL has the key; return why that failed and what to do, or an empty text."""
        return _reason(self._verify_url())

    def verify_soon(self) -> None:
        """Verify the URL again before the next delivery, and warn when that fails."""
        self.verified = False
        with contextlib.suppress(queue.Full):  # the next delivery then verifies it
            self._waiting.put_nowait(_VERIFY)

    def deliver(self, delivery: Delivery) -> None:
        """Queue a callback. It is dropped when too many wait."""
        try:
            self._waiting.put_nowait(delivery)
        except queue.Full:
            _log.error("a callback is dropped: %d are waiting already", QUEUE_SIZE)
            self._report(delivery, "dropped", 0, None)

    def stop(self) -> None:
        """End after the present try, and drop those that wait."""
        self._stopping.set()
        while self._thread.is_alive():
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                self._drop_waiting()
            self._thread.join(0.1)
        self._drop_waiting()
        self._client.close()

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None and not self._stopping.is_set():
            if isinstance(waiting, Delivery):
                self._carry(waiting)
            elif reason := self.verify():
                _log.warning("the %s is not verified: %s", self._kind.name, reason)
        if isinstance(waiting, Delivery):
            self._report(waiting, "dropped", 0, None)

    def _carry(self, delivery: Delivery) -> None:
        number, last = 1, self._try(delivery)
        while last.shown.advice is not None and number < TRIES and not self._stopping.is_set():
            number, last = number + 1, self._try(delivery)
        if last.shown.advice is None:
            self._report(delivery, "delivered", number, last)
            return
        why = ", since it is not verified" if last.shown.method == "GET" else ""
        tries, reason = counted(number, "try", "tries"), _reason(last)
        _log.warning("a callback to the %s failed after %s%s: %s", self._kind.name, tries, why, reason)
        self._report(delivery, "failed", number, last)

    def _try(self, delivery: Delivery) -> Attempt:
        if not self.verified and (asked := self._verify_url()).shown.advice is not None:
            return asked
        return self._post(delivery)

    def _verify_url(self) -> Attempt:
        echo = f"{self._clock.seconds()}"
        encrypted = self._crypto.encrypt(echo)
        query = {**self._crypto.query(int(time.time()), encrypted), "echostr": encrypted}
        attempt = self._send("GET", query, "", echo, self._owner)
        self.verified = attempt.shown.advice is None
        return attempt

    def _post(self, delivery: Delivery) -> Attempt:
        receiver = delivery.receive_id
        encrypted = self._crypto.for_receiver(receiver).encrypt(write_xml(delivery.fields))
        xml = write_xml({"ToUserName": receiver, "AgentID": delivery.agent, "Encrypt": encrypted})
        query = self._crypto.query(int(time.time()), encrypted)
        named = f"the receive id {receiver}", f"接收方 id {receiver}"
        return self._send("POST", query, xml, self._kind.reply, named)

    def _send(self, method: str, query: dict[str, str], sealed: str, wanted: str | None, receiver: Texts) -> Attempt:
        """Send one request.

        Args:
            method: Of HTTP.
            query: The parameters that go with what is encrypted.
            sealed: The body; empty for none.
            wanted: The text that the answer must be; None for any.
            receiver: For whom it is encrypted, in a sentence of each language.
        """
        head, reply, body = Head(method, self.url, []), None, ""
        headers = {"content-type": "text/xml; charset=utf-8"} if sealed else None
        answer: httpx.Response | Exception
        begun = time.monotonic()
        try:
            request = self._client.build_request(
                method, self.url, params=query, content=sealed or None, headers=headers
            )
            head = Head(method, str(request.url), request.headers.multi_items())
            answer = self._client.send(request)
            reply = Reply(answer.status_code, answer.headers.multi_items(), body_of(answer.content))
            body = masked_text(answer.text)[:SHOWN]
        except _ERRORS as failure:
            answer = failure
        seconds = round(time.monotonic() - begun, 6)
        error, advice = self._judged(method, answer, wanted, receiver)
        url, status = self.url.partition("?")[0], None if reply is None else reply.status
        return Attempt(head, sealed, reply, CallbackAttempt(method, url, status, body, error, advice, seconds))

    def _judged(
        self, method: str, answer: httpx.Response | Exception, wanted: str | None, receiver: Texts
    ) -> tuple[Texts, Texts | None]:
        """Return what is wrong with an answer besides its status, and what to do about it."""
        setting, token, aes_key = self._kind.names
        error, advice, seconds = ("", ""), ("start the app", "请启动应用"), f"{self._kind.seconds:g}"
        if isinstance(answer, httpx.ReadTimeout):
            error, advice = (
                (f"no answer within {seconds} s", f"{seconds} 秒内没有应答"),
                ("let the app answer sooner", "请让应用更快应答"),
            )
        elif isinstance(answer, httpx.TransportError):
            name = type(answer).__name__
            error = f"nothing answers ({name})", f"无法连接（{name}）"
        elif isinstance(answer, Exception):
            name = type(answer).__name__
            error = f"the URL can't be called ({name})", f"无法调用该 URL（{name}）"
            advice = f"check {setting}", f"请检查 {setting}"
        elif answer.status_code >= _FAULT:
            advice = "see the log of the app", "请查看应用的日志"
        elif answer.status_code != _OK:
            advice = (
                f"check that it takes {method} requests, and that {token}, {aes_key} and {receiver[0]} are the app's",
                f"请确认它接受 {method} 请求，并且 {token}、{aes_key} 和{receiver[1]} 与应用的配置一致",
            )
        elif wanted in (None, answer.text):
            return error, None
        else:
            what = ("the decrypted echostr", "解密后的 echostr") if method == "GET" else (f"the text {wanted}", wanted)
            error = f"not {what[0]}", f"应答不是 {what[1]}"
            advice = f"answer {what[0]} bare, without quotes or a line end", f"请直接返回 {what[1]}，不加引号和换行"
        again = self._kind.again
        return error, (f"{advice[0]}, then run `{again}`", f"{advice[1]}，然后执行 `{again}`")

    def _drop_waiting(self) -> None:
        while True:
            try:
                delivery = self._waiting.get_nowait()
            except queue.Empty:
                return
            if isinstance(delivery, Delivery):
                self._report(delivery, "dropped", 0, None)


def _reason(attempt: Attempt) -> str:
    """Return why an attempt failed and what to do, in one line; empty when it succeeded."""
    shown = attempt.shown
    if shown.advice is None:
        return ""
    answer = "failed" if shown.status is None else f"answered HTTP status {shown.status}"
    body = f' "{printable(shown.body)}"' if shown.body else ""
    error = f", {shown.error[0]}" if shown.error[0] else ""
    return f"{shown.method} {shown.url} {answer}{body}{error}: {shown.advice[0]}"


def _ignore(delivery: Delivery, state: str, attempts: int, last: Attempt | None) -> None:
    """Do nothing; used until the courier starts."""


def courier_of(settings: EmulatorSettings, spec: CallbackSpec, clock: Clock, kind: Kind) -> Courier:
    """Return the way to a callback URL. What verifies that of a provider's app is for the provider's corp."""
    is_corps_own = kind is DATA and settings.app_type in ("", "self")
    corpid = settings.corpid if is_corps_own else settings.provider_corpid
    english, chinese = ("the corpid", " corpid") if is_corps_own else ("the provider's corpid", "服务商的 corpid")
    crypto = CallbackCrypto(spec.token, spec.encoding_aes_key, corpid)
    return Courier(spec.url, crypto, clock, (f"{english} {corpid}", f"{chinese} {corpid}"), kind)

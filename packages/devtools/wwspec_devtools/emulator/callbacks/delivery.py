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
from wwspec_devtools.emulator.settings import CALLBACK_NAMES, COMMAND_NAMES
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.tickets import Delivery
from wwspec_devtools.emulator.state.traffic.entries import Attempt, Head, Reply, body_of

TRIES = 3
QUEUE_SIZE = 1000
_OK = 200
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


DATA = Kind("callback URL", CALLBACK_NAMES, 5.0, None)
"""The app's data callback URL [90968]."""
COMMANDS = Kind("command URL", COMMAND_NAMES, 1.0, "success")
"""The command callback URL of a suite [97172, 90642]."""

OnChange = Callable[[Delivery, str, int, Attempt | None], None]
"""Gets a callback, its new state, the number of tries, and the last try."""


class Courier:
    """Delivers in order, one after the other.

    Args:
        url: The callback URL.
        crypto: Seals what is sent; what verifies the URL is for its receiver.
        clock: The source of the text that the URL must decrypt.
        kind: Which of the app's URLs it is.
    """

    def __init__(self, url: str, crypto: CallbackCrypto, clock: Clock, kind: Kind = DATA) -> None:
        self.url = url
        """The callback URL."""
        self._crypto = crypto
        self._clock = clock
        self._kind = kind
        self._waiting: queue.Queue[Delivery | str | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self.verified = False
        """Whether the last verification succeeded."""
        self._client = httpx.Client(verify=trusted(), trust_env=False, timeout=kind.seconds)
        self._thread = threading.Thread(target=self._run, name="emulator-courier")
        self._report: OnChange = _ignore
        self._last: Attempt | None = None
        """The last try of the present callback."""

    def start(self, report: OnChange) -> None:
        """Verify the URL and begin to deliver.

        Args:
            report: Called with what became of each callback.
        """
        self._report = report
        self._thread.start()
        self.verify_soon()

    def verify(self) -> str:
        """Verify that the URL has the key; return why that failed, or an empty text."""
        try:
            reason = self._verify_url()
        except _ERRORS as error:
            reason = self._described(error)
        self.verified = not reason
        return reason

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
                again = ", then run `wwspec zone verify-callback`" if self._kind is DATA else ""
                _log.warning("the %s is not verified: %s%s", self._kind.name, reason, again)
        if isinstance(waiting, Delivery):
            self._report(waiting, "dropped", 0, None)

    def _carry(self, delivery: Delivery) -> None:
        self._last = None
        for attempt in range(1, TRIES + 1):
            if self._try(delivery):
                self._report(delivery, "delivered", attempt, self._last)
                return
            if self._stopping.is_set():
                break
        wanted = "HTTP status 200" if self._kind.reply is None else f"answer with the text {self._kind.reply}"
        within = f" within {self._kind.seconds:g} s"
        _log.warning("a callback to the %s failed after %d tries: no %s%s", self._kind.name, attempt, wanted, within)
        self._report(delivery, "failed", attempt, self._last)

    def _try(self, delivery: Delivery) -> bool:
        if not self.verified and (reason := self.verify()):
            _log.info("the %s is not verified: %s", self._kind.name, reason)
            return False
        try:
            return self._post(delivery)
        except _ERRORS as error:
            _log.info("%s: %s", self._kind.name, type(error).__name__)
            return False

    def _verify_url(self) -> str:
        echo = f"{self._clock.seconds()}"
        encrypted = self._crypto.encrypt(echo)
        query = {**self._crypto.query(int(time.time()), encrypted), "echostr": encrypted}
        answer = self._client.get(self.url, params=query)
        _, token, aes_key = self._kind.names
        if answer.status_code != _OK:
            return (
                f"{self.url} answered HTTP status {answer.status_code}: check that it takes GET requests, and that "
                f"{token}, {aes_key} and the corpid are the app's"
            )
        if answer.text != echo:
            return (
                f"{self.url} answered {len(answer.content)} bytes that are not the decrypted echostr: answer it bare, "
                f"without quotes or a line end, and check {aes_key}"
            )
        return ""

    def _described(self, error: Exception) -> str:
        name = type(error).__name__
        if isinstance(error, httpx.ReadTimeout):
            return (
                f"{self.url} did not answer within {self._kind.seconds:g} seconds ({name}): let the app answer sooner"
            )
        if isinstance(error, httpx.TransportError):
            return f"nothing answers at {self.url} ({name}): start the app"
        return f"{self.url} can't be called ({name}): check {self._kind.names[0]}"

    def _post(self, delivery: Delivery) -> bool:
        receiver = delivery.receive_id
        encrypted = self._crypto.for_receiver(receiver).encrypt(write_xml(delivery.fields))
        xml = write_xml({"ToUserName": receiver, "AgentID": delivery.agent, "Encrypt": encrypted})
        request = self._client.build_request(
            "POST",
            self.url,
            params=self._crypto.query(int(time.time()), encrypted),
            content=xml.encode(),
            headers={"content-type": "text/xml; charset=utf-8"},
        )
        head = Head("POST", str(request.url), request.headers.multi_items())
        self._last = Attempt(head, xml, None)
        answer = self._client.send(request)
        self._last = Attempt(
            head, xml, Reply(answer.status_code, answer.headers.multi_items(), body_of(answer.content))
        )
        return answer.status_code == _OK and self._kind.reply in (None, answer.text)

    def _drop_waiting(self) -> None:
        while True:
            try:
                delivery = self._waiting.get_nowait()
            except queue.Empty:
                return
            if isinstance(delivery, Delivery):
                self._report(delivery, "dropped", 0, None)


def _ignore(delivery: Delivery, state: str, attempts: int, last: Attempt | None) -> None:
    """Do nothing; used until the courier starts."""

"""Carries `program_notify` callbacks to the app's callback URL, on a thread of its own.

Like WeCom it verifies the URL first, waits 5 seconds for an answer, and tries three times. It verifies the URL at the
start and on request, and after a failure again before each delivery. Requests have the time of this machine's clock,
not of the emulator's: an app refuses a callback that seems to be a repeated one. It keeps no notification, and reports
the outcome of each one to a function.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable

import httpx

from wwspec_router.callbacks import CallbackCrypto, write_xml
from wwspec_router.emulator.state.clock import Clock
from wwspec_router.emulator.state.tickets import Notification
from wwspec_router.emulator.state.traffic.entries import Attempt, Head, Reply, body_of

TRIES = 3
ANSWER_SECONDS = 5.0
QUEUE_SIZE = 1000
_OK = 200
_VERIFY = "verify"
"""A request to verify the URL, in the queue of notifications."""

_log = logging.getLogger("uvicorn.error")

_ERRORS = (httpx.HTTPError, httpx.InvalidURL)


OnChange = Callable[[Notification, str, int, Attempt | None], None]
"""Gets a notification, its new state, the number of tries, and the last try."""


class Courier:
    """Delivers in order, one after the other.

    Args:
        url: The app's callback URL.
        crypto: Seals what is sent.
        clock: The source of the text that the URL must decrypt.
    """

    def __init__(self, url: str, crypto: CallbackCrypto, clock: Clock) -> None:
        self.url = url
        """The app's callback URL."""
        self._crypto = crypto
        self._clock = clock
        self._waiting: queue.Queue[Notification | str | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self.verified = False
        """Whether the last verification succeeded."""
        self._client = httpx.Client(trust_env=False, timeout=ANSWER_SECONDS)
        self._thread = threading.Thread(target=self._run, name="emulator-courier")
        self._report: OnChange = _ignore
        self._last: Attempt | None = None
        """The last try of the present notification."""

    def start(self, report: OnChange) -> None:
        """Verify the URL and begin to deliver.

        Args:
            report: Called with what became of each notification.
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

    def deliver(self, notification: Notification) -> None:
        """Queue a notification. It is dropped when too many wait."""
        try:
            self._waiting.put_nowait(notification)
        except queue.Full:
            _log.error("program_notify dropped: %d are waiting already", QUEUE_SIZE)
            self._report(notification, "dropped", 0, None)

    def stop(self) -> None:
        """End after the present try, and drop the waiting notifications."""
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
            if isinstance(waiting, Notification):
                self._carry(waiting)
            elif reason := self.verify():
                _log.warning("the callback URL is not verified: %s, then run `wwspec zone verify-callback`", reason)
        if isinstance(waiting, Notification):
            self._report(waiting, "dropped", 0, None)

    def _carry(self, notification: Notification) -> None:
        self._last = None
        for attempt in range(1, TRIES + 1):
            if self._try(notification):
                self._report(notification, "delivered", attempt, self._last)
                return
            if self._stopping.is_set():
                break
        _log.warning("program_notify failed after %d tries: no HTTP status 200", attempt)
        self._report(notification, "failed", attempt, self._last)

    def _try(self, notification: Notification) -> bool:
        if not self.verified and (reason := self.verify()):
            _log.info("the callback URL is not verified: %s", reason)
            return False
        try:
            return self._post(notification)
        except _ERRORS as error:
            _log.info("callback URL: %s", type(error).__name__)
            return False

    def _verify_url(self) -> str:
        echo = f"{self._clock.seconds()}"
        encrypted = self._crypto.encrypt(echo)
        query = {**self._crypto.query(int(time.time()), encrypted), "echostr": encrypted}
        answer = self._client.get(self.url, params=query)
        if answer.status_code != _OK:
            return (
                f"{self.url} answered HTTP status {answer.status_code}: check that it takes GET requests, and that "
                "WWSPEC_CALLBACK_TOKEN, WWSPEC_ENCODING_AES_KEY and the corpid are the app's"
            )
        if answer.text != echo:
            return (
                f"{self.url} answered {len(answer.content)} bytes that are not the decrypted echostr: answer it bare, "
                "without quotes or a line end, and check WWSPEC_ENCODING_AES_KEY"
            )
        return ""

    def _described(self, error: Exception) -> str:
        name = type(error).__name__
        if isinstance(error, httpx.ReadTimeout):
            return f"{self.url} did not answer within {ANSWER_SECONDS:g} seconds ({name}): let the app answer sooner"
        if isinstance(error, httpx.TransportError):
            return f"nothing answers at {self.url} ({name}): start the app"
        return f"{self.url} can't be called ({name}): check --callback-url"

    def _post(self, notification: Notification) -> bool:
        encrypted = self._crypto.encrypt(_notification_xml(notification))
        xml = _envelope_xml(notification, encrypted)
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
        return answer.status_code == _OK

    def _drop_waiting(self) -> None:
        while True:
            try:
                notification = self._waiting.get_nowait()
            except queue.Empty:
                return
            if isinstance(notification, Notification):
                self._report(notification, "dropped", 0, None)


def _notification_xml(notification: Notification) -> str:
    """Return the event that gives the app a notify_id [99843]."""
    return write_xml(
        {
            "ToUserName": notification.corpid,
            "FromUserName": "sys",
            "CreateTime": notification.create_time,
            "MsgType": "event",
            "Event": "program_notify",
            "NotifyId": notification.notify_id,
            "NotifyScene": notification.notify_scene,
        }
    )


def _envelope_xml(notification: Notification, encrypted: str) -> str:
    """Return the body that is POSTed."""
    fields = {"ToUserName": notification.corpid, "AgentID": str(notification.agentid), "Encrypt": encrypted}
    return write_xml(fields)


def _ignore(notification: Notification, state: str, attempts: int, last: Attempt | None) -> None:
    """Do nothing; used until the courier starts."""

"""Carries `program_notify` callbacks to the app's callback URL, on a thread of its own.

Like WeCom it verifies the URL before the first delivery, waits 5 seconds for an answer, and tries three
times. It keeps no notification: what became of each one is told to whoever made the courier.
"""

import logging
import queue
import threading
from collections.abc import Callable

import httpx

from wwspec_router.emulator import callbacks
from wwspec_router.emulator.clock import Clock
from wwspec_router.emulator.tickets import Notification

TRIES = 3
ANSWER_SECONDS = 5.0
QUEUE_SIZE = 1000
_OK = 200

_log = logging.getLogger(__name__)

Settle = Callable[[Notification, str, int], None]
"""Takes a notification, its new state, and the tries made."""


class Courier:
    """Delivers in order, one after the other.

    Args:
        url: The app's callback URL.
        crypto: Seals what is sent.
        clock: Stamps the requests.
    """

    def __init__(self, url: str, crypto: callbacks.CallbackCrypto, clock: Clock) -> None:
        self._url = url
        self._crypto = crypto
        self._clock = clock
        self._waiting: queue.Queue[Notification | None] = queue.Queue(QUEUE_SIZE)
        self._stopping = threading.Event()
        self._verified = False
        self._client = httpx.Client(trust_env=False, timeout=ANSWER_SECONDS)
        self._thread = threading.Thread(target=self._run, name="emulator-courier")
        self._settle: Settle = _ignore

    def start(self, settle: Settle) -> None:
        """Begin to deliver.

        Args:
            settle: Told what became of each notification.
        """
        self._settle = settle
        self._thread.start()

    def deliver(self, notification: Notification) -> None:
        """Queue a notification; it is dropped when too many wait already."""
        try:
            self._waiting.put_nowait(notification)
        except queue.Full:
            _log.error("program_notify dropped: %d are waiting already", QUEUE_SIZE)
            self._settle(notification, "dropped", 0)

    def stop(self) -> None:
        """End after the try under way; what still waits is dropped."""
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
        while (notification := self._waiting.get()) is not None and not self._stopping.is_set():
            self._carry(notification)
        if notification is not None:
            self._settle(notification, "dropped", 0)

    def _carry(self, notification: Notification) -> None:
        for attempt in range(1, TRIES + 1):
            if self._try(notification):
                self._settle(notification, "delivered", attempt)
                return
            if self._stopping.is_set():
                break
        _log.warning("program_notify failed after %d tries: no HTTP status 200", attempt)
        self._settle(notification, "failed", attempt)

    def _try(self, notification: Notification) -> bool:
        try:
            self._verified = self._verified or self._verify_url()
            return self._verified and self._post(notification)
        except httpx.HTTPError as error:
            _log.info("callback URL: %s", type(error).__name__)
            return False

    def _verify_url(self) -> bool:
        """Ask the URL to prove that it has the key."""
        echo = f"{self._clock.seconds()}"
        encrypted = self._crypto.encrypt(echo)
        query = {**self._crypto.query(self._clock.seconds(), encrypted), "echostr": encrypted}
        answer = self._client.get(self._url, params=query)
        proven = answer.status_code == _OK and answer.text == echo
        if not proven:
            _log.warning("callback URL not verified: it must answer the decrypted echostr")
        return proven

    def _post(self, notification: Notification) -> bool:
        encrypted = self._crypto.encrypt(callbacks.notification_xml(notification))
        answer = self._client.post(
            self._url,
            params=self._crypto.query(self._clock.seconds(), encrypted),
            content=callbacks.outer_xml(notification, encrypted).encode(),
            headers={"content-type": "text/xml; charset=utf-8"},
        )
        return answer.status_code == _OK

    def _drop_waiting(self) -> None:
        while True:
            try:
                notification = self._waiting.get_nowait()
            except queue.Empty:
                return
            if notification is not None:
                self._settle(notification, "dropped", 0)


def _ignore(notification: Notification, state: str, attempts: int) -> None:
    """Stand in until the courier starts."""

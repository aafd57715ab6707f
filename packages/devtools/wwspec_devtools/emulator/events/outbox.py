"""Events that the platform raises by itself, sent to the program one after the other on a thread of their own.

When too many wait, a further event is dropped with a line in the log. It knows neither the content of events nor how
they are sent.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

QUEUE_SIZE = 1000

_log = logging.getLogger(__name__)

Send = Callable[[], object]


class Outbox:
    """Sends in order. Before `start`, `wait_idle` sends on the calling thread."""

    def __init__(self) -> None:
        self._waiting: deque[Send] = deque()
        self._busy = False
        self._stopping = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="emulator-events")
        self._thread.start()

    def put(self, send: Send) -> None:
        """Queue one event. It needs no lock, and may be called under any lock."""
        with self._changed:
            if len(self._waiting) >= QUEUE_SIZE:
                _log.error("an event is dropped: %d are waiting already", QUEUE_SIZE)
                return
            self._waiting.append(send)
            self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait, at most so many seconds, until every event is sent; return whether that is so."""
        if self._thread is None:
            while self._send_next():
                pass
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._busy), seconds)

    def clear(self) -> None:
        """Drop the events that wait."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def stop(self) -> None:
        """End after the present event, and drop those that wait."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._stopping)
                if self._stopping:
                    return
            self._send_next()

    def _send_next(self) -> bool:
        with self._changed:
            if self._busy or not self._waiting:
                return False
            send = self._waiting.popleft()
            self._busy = True
        try:
            send()
        except Exception:
            _log.exception("an event of the emulator could not be sent")
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return True

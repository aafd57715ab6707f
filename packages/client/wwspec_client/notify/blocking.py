"""The receiver for threads: a WSGI application."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from wwspec_client.blocking import ZoneClient
from wwspec_client.models import HttpAnswer
from wwspec_client.notify.base import _Receiver
from wwspec_client.notify.core import Work
from wwspec_client.notify.models import Notification, NotifyEvent, Pending, Stage
from wwspec_client.notify.watch import Call, Outcome, Watch, Watched
from wwspec_client.notify.workers import POLL, check_plain
from wwspec_client.running import call_plain, run_steps
from wwspec_client.steps import Ask, Step, Steps

T = TypeVar("T")

_log = logging.getLogger("wwspec_client.notify")

_STATUS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 413: "Content Too Large"}


class NotifyReceiver(_Receiver[ZoneClient | Callable[[Notification], ZoneClient], threading.Event]):
    """An app's callback URL as a WSGI application: receives notifications and fetches their events, on threads.

    It works inside `with`, or from `start()` to `stop()`. It answers a notification when the store has it. Then it
    fetches the event, and gives it at least once to `handler`, or to the loop over `events()`. The notify_id is the
    idempotency key.

    Args:
        client: A `ZoneClient`; for an app of many corps, a function that returns the client for a notification.
        handler: Called with each event. When it raises anything or takes too long, it is called again, as `policy`
            says.
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey, 43 characters.
        receive_id: For whom callbacks are encrypted: the corpid, or the suite's ID. One text, several, or a function
            that returns whether an ID is the app's.
        on_other: Called with every other valid callback, such as a suite_ticket, after it is stored and answered, on a
            thread of its own. When it raises anything or takes too long, it is called again, as `policy` says. A
            callback that WeCom sends again is handled once. Without it such callbacks are logged and passed over.
        on_failed: Called with each notification or callback that is given up; see `failed`.
        store: Keeps notifications. In memory by default; a `SqlitePendingStore` loses none at a restart.
        kinds: The type of the payload, for each kind of notification that the program sends with `ctx.notify`.
        ability_id: The ability that returns events.
        program_id: The program to fetch events from; the client's by default.
        concurrency: How many events are handled at the same time, and how many other callbacks. With 1, they are
            handled in the order in which they came, but for those that are fetched later than others, or tried again.
        policy: Limits and pauses.
        clock: Returns Unix time in seconds.

    Raises:
        ConfigurationError: Arguments are missing or contradict each other.

    Examples:
        In a test, `zone` is a `Zone` and `client` its `app_client()`. In production, a WSGI server such as gunicorn
        serves the receiver, and the admin console has its URL, the Token and the EncodingAESKey:

        >>> import threading
        >>> from queue import Queue
        >>> from wsgiref.simple_server import make_server
        >>> from wwspec_client import NotifyReceiver
        >>> token, key = "callback-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
        >>> events = Queue()
        >>> with (
        ...     NotifyReceiver(
        ...         client, events.put, token=token, encoding_aes_key=key, receive_id=corpid
        ...     ) as receiver,
        ...     make_server("127.0.0.1", 0, receiver) as server,
        ... ):
        ...     threading.Thread(target=server.serve_forever, daemon=True).start()
        ...     zone.client.set_callback(f"http://127.0.0.1:{server.server_port}/", token, key)
        ...     fired = zone.fire("hit_keyword")
        ...     event = events.get(timeout=10)
        ...     server.shutdown()
        ...     zone.client.restore_callback()
        >>> event.event_type, event.attempt
        ('hit_keyword', 1)
    """

    _check = staticmethod(check_plain)
    _client_type = ZoneClient
    _event_type = threading.Event

    def _prepare(self) -> None:
        self._threads: list[threading.Thread] = []

    def _on_tick(self) -> None:
        for number, thread in enumerate(self._threads):
            if self._core.running and not thread.is_alive():
                _log.error("the thread %s has ended; another one takes its place", thread.name)
                self._threads[number] = self._start_thread(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Open the store and begin to work. In a server that forks, call it in the process that answers requests.

        Raises:
            ConfigurationError: The store can't be opened.
        """
        if self._core.running:
            return
        self._run(self._core.open())
        self._works = self._core.works(self._client_of, self._handler, self._concurrency)
        self._threads = [self._start_thread(number) for number in range(len(self._works))]
        self._watch.start()

    def stop(self) -> None:
        """Accept no more callbacks, wait at most `policy.grace` seconds for running work, and close the store."""
        self._core.running = False
        self._core.wake()
        until = time.monotonic() + self._core.policy.grace
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads = []
        self._watch.stop()
        self._run(self._core.close())

    def events(self) -> Iterator[NotifyEvent]:
        """Yield events as they arrive, until the receiver stops; for a receiver without a handler.

        An event counts as handled when the loop asks for the next one. When the loop ends at an event, the next call
        yields that event again.

        Raises:
            ConfigurationError: The receiver has a handler, or is not started.
        """
        self._core.check_for_events(self._handler)
        while self._core.running:
            wait = self._idle()
            row = self._run(self._core.claim(Stage.FETCHED))
            if row is None:
                wait()
                continue
            try:
                yield self._core.event_of(row)
                self._run(self._core.done(row))
            finally:
                self._run(self._core.release(row))

    def problems(self) -> list[str]:
        """Return what keeps the receiver from its work, a line each; empty when it is ready.

        It names handlers that hang and where, and threads that have ended and are about to be replaced.
        """
        if not self._core.running:
            return ["the receiver is not started in this process"]
        ended = [f"the thread {thread.name} has ended" for thread in self._threads if not thread.is_alive()]
        return [*ended, *self._watch.problems()]

    def failed(self) -> list[Pending]:
        """Return the notifications and callbacks that were given up, each with its `reason`; see `retry`.

        Raises:
            StoreError: The store can't be read.
        """
        return self._run(self._core.failed())

    def retry(self, notification: Notification) -> bool:
        """Try again what was given up; return False when it is not one of `failed`.

        Args:
            notification: `Pending.notification`.

        Raises:
            StoreError: The store can't be read or written.
        """
        return self._run(self._core.retry(notification))

    def handle_request(self, method: str, query: str, body: bytes = b"") -> HttpAnswer:
        """Answer one request, or WeCom's verification of the URL, for an app with a web framework of its own.

        Args:
            method: Of HTTP.
            query: The URL's query, as it was sent.
            body: The whole body.
        """
        refusal = self._core.intake.refusal(method, str(len(body)))
        return refusal or self._run(self._core.intake.answer(method, query, body))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, or WeCom's verification of the URL, as a WSGI application.

        Args:
            environ: Of WSGI.
            start_response: Of WSGI.
        """
        method: str = environ["REQUEST_METHOD"]
        answer = self._answer(method, environ)
        content = answer.text.encode()
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(content)), **answer.headers}
        start_response(f"{answer.status} {_STATUS.get(answer.status, 'Error')}", list(headers.items()))
        return [b"" if method == "HEAD" else content]

    def _answer(self, method: str, environ: dict[str, Any]) -> HttpAnswer:
        length: str = environ.get("CONTENT_LENGTH") or ""
        if refusal := self._core.intake.refusal(method, length):
            return refusal
        limit = self._core.policy.body_limit
        if length or environ.get("wsgi.input_terminated"):
            body: bytes = environ["wsgi.input"].read(int(length) if length else limit + 1)
        else:
            body = b""
        if len(body) > limit:
            return self._core.intake.too_long()
        return self._run(self._core.intake.answer(method, environ.get("QUERY_STRING", ""), body))

    def _start_thread(self, number: int) -> threading.Thread:
        thread = threading.Thread(
            target=self._work, args=(self._works[number],), name=f"wwspec-notify-{number}", daemon=True
        )
        thread.start()
        return thread

    def _work(self, work: Work) -> None:
        self._run(work(self._idle))

    def _idle(self) -> Callable[[], object]:
        return partial(self._wakeup.next.wait, POLL)

    def _run(self, steps: Steps[T]) -> T:
        with CallThread(self._watch, f"{threading.current_thread().name}-app") as thread:
            return run_steps(steps, partial(_do, thread))


def _do(thread: "CallThread", step: Step) -> Any:
    if isinstance(step, Watched):
        return thread.run(step)
    assert isinstance(step, Ask)  # noqa: S101 - the receiver's core has no other step
    return call_plain(step.function)


_Work = tuple[Call, "Future[Outcome]"]


class CallThread:
    """Calls functions for one worker, on one thread until a function hangs. A context manager, which ends the thread.

    Args:
        watch: Watches the calls.
        name: Of the thread.
    """

    def __init__(self, watch: Watch, name: str) -> None:
        self._watch = watch
        self._name = name
        self._queue: SimpleQueue[_Work | None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._queue is not None:
            self._queue.put(None)
        self._queue = None

    def run(self, step: Watched) -> Outcome:
        """Call a function and wait for its end, or until it takes too long."""
        future: Future[Outcome] = Future()
        call = Call(step, lambda: _set_result(future, call.overdue))
        with self._watch.watching(call):
            if self._queue is None:
                self._queue = SimpleQueue()
                threading.Thread(target=_work, args=(self._queue,), name=self._name, daemon=True).start()
            self._queue.put((call, future))
            outcome = future.result()
        if outcome.hangs:
            self.__exit__()  # its thread ends when the function does
        return outcome


def _work(queue: "SimpleQueue[_Work | None]") -> None:
    while (work := queue.get()) is not None:
        call, future = work
        _set_result(future, call.run(call_plain))


def _set_result(future: "Future[Outcome]", outcome: Outcome) -> None:
    with suppress(InvalidStateError):  # it took too long, and has ended now
        future.set_result(outcome)

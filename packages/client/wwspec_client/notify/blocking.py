"""The receiver for threads: a WSGI application."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from wwspec_client.arguments import check_client
from wwspec_client.blocking import ZoneClient
from wwspec_client.models import HttpAnswer
from wwspec_client.notify.call_threads import Hands
from wwspec_client.notify.core import ReceiverCore, Work
from wwspec_client.notify.intake import ReceiveId
from wwspec_client.notify.models import Notification, NotifyEvent, Pending, Stage
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.stores import MemoryPendingStore, PendingStore
from wwspec_client.notify.watch import Watch, Watched
from wwspec_client.notify.workers import POLL, Bell, check_concurrency, check_plain, client_function
from wwspec_client.running import call_plain, run_steps
from wwspec_client.steps import Ask, Step, Steps
from wwspec_contracts.base import Contract
from wwspec_contracts.callbacks import Callback

T = TypeVar("T")

_log = logging.getLogger("wwspec_client.notify")

_STATUS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 413: "Content Too Large"}


class NotifyReceiver:
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

    def __init__(
        self,
        client: ZoneClient | Callable[[Notification], ZoneClient],
        handler: Callable[[NotifyEvent], object] | None = None,
        *,
        token: str,
        encoding_aes_key: str,
        receive_id: ReceiveId,
        on_other: Callable[[Callback], object] | None = None,
        on_failed: Callable[[Pending], object] | None = None,
        store: PendingStore | None = None,
        kinds: Mapping[str, type[Contract]] = {},
        ability_id: str = "get_callback_data",
        program_id: str = "",
        concurrency: int = 1,
        policy: NotifyPolicy = NotifyPolicy(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_plain(client=client, handler=handler, receive_id=receive_id, on_other=on_other, on_failed=on_failed)
        check_client(client, ZoneClient)
        check_plain(**{"store.open": getattr(store, "open", None)})
        self._core = ReceiverCore(
            token=token,
            encoding_aes_key=encoding_aes_key,
            receive_id=receive_id,
            store=MemoryPendingStore() if store is None else store,
            ability_id=ability_id,
            program_id=program_id,
            kinds=kinds,
            policy=policy,
            clock=clock,
            on_other=on_other,
            on_failed=on_failed,
        )
        self._client_of = client_function(client)
        self._handler = handler
        self._concurrency = check_concurrency(concurrency)
        self._bell = Bell(threading.Event)
        self._core.ring = self._bell.ring
        self._watch = Watch(min(POLL, policy.handler_limit), self._replace_ended)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        self._threads = [self._started(number) for number in range(len(self._works))]
        self._watch.start()

    def stop(self) -> None:
        """Accept no more callbacks, wait at most `policy.grace` seconds for running work, and close the store."""
        self._core.running = False
        self._core.ring()
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

    def _started(self, number: int) -> threading.Thread:
        thread = threading.Thread(
            target=self._work, args=(self._works[number],), name=f"wwspec-notify-{number}", daemon=True
        )
        thread.start()
        return thread

    def _work(self, work: Work) -> None:
        self._run(work(self._idle))

    def _replace_ended(self) -> None:
        for number, thread in enumerate(self._threads):
            if self._core.running and not thread.is_alive():
                _log.error("the thread %s has ended; another one takes its place", thread.name)
                self._threads[number] = self._started(number)

    def _idle(self) -> Callable[[], object]:
        return partial(self._bell.next.wait, POLL)

    def _run(self, steps: Steps[T]) -> T:
        with Hands(self._watch, f"{threading.current_thread().name}-app") as hands:
            return run_steps(steps, partial(_do, hands))


def run_asked(steps: Steps[T]) -> T:
    """Run steps that ask for nothing but methods of a store, on this thread."""
    return run_steps(steps, lambda step: call_plain(cast(Ask, step).function))


def _do(hands: Hands, step: Step) -> Any:
    if isinstance(step, Watched):
        return hands.run(step)
    assert isinstance(step, Ask)  # noqa: S101 - the receiver's core has no other step
    return call_plain(step.function)

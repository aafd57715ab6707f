"""Reads strings for many threads over few connections: threads that wait at the same time share one round trip.

A connection is kept between round trips and used through its own methods. That costs a third of a GET of the package's
client, which takes a connection from the pool each time, checks whether the server closed it, counts, and puts it back.
Here a closed connection is noticed when it is used, and the read is repeated with one from the pool.

The package does not share round trips between threads. It can read from replicas, but a replica may not have an event
yet when the app asks for it.
"""

import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from wwspec_router.errors import StoreError
from wwspec_router.stores.batches import Batches
from wwspec_router.stores.checks import closed
from wwspec_router.stores.redis.failures import error_code

AT_ONCE = 4
"""Round trips under way at the same time, each with a connection. With fewer, callers of a distant server would wait;
with more, they would share less."""
MAX_BATCH = 16
"""Strings that one round trip reads: each may have a MiB and more, and all are in memory together."""
_ASKED_APART = frozenset({"NOPERM", "TRYAGAIN"})
"""Codes with which an MGET may fail where a GET works: the user may not run it, or some keys are already on another
node."""


class _Read:
    """What one thread reads, and the result."""

    __slots__ = ("answered", "error", "key", "value")

    def __init__(self, key: str) -> None:
        self.key = key
        self.answered = False
        self.value: bytes | None = None
        self.error: StoreError | None = None


class Reads:
    """The reads of a process.

    Args:
        package: The package `redis`.
        pool: Its pool, which counts the connections that are kept here as used.
        attempt: Runs a round trip, and once more where that helps; raises StoreError.
        failure: Returns the error to raise for one of the package.
        timeout: Seconds to wait for other threads, and for an answer.
    """

    def __init__(
        self,
        package: Any,
        pool: Any,
        attempt: Callable[[Callable[[], list[Any]]], list[Any]],
        failure: Callable[[Exception], StoreError],
        timeout: float,
    ) -> None:
        self._redis = package
        self._pool = pool
        self._attempt = attempt
        self._failure = failure
        self._timeout = timeout
        self._batches = Batches[_Read](self._read, max_batch=MAX_BATCH, at_once=AT_ONCE)
        self._kept: list[Any] = []  # connections; used last, used first
        self._turns: queue.SimpleQueue[bool] = queue.SimpleQueue()  # holds True for each round trip; False after close
        for _ in range(AT_ONCE):
            self._turns.put(True)
        self._closing = threading.Lock()
        self._closed = False

    def get(self, key: str) -> bytes | None:
        """Return the string under a key, or None.

        Raises:
            StoreError: It could not be read.
        """
        read = _Read(key)
        try:
            self._batches.submit(read, self._timeout)
        except TimeoutError:
            pass  # raised below, outside of this handler
        if read.answered:
            return read.value
        raise read.error or self._failure(self._redis.TimeoutError())

    def give_back(self) -> None:
        """Give the connections that no read uses back to the pool, which checks them before it gives one out."""
        while self._kept:
            try:
                self._pool.release(self._kept.pop())
            except IndexError:  # another thread took the last
                return

    def close(self) -> None:
        """Wait for what runs; later reads raise StoreError. Closing again does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            for _ in range(AT_ONCE):
                self._turns.get()
            self._turns.put(False)
            self.give_back()

    def _read(self, first: _Read, others: Callable[[], list[_Read]]) -> None:
        """Read what the first thread wants and what others wait for."""
        if not self._turns.get():
            self._turns.put(False)  # for the next late one
            first.error = closed()
            return
        began = monotonic()
        reads = [first, *others()]
        try:
            answers = self._attempt(lambda: self._ask([each.key for each in reads]))
        except StoreError as error:
            if monotonic() - began >= self._timeout:  # the server hangs, and no caller should wait for that twice
                while more := others():
                    reads += more
            for read in reads:
                read.error = StoreError(*error.args)
        else:
            for read, answer in zip(reads, answers, strict=True):
                if isinstance(answer, Exception):
                    read.error = self._failure(answer)
                else:
                    read.value, read.answered = answer, True
        finally:
            self._turns.put(True)

    def _ask(self, keys: list[str]) -> list[Any]:
        """Return the strings under these keys; where the server refuses a single key, the refusal."""
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self._pool.get_connection()
        try:
            answers = [_get(connection, keys[0])] if len(keys) == 1 else self._get_many(connection, keys)
        except BaseException:
            connection.disconnect()
            self._kept.append(connection)
            self.give_back()  # the others too: they may be closed as well, and the next attempt is the last
            raise
        self._kept.append(connection)
        return answers

    def _get_many(self, connection: Any, keys: list[str]) -> list[Any]:
        """Ask for several strings. Unlike GET, MGET returns None for a value that is not a string."""
        try:
            connection.send_command("MGET", *keys)
            return list(connection.read_response())
        except self._redis.ResponseError as error:
            if error_code(error) not in _ASKED_APART:
                raise
        return [self._get_or_refusal(connection, key) for key in keys]

    def _get_or_refusal(self, connection: Any, key: str) -> Any:
        try:
            return _get(connection, key)
        except self._redis.ResponseError as error:
            return error


def _get(connection: Any, key: str) -> Any:
    connection.send_command("GET", key)
    return connection.read_response()

"""The example of an enterprise app, whose handler of events first does all that a handler should not.

Served like the example, with the example's folder on the path. Each event's notify_id says what happens at its first
attempts. What is handled at last is written to `handled.txt` beside the app's databases, and each number that the
program tells the app to `announced.txt`, before anything goes wrong.
"""

import asyncio
import multiprocessing
import os
import stat
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from hashlib import sha256
from logging import LogRecord, getLogger
from pathlib import Path
from typing import Any

import app as example  # type: ignore[import-not-found]
import wwspec_client as wecom
from torture.archive import ANNOUNCED, HANDLED

__all__ = ["create_app"]

_ATTEMPTS = 6
"""How often an event is handed out at most."""
_MISBEHAVING = 2
"""First attempts at which something goes wrong."""
_NEVER = 20
"""One in so many events is never handled."""
_CONCURRENCY = 4
"""Events that are handled at the same time: most fail twice, some after a second, and thousands wait at the end."""
_POLICY = wecom.NotifyPolicy(
    replay_window=86_400.0,  # also how long the store knows what is handled
    handler_attempts=_ATTEMPTS,
    handler_limit=0.5,
    first_pause=0.05,
    longest_pause=0.5,
)


def _raises(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail


async def _hang() -> None:
    await asyncio.sleep(3600)


async def _cancel_itself() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.cancel()
    await asyncio.sleep(3600)


async def _cancel_another() -> None:
    other = asyncio.create_task(asyncio.sleep(3600))
    other.cancel()
    await other


async def _fork() -> None:
    """Leave processes behind that have all that this one has open, but for sockets."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("fork"), _close_sockets)
    await asyncio.wrap_future(pool.submit(abs, 1))
    _pools.append(pool)
    del _pools[:-2]


_pools: list[ProcessPoolExecutor] = []
_WRONG: list[Callable[[], Awaitable[None]]] = [
    *map(
        _raises,
        (
            BaseException(),
            SystemExit(1),
            KeyboardInterrupt(),
            GeneratorExit(),
            StopAsyncIteration(),
            asyncio.CancelledError(),
            BaseExceptionGroup("both", [SystemExit(), KeyboardInterrupt()]),
            MemoryError(),
            ValueError("\ud800\x1b[2J"),
        ),
    ),
    _hang,
    _cancel_itself,
    _cancel_another,
    _fork,
    _fork,
    _fork,
]


def _close_sockets() -> None:
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode):
                os.close(int(entry.name))


class _Receiver(wecom.AsyncNotifyReceiver):
    def __init__(self, client: Any, handler: Callable[[wecom.NotifyEvent], Awaitable[None]], **options: Any) -> None:
        async def misbehave(event: wecom.NotifyEvent) -> None:
            if "announced" in event.raw:
                _note(ANNOUNCED, event.raw["announced"]["number"])
            if not _pools:
                await _fork()
            chosen = int.from_bytes(sha256(event.notify_id.encode()).digest()[:4], "big")
            if event.attempt <= _MISBEHAVING or chosen % _NEVER == 0:
                await _WRONG[(chosen + event.attempt) % len(_WRONG)]()
                if chosen % _NEVER == 0:
                    raise ValueError("never")
            await handler(event)
            _note(HANDLED, event.notify_id)

        super().__init__(client, misbehave, policy=_POLICY, concurrency=_CONCURRENCY, **options)


def _note(name: str, what: object) -> None:
    with (Path(example.FOLDER) / name).open("a") as file:
        file.write(f"{what}\n")


def _without_traceback(record: LogRecord) -> bool:
    record.exc_info = None  # the run fails at others
    return True


def create_app() -> Any:
    """Return the application."""
    vars(example.wecom).update(AsyncNotifyReceiver=_Receiver)
    getLogger("wwspec_client.notify").addFilter(_without_traceback)
    return example.create_app()

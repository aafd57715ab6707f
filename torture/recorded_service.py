"""The example of a provider's app, which notes what it has handled, and is in more of a hurry than the example.

Served like the example, with the example's folder on the path. `TORTURE_FOLDER` names the folder of what it notes.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from logging import LogRecord, getLogger
from pathlib import Path
from time import time
from typing import Any

import app as example  # type: ignore[import-not-found]
import wwspec_client as wecom
from torture.service_notes import CLOCK, HANDLED, command_name
from wwspec_client import archive
from wwspec_client.provider import AsyncProviderApp
from wwspec_contracts.backoff import Backoff

__all__ = ["create_app"]

_DAY = 86_400.0
_POLICY = wecom.NotifyPolicy(
    replay_window=10 * _DAY,  # WeCom's clock jumps; also how long the store knows what is handled
    handler_attempts=100_000,
    first_pause=0.05,
    longest_pause=1.0,
    lease=5.0,
)
_FAILING = 10
"""One in so many handlers fails at its first attempt."""
_FOLDER = Path(os.environ.get("TORTURE_FOLDER", "."))


def _clock() -> float:
    try:
        return time() + float((_FOLDER / CLOCK).read_text())
    except (OSError, ValueError):  # it is being written
        return time()


def _note(name: str) -> None:
    with (_FOLDER / HANDLED).open("a") as file:
        file.write(f"{name}\n")


class _Suite(wecom.AsyncSuite):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "policy": _POLICY, "clock": _clock})

    async def _on_callback(self, callback: wecom.Callback) -> None:
        await super()._on_callback(callback)
        _note(command_name(callback.fields))


class _Receiver(wecom.AsyncNotifyReceiver):
    def __init__(self, client: Any, handler: Callable[[wecom.NotifyEvent], Any], **options: Any) -> None:
        async def fail_at_first(event: wecom.NotifyEvent) -> None:
            chosen = int.from_bytes(sha256(event.notify_id.encode()).digest()[:4], "big")
            if event.attempt == 1 and chosen % _FAILING == 0:
                raise ValueError("at first")
            await handler(event)
            _note(event.notify_id)

        super().__init__(client, fail_at_first, **{**options, "policy": _POLICY})


class _Archiver(archive.AsyncArchiver):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        pauses = Backoff(first=0.2, longest=3.0)
        super().__init__(*arguments, every=10.0, lease=5.0, pauses=pauses, **options)


def _without_traceback(record: LogRecord) -> bool:
    record.exc_info = None  # the run fails at others
    return True


def create_app() -> Any:
    """Return the application."""
    AsyncProviderApp._suite_type = _Suite
    AsyncProviderApp._receiver_type = _Receiver  # type: ignore[assignment]  # of a handler always
    AsyncProviderApp._archiver_type = _Archiver
    getLogger("wwspec_client.notify").addFilter(_without_traceback)
    return example.create_app()

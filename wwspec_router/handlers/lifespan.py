"""What an application opens once in each process, and closes at its end: `[program] lifespan`.

An `async def` context manager runs on the event loop. A plain one may block, so its beginning and its end run on one
thread of its own.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from wwspec_contracts.errors import LifespanError
from wwspec_contracts.support.stacks import is_ours

log = logging.getLogger(__name__)

LIFESPAN_FORM = "mark a function with @contextlib.contextmanager or @contextlib.asynccontextmanager"

ContextManager = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]


class Lifespan:
    """Opens and closes what an application's handlers share.

    Args:
        name: Its name in the registry file: `package.module:attribute`.
        make: Returns the context manager.
        takes_settings: Whether it is called with the application's own settings.
    """

    def __init__(self, name: str, make: Callable[..., ContextManager], *, takes_settings: bool = False) -> None:
        self.name = name
        self.make = make
        self.takes_settings = takes_settings
        self._opened: ContextManager | None = None
        self._thread: Executor | None = None

    async def open(self, settings: object = None) -> Any:
        """Return what the context manager yields; it becomes `ctx.state`.

        Args:
            settings: The application's own.

        Raises:
            LifespanError: It failed; the text holds its traceback.
        """
        try:
            manager = self.make(settings) if self.takes_settings else self.make()
            if isinstance(manager, AbstractAsyncContextManager):
                state = await manager.__aenter__()
            elif isinstance(manager, AbstractContextManager):
                self._thread = ThreadPoolExecutor(1, "wwspec-lifespan")
                state = await asyncio.get_running_loop().run_in_executor(self._thread, manager.__enter__)
            else:
                raise LifespanError(
                    f"lifespan {self.name}: it returns an object of {type(manager).__name__}; {LIFESPAN_FORM}"
                )
        except LifespanError:
            raise
        except Exception as error:
            self._end_thread()
            raise LifespanError(f"lifespan {self.name}: it failed\n{_traceback(error)}") from error
        self._opened = manager
        return state

    async def close(self, seconds: float) -> None:
        """Leave the context manager, if it was opened. A failure is logged.

        Args:
            seconds: How long that may take.
        """
        manager, self._opened = self._opened, None
        if manager is None:
            return
        try:
            async with asyncio.timeout(seconds):
                if isinstance(manager, AbstractAsyncContextManager):
                    await manager.__aexit__(None, None, None)
                else:
                    await asyncio.get_running_loop().run_in_executor(self._thread, manager.__exit__, None, None, None)
        except TimeoutError:
            log.error("lifespan %s: it was not closed within %.1f seconds", self.name, seconds)
        except Exception as error:
            log.error("lifespan %s: it failed to close\n%s", self.name, _traceback(error))
        finally:
            self._end_thread()

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None


def _traceback(error: Exception) -> str:
    """Return a traceback without the frames of this package. It can't show data of a call: there is none yet."""
    shown = traceback.TracebackException.from_exception(error)
    shown.stack = traceback.StackSummary.from_list([frame for frame in shown.stack if not is_ours(frame.filename)])
    return "".join(shown.format()).rstrip()

"""The archiver for an event loop."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, Unpack

import anyio
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wwspec_client.archive.core import GRACE, ArchiverCore, ArchiverOptions, check_transaction
from wwspec_client.archive.models import ArchivePage
from wwspec_client.archive.rows import ArchiveStatus, Turn
from wwspec_client.arguments import check_client
from wwspec_client.asynchronous import AsyncZoneClient, call_either, run_steps
from wwspec_client.notify.models import NotifyEvent
from wwspec_client.notify.workers import POLL
from wwspec_client.steps import Ask, Step, Steps
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")


class AsyncArchiver:
    """Archives the messages of any number of corps on an event loop; for arguments and errors see `Archiver`.

    `clients` is an `AsyncZoneClient`, or a function that returns one for a corpid; the engine is an `AsyncEngine`, and
    `store` an `async def` function, whose transaction is an `AsyncConnection`. The other functions may be `async def`,
    too; plain ones run on threads.
    """

    def __init__(
        self,
        clients: AsyncZoneClient | Callable[[str], AsyncZoneClient | Awaitable[AsyncZoneClient]],
        engine: AsyncEngine,
        store: Callable[[ArchivePage, AsyncConnection], Awaitable[object]],
        **options: Unpack[ArchiverOptions],
    ) -> None:
        if not isinstance(engine, AsyncEngine):
            raise ConfigurationError(
                "AsyncArchiver needs an AsyncEngine, of create_async_engine; Archiver takes an Engine"
            )
        check_client(clients, AsyncZoneClient)
        self._engine = engine
        self._store = store
        self._core = ArchiverCore(clients, engine, anyio.Event, self._store_page, options)

    async def run(self) -> None:
        """Pull what is due until `stop()` or a cancellation; see `Archiver.run`.

        Running pages are stored before it ends. One that takes more than 10 seconds is rolled back, and comes again.
        """
        with self._core.running():
            pages = anyio.CancelScope(shield=True)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_stopped, pages)
                tasks.start_soon(self._dispatch, pages)

    def stop(self) -> None:
        """Let `run()` end after the running pages. Call it on the event loop's thread."""
        self._core.stop()

    async def run_due(self) -> int:
        """Pull what is due now, and return the number of turns; see `Archiver.run_due`."""
        count = 0
        while (turns := await self._run(self._core.due())) is not None:
            async with anyio.create_task_group() as tasks:
                for turn in turns:
                    tasks.start_soon(self._pull, turn)
            count += len(turns)
        return count

    async def on_event(self, event: NotifyEvent) -> bool:
        """Note that a corp has new messages; see `Archiver.on_event`."""
        return await self._run(self._core.on_event(event))

    async def pull_soon(self, corpid: str) -> None:
        """Let a corp be pulled now; see `Archiver.pull_soon`."""
        await self._run(self._core.pull_soon(corpid))

    async def forget(self, corpid: str) -> None:
        """Remove what is stored about a corp; see `Archiver.forget`."""
        await self._run(self._core.forget(corpid))

    async def status(self) -> Sequence[ArchiveStatus]:
        """Return the state of each corp; see `Archiver.status`."""
        return await self._run(self._core.status())

    def problems(self) -> list[str]:
        """Return what keeps this process from archiving; see `Archiver.problems`."""
        return self._core.problems()

    async def _store_page(self, write: Callable[[Connection], None], page: ArchivePage) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(write)
            await self._store(page, connection)
            check_transaction(is_open=connection.in_transaction())

    async def _until_stopped(self, pages: anyio.CancelScope) -> None:
        try:
            while not self._core.stopping:
                await self._core.wakeup.next.wait()
        finally:
            self._core.stop()
            pages.deadline = anyio.current_time() + GRACE

    async def _dispatch(self, scope: anyio.CancelScope) -> None:
        with scope:
            async with anyio.create_task_group() as tasks:
                while not self._core.stopping:
                    rung = self._core.wakeup.next
                    turns = await self._run(self._core.tick())
                    for turn in turns or ():
                        tasks.start_soon(self._pull, turn)
                    if turns is None:
                        with anyio.move_on_after(POLL):
                            await rung.wait()

    async def _pull(self, turn: Turn) -> None:
        await self._run(self._core.pull(turn))

    async def _run(self, steps: Steps[T]) -> T:
        return await run_steps(steps, _do)


async def _do(step: Step) -> Any:
    assert isinstance(step, Ask)  # noqa: S101 - the archiver's core has no other step
    return await call_either(step.function, same_thread=step.same_thread)

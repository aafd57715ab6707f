"""The archiver for threads."""

import inspect
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, Unpack

from sqlalchemy import Connection, Engine

from wwspec_client.archive.core import ArchiverCore, ArchiverOptions, check_transaction
from wwspec_client.archive.models import ArchivePage
from wwspec_client.archive.rows import ArchiveStatus, Turn
from wwspec_client.arguments import check_client
from wwspec_client.blocking import ZoneClient
from wwspec_client.notify.models import NotifyEvent
from wwspec_client.notify.workers import POLL
from wwspec_client.running import run_asked
from wwspec_client.steps import Steps
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")


class Archiver:
    """Archives the messages of any number of corps in the app's database, each message exactly once.

    Any number of threads, processes and machines may have one for the same database. One of them pulls a corp at a
    time, and another one goes on where it has ended. A page of messages and the place where the next one begins are
    stored in one transaction, so that a crash loses nothing and stores nothing twice.

    Args:
        clients: The client of a corp's own app, or a function that returns the client of a corpid.
        engine: Of the app's database: SQLite, PostgreSQL, MySQL or MariaDB, with the tables of `create_tables`.
        store: Called with a page (`ArchivePage`) and the connection whose transaction stores it. The archiver commits,
            or rolls back when the function raises: then the page comes again.
        options: How corps are pulled; see `ArchiverOptions`.

    Raises:
        ConfigurationError: An argument is missing, out of its range, or one for `AsyncArchiver`.
    """

    def __init__(
        self,
        clients: ZoneClient | Callable[[str], ZoneClient],
        engine: Engine,
        store: Callable[[ArchivePage, Connection], object],
        **options: Unpack[ArchiverOptions],
    ) -> None:
        if not isinstance(engine, Engine):
            raise ConfigurationError("Archiver needs an Engine (create_engine): AsyncArchiver takes an AsyncEngine")
        if inspect.iscoroutinefunction(store):
            raise ConfigurationError("store is an async function, which goes with AsyncArchiver; give a plain one")
        check_client(clients, ZoneClient)
        self._engine = engine
        self._store = store
        self._core = ArchiverCore(clients, engine, threading.Event, self._store_page, options)

    def run(self) -> None:
        """Pull what is due until `stop()`, on a thread of your own or as the whole of a process.

        Pulls run on `concurrency` threads. Running pages are stored before it ends.

        Raises:
            ConfigurationError: It runs already in this process.
        """
        with self._core.running():
            try:
                self._dispatch()
            finally:
                self._core.stop()

    def stop(self) -> None:
        """Let `run()` end after the running pages."""
        self._core.stop()

    def run_due(self) -> int:
        """Pull what is due now, with turns until nothing is left, and return the number of turns.

        For a job that a scheduler starts, in place of `run()`. A corp whose pull fails is in `status()`.

        Raises:
            StoreError: The database refuses.
        """
        count = 0
        with self._pool() as pool:
            while (turns := self._run(self._core.due())) is not None:
                list(pool.map(self._pull, turns))
                count += len(turns)
        return count

    def on_event(self, event: NotifyEvent) -> bool:
        """Note that a corp has new messages; the handler of a receiver.

        When it returns, the database has it: any machine pulls the corp.

        Args:
            event: An event; one that is no `conversation_new_message` is left alone.

        Returns:
            Whether the event was about new messages.

        Raises:
            NotInstalledError: The corp was forgotten, and the suite has no installation of it.
            StoreError: The database refuses. The receiver calls its handler again.
        """
        return self._run(self._core.on_event(event))

    def pull_soon(self, corpid: str) -> None:
        """Let a corp be pulled now, whatever its pause: after an installation, or a permission that was renewed.

        Args:
            corpid: The corp. It is pulled again after `forget`, too.

        Raises:
            NotInstalledError: It was forgotten, and the suite has no installation of it.
            StoreError: The database refuses.
        """
        self._run(self._core.pull_soon(corpid))

    def forget(self, corpid: str) -> None:
        """Remove the cursor and the schedule of a corp that has removed the app.

        No page of the corp is stored after it returns, by any machine: so remove the app's own rows of the corp then.
        A late notification does not begin anew. `pull_soon` does, and so does the corp that installs the app again, if
        `clients` is that of a suite.

        Args:
            corpid: The corp.

        Raises:
            StoreError: The database refuses.
        """
        self._run(self._core.forget(corpid))

    def status(self) -> Sequence[ArchiveStatus]:
        """Return the state of each corp, in the order of their corpids, as all machines see it.

        Raises:
            StoreError: The database refuses.
        """
        return self._run(self._core.status())

    def problems(self) -> list[str]:
        """Return what keeps this process from archiving, a line each; empty when it is ready.

        A corp whose pulls fail is no problem of this process: see `status`.
        """
        return self._core.problems()

    def _store_page(self, write: Callable[[Connection], None], page: ArchivePage) -> None:
        with self._engine.begin() as connection:
            write(connection)
            self._store(page, connection)
            check_transaction(is_open=connection.in_transaction())

    def _dispatch(self) -> None:
        with self._pool() as pool:
            while not self._core.stopping:
                rung = self._core.wakeup.next
                turns = self._run(self._core.tick())
                for turn in turns or ():
                    pool.submit(self._pull, turn)
                if turns is None:
                    rung.wait(POLL)

    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._core.concurrency, "wwspec-archive")

    def _pull(self, turn: Turn) -> None:
        self._run(self._core.pull(turn))

    def _run(self, steps: Steps[T]) -> T:
        return run_asked(steps)

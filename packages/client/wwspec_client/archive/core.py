"""The archiver without I/O: which corp is pulled when, and what a pull stores.

It is made of generators that yield `Ask`: call a function of the app, of the database or of the driver, and continue
with its result or its error. A driver runs them, on threads or on an event loop.
"""

import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic, time
from typing import Any, TypedDict, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_client.archive.models import ArchivePage
from wwspec_client.archive.rows import ArchiveCursor, ArchiveRows, ArchiveStatus, End, Turn
from wwspec_client.calls import check_options
from wwspec_client.cursors import CursorMovedError
from wwspec_client.errors import REVOKED
from wwspec_client.messages import TOKEN_LIFETIME, Pull, Pulled, PullOptions
from wwspec_client.models import MessageGap
from wwspec_client.notify.failures import LONGEST_REASON
from wwspec_client.notify.models import NotifyEvent
from wwspec_client.notify.workers import Wakeup
from wwspec_client.retries import RetryPolicy
from wwspec_client.sql.database import Database, advice
from wwspec_client.sql.tables import ARCHIVE
from wwspec_client.steps import Ask, Steps
from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.events import conversation_new_message
from wwspec_contracts.support.printable import printable
from wwspec_contracts.support.stacks import describe

T = TypeVar("T")

GRACE = 10.0
"""Seconds that running pages may take when an archiver stops."""
PAUSES = Backoff(first=2.0, longest=300.0, jitter=0.2)
"""How long a corp waits whose pulls fail."""
_HANGS = 600.0
"""Seconds after which a pull is named as one that may hang."""
_ONCE = RetryPolicy(attempts=1)
"""The patience of a pull: while WeCom is busy, the corp waits and others are pulled."""
_OWN_OPTIONS = ("token", "on_gap", "patience", "max_pages", "deadline")

_log = logging.getLogger("wwspec_client.archive")


class ArchiverOptions(TypedDict, total=False):
    """How corps are pulled. All times are seconds."""

    corps: Sequence[str] | Callable[[], Iterable[str] | Awaitable[Iterable[str]]]
    """The corps, or a function that returns them, which is called every `every` seconds. Each is pulled even if its
    notifications are lost. Without it, only corps that have notified, or that `pull_soon` has named, are pulled."""
    name: str
    """Tells the rows of this archive from those of others in the same database; `messages` by default."""
    every: float
    """A corp is pulled so long after the latest pull, without a notification; 60 by default. Such a pull has no
    token of an event: WeCom limits their number strictly and does not publish it [99824]. At 60 seconds they are 1,440
    a day for each corp. When WeCom refuses them with 45009, raise this; the corp then waits for a minute at least."""
    pages: int
    """Pages of one turn of a corp; 20 by default. Then it waits until the others that are due have had a turn."""
    seconds: float
    """No page of a turn is begun later; 30 by default."""
    concurrency: int
    """Corps that this process pulls at once; 4 by default."""
    lease: float
    """A corp is pulled by another machine so long after its own has ended without notice; 30 by default."""
    pauses: Backoff
    """How long a corp waits whose pulls fail; from 2 seconds to 5 minutes by default."""
    pull: PullOptions
    """Options of `messages()` for each pull, such as `ability` and `limit`."""
    on_gap: Callable[[str, MessageGap], object]
    """Called with the corpid and a time from which messages may be missing, before the pull goes on. Without it, the
    pull fails with a `MessageGapError`."""
    on_error: Callable[[str, Exception], object]
    """Called with the corpid and the error of each pull that fails."""
    clock: Callable[[], float]
    """Returns Unix time; `time.time` by default."""


class ArchiverCore:
    """What both archivers share.

    Args:
        clients: A client, or a function that returns that of a corp.
        engine: Of the app's database.
        event: Makes an event that the driver's loop waits for.
        store_page: Calls a function of a connection, then the app's with a page, in one transaction, and commits it.
        options: How corps are pulled.

    Raises:
        ConfigurationError: An option is out of its range, or the corps are not known.
    """

    def __init__(
        self,
        clients: Any,
        engine: Engine | AsyncEngine,
        event: Callable[[], Any],
        store_page: Callable[[Callable[[Connection], None], ArchivePage], Any],
        options: ArchiverOptions,
    ) -> None:
        check_options(options, ArchiverOptions)
        self._every = options.get("every", 60.0)
        self._pages = options.get("pages", 20)
        self._seconds = options.get("seconds", 30.0)
        self.concurrency: int = options.get("concurrency", 4)
        """How many corps are pulled here at once."""
        self._lease = options.get("lease", 30.0)
        if min(self._pages, self.concurrency) < 1 or min(self._every, self._seconds, self._lease) <= 0:
            raise ConfigurationError(
                "pages and concurrency are 1 or more; every, seconds and lease more than 0 seconds"
            )
        self._pauses = options.get("pauses", PAUSES)
        self._pull = options.get("pull", PullOptions())
        if own := ", ".join(each for each in _OWN_OPTIONS if each in self._pull):
            raise ConfigurationError(f"pull: {own}: the archiver sets this itself; on_gap is an option of the archiver")
        check_options(self._pull, PullOptions)
        self._on_gap = options.get("on_gap")
        self._on_error = options.get("on_error")
        self._clock = options.get("clock", time)
        self._name = options.get("name", "messages")
        if not 1 <= len(self._name.encode()) <= 64:
            raise ConfigurationError("name has 1 to 64 bytes")
        self._only, self._corps = _only(clients, options.get("corps"))
        self._clients = clients
        self._database = Database(engine, ARCHIVE)
        self._rows = ArchiveRows(self._name, secrets.token_hex(8))
        self._store_page = store_page
        self.wakeup: Wakeup[Any] = Wakeup(event)
        """Wakes the driver's loop when there may be something to do."""
        self.stopping: bool = False
        """Whether no further page is begun."""
        self._held: dict[str, float] = {}
        """The corps that are pulled here, and since when (monotonic)."""
        self._list_at = self._renew_at = 0.0
        self._trouble = ""
        self._pid = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Note that the archiver runs in this process.

        Raises:
            ConfigurationError: It runs already.
        """
        if self._pid == os.getpid():
            raise ConfigurationError("the archiver runs already in this process: call run() once")
        self._pid = os.getpid()
        try:
            yield
        finally:
            self._pid = 0
            self.stopping = False  # not before: stop() counts that comes before run()

    def stop(self) -> None:
        """Begin no further page."""
        self.stopping = True
        self.wakeup.wake()

    def problems(self) -> list[str]:
        """Return what keeps this process from its work."""
        if self._pid != os.getpid():
            return ["the archiver does not run in this process"]
        now = monotonic()
        hanging = [
            f"the pull of corp {printable(corpid)} has run for {now - since:.0f} s"
            for corpid, since in list(self._held.items())
            if now - since > _HANGS
        ]
        return [self._trouble, *hanging] if self._trouble else hanging

    def on_event(self, event: NotifyEvent) -> Steps[bool]:
        """Note a conversation_new_message durably; return False for another event."""
        data = event.data
        if not isinstance(data, conversation_new_message.Event):
            return False
        until = min(event.timestamp, self._clock()) + TOKEN_LIFETIME
        token = data.conversation_new_message.token
        yield from self._ask_for(self._only or event.notification.corpid, token, until, at_once=False)
        return True

    def pull_soon(self, corpid: str) -> Steps[None]:
        """Let a corp be pulled now, though its pulls may have failed."""
        return self._ask_for(corpid, "", 0.0, at_once=True)

    def _ask_for(self, corpid: str, token: str, until: float, *, at_once: bool) -> Steps[None]:
        ask = partial(self._rows.ask, corpid=corpid, now=self._clock(), token=token, token_until=until, at_once=at_once)
        forgotten = yield from self._sql(ask)
        if forgotten and (yield from self._revive(corpid, forgotten, at_once=at_once)):
            yield from self._sql(ask)
        self.wakeup.wake()

    def forget(self, corpid: str) -> Steps[None]:
        """Remove the cursor and the schedule of a corp, and leave a tombstone that names the installation of now."""
        try:
            installation = yield from self._installation(corpid)
        except Exception:  # it has none, or the app has no client for it
            installation = ""
        forgotten = f"{secrets.token_hex(8)}:{installation}"

        def remove(connection: Connection) -> None:
            self._cursor(corpid).remove(connection)
            self._rows.forget(connection, corpid, forgotten)

        yield from self._sql(remove)

    def _revive(self, corpid: str, forgotten: str, *, at_once: bool = False) -> Steps[bool]:
        """Let a corp be pulled again that has another installation than when it was forgotten, or is to be pulled."""
        installation = yield from self._installation(corpid)
        if not at_once and installation in ("", forgotten.partition(":")[2]):
            return False
        revive = partial(self._rows.revive, corpid=corpid, forgotten=forgotten, now=self._clock())
        yield from self._sql(revive)
        return True

    def _installation(self, corpid: str) -> Steps[str]:
        """Return what names the installation of a corp; empty when its client is not that of a suite.

        Raises:
            NotInstalledError: It has none, or its data is being deleted.
        """
        client = yield from self._client(corpid)
        installation: str = yield from client._core.owner()
        return installation

    def _client(self, corpid: str) -> Steps[Any]:
        return self._clients if self._only else (yield Ask(partial(self._clients, corpid)))

    def status(self) -> Steps[Sequence[ArchiveStatus]]:
        """Return what is known of each corp."""
        return (yield from self._sql(partial(self._rows.status, now=self._clock())))

    def tick(self) -> Steps[Sequence[Turn] | None]:
        """Do what is to be done now beside pulls, and return corps to pull; None when there is nothing to do."""
        try:
            turns = yield from self.due()
        except Exception as error:
            trouble = _reason(error)
            if trouble != self._trouble:
                _log.error("the archiver can't work, and tries again: %s", trouble)
            self._trouble = trouble
            return None
        if self._trouble:
            _log.info("the archiver works again")
            self._trouble = ""
        return turns

    def due(self) -> Steps[Sequence[Turn] | None]:
        """Do what `tick` does.

        Raises:
            Exception: The database refuses, or the function of the corps has failed.
        """
        now = self._clock()
        if self._held and now >= self._renew_at:
            self._renew_at = now + self._lease / 3
            yield from self._sql(partial(self._rows.renew, corpids=list(self._held), until=now + self._lease))
        if self._corps is not None and now >= self._list_at:
            yield from self._list(now)
        room = self.concurrency - len(self._held)
        if self.stopping or room < 1:
            return None
        until = now + self._lease
        due = yield from self._sql(partial(self._rows.due, now=now, until=until, limit=room + len(self._held)))
        corpids = [each for each in due if each not in self._held][:room]
        if not corpids:
            return None
        turns: Sequence[Turn] = yield from self._sql(partial(self._rows.claim, corpids=corpids, now=now, until=until))
        self._held.update((each.corpid, monotonic()) for each in turns)
        return turns

    def _list(self, now: float) -> Steps[None]:
        corps = self._corps
        forgotten = yield from self._sql(self._rows.forgotten)  # before the corps: so that none of these is of before
        found = list((yield Ask(corps)) if callable(corps) else corps)
        yield from self._sql(partial(self._rows.list, corpids=found, now=now))
        for corpid in forgotten.keys() & found:
            try:
                yield from self._revive(corpid, forgotten[corpid])
            except Exception as error:
                _log.info("corp %s was forgotten, and is not pulled: %s", printable(corpid), _reason(error))
        self._list_at = now + self._every

    def pull(self, turn: Turn) -> Steps[None]:
        """Pull a corp until its turn ends, and store when it is pulled next. Never raises."""
        try:
            end = yield from self._end_of(turn)
            yield from self._sql(partial(self._rows.finish, turn=turn, end=end))
        except Exception as error:  # the lease ends by itself
            _log.error("corp %s: the end of its pull is not stored: %s", printable(turn.corpid), _reason(error))
        finally:
            self._held.pop(turn.corpid, None)
            self.wakeup.wake()

    def _end_of(self, turn: Turn) -> Steps[End]:
        began = self._clock()
        try:
            is_complete = yield from self._pull_pages(turn, began)
        except CursorMovedError:
            _log.info("corp %s: another pull was quicker, or it was forgotten", printable(turn.corpid))
            attempts = turn.attempts + 1
            return End(due=self._clock() + self._pauses.pause(attempts), is_fixed=True, attempts=attempts)
        except Exception as error:
            return (yield from self._note_failure(turn, error))
        now = self._clock()
        if is_complete:
            return End(due=now + self._every, pulled=now, complete=began)
        return End(due=now, pulled=now)

    def _note_failure(self, turn: Turn, error: Exception) -> Steps[End]:
        attempts, reason, corpid = turn.attempts + 1, _reason(error), printable(turn.corpid)
        pause = max(self._pauses.pause(attempts), getattr(error, "retry_after", None) or 0.0)
        _log.warning("corp %s: attempt %d: %s; the next one is in %.0f s", corpid, attempts, reason, pause)
        if self._on_error is not None:
            try:
                yield Ask(partial(self._on_error, turn.corpid, error))
            except Exception as failure:
                _log.error("corp %s: on_error failed: %s", corpid, _reason(failure))
        if getattr(error, "errcode", 0) in REVOKED:
            yield from self._reconcile(turn.corpid)
        return End(due=self._clock() + pause, is_fixed=True, attempts=attempts, reason=reason)

    def _reconcile(self, corpid: str) -> Steps[None]:
        """Let the suite of a corp forget it, when WeCom says that it has removed the app."""
        try:
            client = yield from self._client(corpid)
            if client._core.reconcile is not None:
                yield Ask(partial(client._run, client._core.reconcile()))
        except Exception as error:
            _log.warning("corp %s: whether it still has the app is not known: %s", printable(corpid), _reason(error))

    def _pull_pages(self, turn: Turn, began: float) -> Steps[bool]:
        """Store pages until there are no more, or the turn ends; return whether there are no more."""
        corpid = turn.corpid
        client = yield from self._client(corpid)
        yield from client._core.owner()
        cursor = self._cursor(corpid)
        pull = Pull(client._core, cursor, self._options_of(turn))
        for count in range(1, self._pages + 1):
            page: Pulled | None = yield Ask(partial(client._run, pull.next()))
            if page is None:
                return True
            write = partial(cursor.write, before=page.before, after=page.after)
            yield Ask(partial(self._store_page, write, ArchivePage(corpid, page.messages)))
            page.kept = True
            if page.is_last:
                return True
            if self.stopping or count == self._pages or self._clock() - began >= self._seconds:
                break
        return False

    def _options_of(self, turn: Turn) -> PullOptions:
        options: PullOptions = {**self._pull, "patience": _ONCE}
        if turn.token:
            options["token"] = lambda: turn.token if self._clock() < turn.token_until else ""
        if self._on_gap is not None:
            options["on_gap"] = partial(self._on_gap, turn.corpid)
        return options

    def _cursor(self, corpid: str) -> ArchiveCursor:
        return ArchiveCursor(self._database, f"{self._name}:{corpid}", partial(self._rows.check_held, corpid=corpid))

    def _sql(self, work: Callable[[Connection], T]) -> Steps[T]:
        """Do something in a transaction of its own."""
        found: T = yield Ask(partial(self._database.run, work), same_thread=True)
        return found


def check_transaction(*, is_open: bool) -> None:
    """Check the transaction after the app's function.

    Raises:
        ConfigurationError: The function has ended it.
    """
    if not is_open:
        raise ConfigurationError(
            "store() has ended the transaction, so a page may be stored in part: leave commit and rollback to the "
            "archiver"
        )


def _only(clients: Any, corps: Any) -> tuple[str, Any]:
    """Return the corp of a client that is the only one, empty when there are several, and the corps."""
    core = getattr(clients, "_core", None)
    if core is None:
        if isinstance(corps, str):
            raise ConfigurationError("corps is a list of corpids, or a function that returns them, not a text")
        return "", corps
    if corps is not None and (callable(corps) or isinstance(corps, str) or len(corps) != 1):
        raise ConfigurationError("one client is for one corp: give a function of the corpid, or corps=[corpid]")
    only = corps[0] if corps else core.corpid
    if not only:
        raise ConfigurationError("the client does not name its corp: give corps=[corpid]")
    return only, [only]


def _reason(error: BaseException) -> str:
    """Return an error as one line, without the text of one whose class is not known: it may quote a message."""
    if isinstance(error, SQLAlchemyError):  # its text has the values of the statement
        cause = getattr(error, "orig", None) or error
        fix = advice(error)
        return f"{describe(error)}: the database refuses with {type(cause).__name__}{f': {fix}' if fix else ''}"
    if isinstance(error, WWSpecError):
        return printable(f"{type(error).__name__}: {error}"[:LONGEST_REASON])
    return describe(error)

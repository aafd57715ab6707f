"""Where the app of a provider keeps what it knows of each corp that has installed it, and the suite's ticket."""

from collections.abc import Awaitable, Sequence
from threading import Lock
from typing import Protocol

import msgspec


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """An app that a corp has installed [90603, 100776]."""

    suite_id: str
    """The app."""
    corpid: str
    """The corp (`auth_corpid`)."""
    permanent_code: str
    """What access tokens of the corp are asked for with. `repr` leaves it out."""
    corp_name: str = ""
    """The corp's short name, as far as WeCom tells it."""
    agentid: int = 0
    """The app's number at the corp; 0 while it is not known."""
    installed_at: float = 0.0
    """Unix time in seconds at which the app got the permanent_code."""
    data_until: float = 0.0
    """Unix time in seconds at which the data permission ends, as far as callbacks say; 0 when it is not known."""
    code_digest: str = ""
    """SHA-256 of the auth_code that it comes from, so that a second use of the code is recognised."""
    forgetting: bool = False
    """Whether the corp's data of an earlier authorisation is being deleted: no calls are made meanwhile."""
    refused_at: float = 0.0
    """Unix time in seconds at which WeCom first said that the corp has removed the app; 0 while it does not."""

    @property
    def is_ready(self) -> bool:
        """Whether calls for the corp can be made."""
        return bool(self.permanent_code) and not self.forgetting

    def __repr__(self) -> str:
        return f"Installation(suite_id={self.suite_id!r}, corpid={self.corpid!r})"


class InstallationStore(Protocol):
    """Keeps installations and tickets for all machines of an app.

    With `AsyncSuite` each method may be `async def`. Each raises `StoreError` when the store can't be read or written.
    """

    def replace(self, old: Installation | None, new: Installation | None) -> bool | Awaitable[bool]:
        """Store an installation in place of another one; return False, and change nothing, if that is not stored now.

        Compare and store in one step: so no machine undoes what another one has just stored.

        Args:
            old: What `find` has returned; None when nothing is stored of the suite at the corp.
            new: What is stored then; None for nothing.
        """
        ...

    def find(self, suite_id: str, corpid: str) -> Installation | None | Awaitable[Installation | None]:
        """Return the installation at a corp; None when the corp has none.

        Args:
            suite_id: The app.
            corpid: The corp.
        """
        ...

    def corps(self, suite_id: str) -> Sequence[str] | Awaitable[Sequence[str]]:
        """Return the corpids that have the app, in the order of their names.

        Args:
            suite_id: The app.
        """
        ...

    def save_ticket(self, suite_id: str, ticket: str, time: float) -> None | Awaitable[None]:
        """Store a suite's ticket, unless a newer one is stored: callbacks may arrive late [90628].

        Args:
            suite_id: The app.
            ticket: The ticket.
            time: Unix time in seconds at which WeCom made it (`TimeStamp`).
        """
        ...

    def ticket(self, suite_id: str) -> str | Awaitable[str]:
        """Return a suite's latest ticket; empty before the first one.

        Args:
            suite_id: The app.
        """
        ...


class MemoryInstallationStore:
    """Keeps installations in this process only: for tests."""

    def __init__(self) -> None:
        self._installations: dict[tuple[str, str], Installation] = {}
        self._tickets: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def replace(self, old: Installation | None, new: Installation | None) -> bool:
        """Store an installation in place of another one; see `InstallationStore`."""
        changed = new or old
        if changed is None:
            return True
        key = (changed.suite_id, changed.corpid)
        with self._lock:
            if self._installations.get(key) != old:
                return False
            if new is None:
                del self._installations[key]
            else:
                self._installations[key] = new
            return True

    def find(self, suite_id: str, corpid: str) -> Installation | None:
        """Return an installation; see `InstallationStore`."""
        return self._installations.get((suite_id, corpid))

    def corps(self, suite_id: str) -> Sequence[str]:
        """Return the corpids that have the app; see `InstallationStore`."""
        with self._lock:
            return sorted(corpid for suite, corpid in self._installations if suite == suite_id)

    def save_ticket(self, suite_id: str, ticket: str, time: float) -> None:
        """Store a suite's ticket; see `InstallationStore`."""
        with self._lock:
            if self._tickets.get(suite_id, (0.0, ""))[0] <= time:
                self._tickets[suite_id] = (time, ticket)

    def ticket(self, suite_id: str) -> str:
        """Return a suite's latest ticket; see `InstallationStore`."""
        return self._tickets.get(suite_id, (0.0, ""))[1]

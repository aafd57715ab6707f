"""The installations of one suite in the app's store."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from wwspec_client.errors import NotInstalledError
from wwspec_client.installations import Installation, InstallationStore
from wwspec_client.steps import Steps, ask
from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.printable import printable

_DELETING = "its data of an earlier authorisation is being deleted; calls can be made when forget() has succeeded"
_ATTEMPTS = 100
"""How often a change is decided while other machines are quicker."""


class Records:
    """Reads and changes installations. A change counts only for what it was decided by.

    Args:
        store: Keeps them.
        suite_id: The app.
    """

    def __init__(self, store: InstallationStore, suite_id: str) -> None:
        self._store = store
        self._suite_id = suite_id

    def find(self, corpid: str) -> Steps[Installation | None]:
        """Return what is stored of a corp, ready for calls or not.

        Raises:
            StoreError: The store can't be read, or mixes up corps.
        """
        found: Installation | None = yield from ask(partial(self._store.find, self._suite_id, corpid))
        if found is not None and (found.suite_id, found.corpid) != (self._suite_id, corpid):
            raise StoreError("the store of installations has returned that of another corp: compare corpids exactly")
        return found

    def ready(self, corpid: str) -> Steps[Installation]:
        """Return the installation of a corp.

        Raises:
            NotInstalledError: There is none, or the corp's data is being deleted.
            StoreError: The store can't be read.
        """
        found = yield from self.find(corpid)
        if found is None or not found.is_ready:
            raise NotInstalledError(corpid, _DELETING if found is not None and found.forgetting else "")
        return found

    def corps(self) -> Steps[Sequence[str]]:
        """Return the corps that have an installation."""
        found: Sequence[str] = yield from ask(partial(self._store.corps, self._suite_id))
        return found

    def made_by(self, digest: str) -> Steps[Installation | None]:
        """Return the installation that an auth_code was used for, by the digest of the code."""
        for corpid in (yield from self.corps()):
            found = yield from self.find(corpid)
            if found is not None and found.code_digest == digest:
                return found
        return None

    def decide(
        self, corpid: str, decide: Callable[[Installation | None], Steps[Installation | None]]
    ) -> Steps[Installation | None]:
        """Store what is decided by what is stored of a corp, and return it; None when nothing is to be stored.

        Args:
            corpid: The corp.
            decide: Returns what is to be stored. It is called anew when another machine has stored something else
                meanwhile.

        Raises:
            StoreError: The store can't be read or written, or never finds what it has returned.
        """
        for _ in range(_ATTEMPTS):
            found = yield from self.find(corpid)
            new = yield from decide(found)
            if new == found or (yield from ask(partial(self._store.replace, found, new))):
                return new
        raise StoreError(
            f"the installation of corp {printable(corpid)} is another one at each of {_ATTEMPTS} attempts to change "
            "it: replace(old, new) of the store takes what find() has returned as `old`"
        )

    def change(self, corpid: str, change: Callable[[Installation], Mapping[str, Any]]) -> Steps[Installation | None]:
        """Change fields of an installation that is ready, and return it; None when there is none."""

        def decide(found: Installation | None) -> Steps[Installation | None]:
            yield from ()
            return found if found is None or not found.is_ready else replace(found, **change(found))

        new = yield from self.decide(corpid, decide)
        return new if new is not None and new.is_ready else None

    def marked(self, found: Installation | None, corpid: str, *, keep_code: bool) -> Installation:
        """Return what is stored while a corp's data is being deleted, so that no calls are made for it.

        Args:
            found: What is stored of the corp.
            corpid: The corp.
            keep_code: Whether the corp has installed the app again.
        """
        if found is None:
            found = Installation(suite_id=self._suite_id, corpid=corpid, permanent_code="")
        wiped = {} if keep_code else {"permanent_code": "", "code_digest": ""}
        return replace(found, forgetting=True, **wiped)

    def unmark(self, corpid: str) -> Steps[None]:
        """Remove an installation that is marked; if the corp has the app again, let calls be made."""

        def decide(found: Installation | None) -> Steps[Installation | None]:
            yield from ()
            return (
                None if found is None or not found.permanent_code else replace(found, forgetting=False, refused_at=0.0)
            )

        yield from self.decide(corpid, decide)

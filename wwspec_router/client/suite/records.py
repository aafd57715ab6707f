"""The installations of one suite in the app's store."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from wwspec_router.client.errors import NotInstalledError
from wwspec_router.client.installations import Installation, InstallationStore
from wwspec_router.client.steps import Alone, Renewal, Steps, ask
from wwspec_router.errors import StoreError

_DELETING = "its data of an earlier authorisation is being deleted; calls can be made when forget() has succeeded"


class Records:
    """Reads and changes installations. In one process, one change is made at a time.

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

    def put(self, new: Installation, *, is_fresh: bool) -> Steps[Installation]:
        """Store what was got for an auth_code, and return what is stored then. Only within a change.

        Args:
            new: What was got.
            is_fresh: Whether WeCom has given it just now; otherwise what is stored may be newer.
        """
        stored = yield from self.find(new.corpid)
        if stored is not None:
            if not is_fresh and stored.permanent_code and stored.installed_at > new.installed_at:
                return stored
            new = replace(
                new,
                installed_at=max(new.installed_at, stored.installed_at),  # the clocks of machines differ
                data_until=0.0 if stored.forgetting else stored.data_until,
                forgetting=stored.forgetting,
            )
        yield from self._save(new)
        return new

    def change(self, corpid: str, change: Callable[[Installation], Mapping[str, Any]]) -> Steps[Installation | None]:
        """Change fields of an installation that is ready, and return it; None when there is none."""

        def changed() -> Steps[Installation | None]:
            found = yield from self.find(corpid)
            if found is None or not found.is_ready:
                return None
            new = replace(found, **change(found))
            if new != found:
                yield from self._save(new)
            return new

        return alone(changed)

    def mark(self, corpid: str, *, keep_code: bool) -> Steps[Installation | None]:
        """Let no calls be made for a corp, and return its installation. Only within a change.

        Args:
            corpid: The corp.
            keep_code: Whether the corp has installed the app again.
        """
        found = yield from self.find(corpid)
        if found is not None:
            wiped = {} if keep_code else {"permanent_code": "", "code_digest": ""}
            found = replace(found, forgetting=True, **wiped)
            yield from self._save(found)
        return found

    def unmark(self, marked: Installation) -> Steps[None]:
        """Remove what `mark` has returned; if the corp has the app again, let calls be made. Only within a change."""
        found = yield from self.find(marked.corpid)
        if found is not None and found.permanent_code:
            yield from self._save(replace(found, forgetting=False))
        else:
            yield from ask(partial(self._store.remove, self._suite_id, marked.corpid, marked.installed_at))

    def _save(self, installation: Installation) -> Steps[None]:
        yield from ask(partial(self._store.save, installation))


def alone(work: Callable[[], Steps[Any]]) -> Steps[Any]:
    """Make a change of installations while no other one is made in this process."""
    return (yield Alone(Renewal.INSTALLATION, work))

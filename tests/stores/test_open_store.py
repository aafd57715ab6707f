from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.rig import ManualClock, refused
from tests.support.jobs import Wrapped
from wwspec_contracts.errors import ConfigurationError, StoreFullError
from wwspec_router.stores import StoreLimits, open_store
from wwspec_router.stores.kept import KeptKey, KeptValue
from wwspec_router.stores.program_keys import instance_name
from wwspec_router.stores.sqlite.events import SqliteStore


def test_memory_opens_a_store_that_processes_do_not_share() -> None:
    with closing(open_store("memory:")) as store:
        assert isinstance(store, SqliteStore)
        assert not store.shared


def test_a_relative_path_opens_a_file_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(open_store("sqlite:var/notify.db")) as store:
        assert isinstance(store, SqliteStore)
        assert store.shared
        assert (tmp_path / "var" / "notify.db").is_file()


@pytest.mark.parametrize("scheme", ["memory", "sqlite"])
def test_limits_and_clock_reach_the_store(tmp_path: Path, scheme: str) -> None:
    url = "memory:" if scheme == "memory" else f"sqlite:{tmp_path}/a?b#c:d.db"
    clock = ManualClock()
    with closing(open_store(url, StoreLimits(max_rows=1), clock=clock)) as store:
        store.put("corp", 1, "a", "text", 10)
        with pytest.raises(StoreFullError):
            store.put("corp", 1, "b", "text", 10)
        clock.advance(10)
        store.put("corp", 1, "b", "text", 10)
    assert scheme == "memory" or (tmp_path / "a?b#c:d.db").is_file()


@pytest.mark.parametrize("url", ["redis2://:secret@host/0", "secret", "", ":secret", "SQLITE:x.db", "/secret.db"])
def test_an_unknown_scheme_is_refused_with_the_known_ones_and_without_the_url(url: str) -> None:
    with refused(r"memory:, sqlite:, redis:, .*rediss\+sentinel:, unix:", ConfigurationError):
        open_store(url)


@pytest.mark.parametrize(
    "url", ["sqlite:", "sqlite:///app/var/notify.db", "sqlite://notify.db", "sqlite::memory:", "memory:name"]
)
def test_another_spelling_is_refused_with_the_right_one(url: str) -> None:
    right = "memory: alone" if url == "memory:name" else "sqlite:var/notify.db"
    with pytest.raises(ConfigurationError, match=f"write {right}"):
        open_store(url)


def test_processes_that_begin_with_an_empty_store_at_once_give_it_one_name(tmp_path: Path) -> None:
    path = tmp_path / "notify.db"
    with closing(SqliteStore(path)) as first, closing(SqliteStore(path)) as late:

        def read_and_be_overtaken(key: KeptKey) -> KeptValue | None:
            found = late.read_kept(key)
            instance_name(first)
            return found

        name = instance_name(Wrapped(late, "read_kept", read_and_be_overtaken))
        assert name == instance_name(first) == instance_name(late)

"""What every `InstallationStore` does."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wwspec_router.client import Installation, InstallationStore
from wwspec_router.testing.stores.rig import SETTINGS, TEXTS, Loop, Suite

SUITES = ("suite", "Suite")
CORPS = ("corp", "Corp", "corp ", "corp2")
"""Names that differ by their case or their end only are two."""
TIMES = st.integers(0, 5).map(float)


def installed(suite_id: str, corpid: str, at: float = 1.0, code: str = "code") -> Installation:
    """Return an installation."""
    return Installation(suite_id=suite_id, corpid=corpid, permanent_code=code, installed_at=at)


class InstallationStoreSuite(Suite):
    """What every store of installations does; its fixture is `open_store`.

    `open_store` returns a function. Each call returns one more store of the same installations, none at first. A store
    in memory may have installations of its own.
    """

    @pytest.fixture
    def open_store(self) -> Callable[[], Any]:
        """Give the stores to try."""
        raise NotImplementedError("give the fixture open_store")

    @pytest.fixture
    def store(self, open_store: Callable[[], Any]) -> Any:
        """Return a store."""
        return open_store()

    @SETTINGS
    @given(texts=st.tuples(*[TEXTS] * 3), agentid=st.integers(0, 2**31 - 1), times=st.tuples(*[TIMES] * 2))
    def test_an_installation_is_found_as_it_was_saved(
        self,
        open_store: Callable[[], InstallationStore],
        call: Loop,
        texts: tuple[str, str, str],
        agentid: int,
        times: tuple[float, float],
    ) -> None:
        found = installed("suite", "corp", times[0], texts[0])
        found = msgspec.structs.replace(found, corp_name=texts[1], agentid=agentid, data_until=times[1])
        found = msgspec.structs.replace(found, code_digest="f" * 64, forgetting=texts[2] > "m")
        store = open_store()
        call(store.remove("suite", "corp"))
        call(store.save(found))
        assert call(store.find("suite", "corp")) == found

    def test_what_is_not_installed_is_not_found(self, store: InstallationStore, call: Loop) -> None:
        call(store.save(installed("suite", "corp")))
        for suite_id, corpid in (("other", "corp"), ("suite", "other"), ("Suite", "corp"), ("suite", "Corp")):
            assert call(store.find(suite_id, corpid)) is None
            assert call(store.remove(suite_id, corpid)) is False
        assert call(store.find("suite", "corp")) is not None

    def test_an_earlier_installation_does_not_replace_a_later_one(self, store: InstallationStore, call: Loop) -> None:
        for at, code in ((2.0, "second"), (1.0, "first"), (2.0, "of the same time")):
            call(store.save(installed("suite", "corp", at, code)))
        assert call(store.find("suite", "corp")) == installed("suite", "corp", 2.0, "of the same time")

    def test_what_was_installed_later_is_not_removed(self, store: InstallationStore, call: Loop) -> None:
        call(store.save(installed("suite", "corp", 2.0)))
        assert call(store.remove("suite", "corp", 1.9)) is False
        assert call(store.find("suite", "corp")) is not None
        assert call(store.remove("suite", "corp", 2.0)) is True
        assert call(store.find("suite", "corp")) is None
        assert call(store.remove("suite", "corp")) is False

    def test_the_corps_of_an_app_are_listed_by_their_names(self, store: InstallationStore, call: Loop) -> None:
        assert list(call(store.corps("suite"))) == []
        names = [f"corp-{number}" for number in range(30)] + ["Corp"]
        for corpid in reversed(names):
            call(store.save(installed("suite", corpid)))
        call(store.save(installed("Suite", "another")))
        assert list(call(store.corps("suite"))) == sorted(names)

    def test_the_latest_ticket_is_kept_for_each_app(self, store: InstallationStore, call: Loop) -> None:
        assert call(store.ticket("suite")) == ""
        for at, ticket in ((2.0, "second"), (1.0, "first")):
            call(store.save_ticket("suite", ticket, at))
        call(store.save_ticket("Suite", "another", 9.0))
        assert [call(store.ticket(each)) for each in SUITES] == ["second", "another"]

    def test_of_many_threads_the_latest_is_kept(self, store: InstallationStore, call: Loop) -> None:
        def save(thread: int) -> None:
            for number in range(self.rounds):
                at = float(number * self.threads + thread)
                call(store.save_ticket("suite", f"ticket-{at}", at))
                call(store.save(installed("suite", "corp", at)))

        self.together(save)
        last = float(self.rounds * self.threads - 1)
        assert call(store.ticket("suite")) == f"ticket-{last}"
        assert call(store.find("suite", "corp")) == installed("suite", "corp", last)

    def test_in_every_history_it_does_the_same_as_a_dict(self, store: InstallationStore, call: Loop) -> None:
        class Machine(_Machine):
            def __init__(self) -> None:
                super().__init__(store, call)

        self.try_histories(Machine)


class _Machine(RuleBasedStateMachine):
    """Compares a store with a dict."""

    def __init__(self, store: InstallationStore, call: Loop) -> None:
        super().__init__()
        self.store = store
        self.call = call
        self.found: dict[tuple[str, str], Installation] = {}
        for suite_id in SUITES:
            for corpid in CORPS:
                call(store.remove(suite_id, corpid))

    @rule(suite_id=st.sampled_from(SUITES), corpid=st.sampled_from(CORPS), at=TIMES, code=TEXTS)
    def save(self, suite_id: str, corpid: str, at: float, code: str) -> None:
        saved = installed(suite_id, corpid, at, code)
        self.call(self.store.save(saved))
        stored = self.found.setdefault((suite_id, corpid), saved)
        if stored.installed_at <= at:
            self.found[suite_id, corpid] = saved

    @rule(suite_id=st.sampled_from(SUITES), corpid=st.sampled_from(CORPS), until=TIMES)
    def remove(self, suite_id: str, corpid: str, until: float) -> None:
        stored = self.found.get((suite_id, corpid))
        is_removed = stored is not None and stored.installed_at <= until
        assert self.call(self.store.remove(suite_id, corpid, until)) is is_removed
        if is_removed:
            del self.found[suite_id, corpid]

    @invariant()
    def has_the_same(self) -> None:
        for suite_id in SUITES:
            expected = {corpid: found for (suite, corpid), found in self.found.items() if suite == suite_id}
            assert list(self.call(self.store.corps(suite_id))) == sorted(expected)
            assert {corpid: self.call(self.store.find(suite_id, corpid)) for corpid in expected} == expected

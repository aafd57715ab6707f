"""What every `InstallationStore` does."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wwspec_client.stores import Installation, InstallationStore
from wwspec_devtools.testing.stores.rig import SETTINGS, TEXTS, Loop, Suite

SUITES = ("suite", "Suite")
CORPS = ("corp", "Corp", "corp ", "corp2")
"""Names that differ by their case or their end only are two."""
TIMES = st.integers(0, 5).map(float)


def installed(suite_id: str, corpid: str, at: float = 1.0, code: str = "code") -> Installation:
    """Return an installation."""
    digest = sha256(code.encode()).hexdigest()
    return Installation(suite_id=suite_id, corpid=corpid, permanent_code=code, installed_at=at, code_digest=digest)


class InstallationStoreSuite(Suite):
    """What every store of installations does; its fixture is `open_store`.

    `open_store` returns a function. Each call returns one more store of the same installations, none at first. A store
    in memory may have installations of its own.
    """

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
        assert call(store.replace(call(store.find("suite", "corp")), found))
        assert call(store.find("suite", "corp")) == found

    def test_what_is_not_installed_is_not_found(self, store: InstallationStore, call: Loop) -> None:
        assert call(store.replace(None, installed("suite", "corp")))
        for suite_id, corpid in (("other", "corp"), ("suite", "other"), ("Suite", "corp"), ("suite", "Corp")):
            assert call(store.find(suite_id, corpid)) is None
            assert call(store.replace(installed(suite_id, corpid), None)) is False
        assert call(store.find("suite", "corp")) is not None

    def test_what_another_machine_has_changed_is_neither_replaced_nor_removed(
        self, store: InstallationStore, call: Loop
    ) -> None:
        first = installed("suite", "corp", at=0.1 + 0.2)
        assert call(store.replace(None, first)) is True
        assert call(store.replace(None, installed("suite", "corp", code="another"))) is False
        for change in (
            {"installed_at": 0.3},
            {"code_digest": "f" * 64},
            {"forgetting": True},
            {"refused_at": 1.0},
            {"data_until": 1.0},
            {"agentid": 1},
            {"corp_name": "Name"},
        ):
            another = msgspec.structs.replace(first, **change)
            assert call(store.replace(another, None)) is False
            assert call(store.replace(another, msgspec.structs.replace(another, permanent_code="x"))) is False
            assert call(store.find("suite", "corp")) == first
            assert call(store.replace(first, another)) is True
            assert call(store.replace(another, first)) is True
        assert call(store.replace(first, None)) is True
        assert call(store.find("suite", "corp")) is None
        assert call(store.replace(first, None)) is False

    def test_the_corps_of_an_app_are_listed_by_their_names(self, store: InstallationStore, call: Loop) -> None:
        assert list(call(store.corps("suite"))) == []
        names = [f"corp-{number}" for number in range(30)] + ["Corp"]
        for corpid in reversed(names):
            call(store.replace(None, installed("suite", corpid)))
        call(store.replace(None, installed("Suite", "another")))
        assert list(call(store.corps("suite"))) == sorted(names)

    def test_the_latest_ticket_is_kept_for_each_app(self, store: InstallationStore, call: Loop) -> None:
        assert call(store.ticket("suite")) == ""
        for at, ticket in ((2.0, "second"), (1.0, "first")):
            call(store.save_ticket("suite", ticket, at))
        call(store.save_ticket("Suite", "another", 9.0))
        assert [call(store.ticket(each)) for each in SUITES] == ["second", "another"]

    def test_of_many_threads_each_change_counts_and_the_latest_ticket_is_kept(
        self, store: InstallationStore, call: Loop
    ) -> None:
        call(store.replace(None, installed("suite", "corp")))

        def change(thread: int) -> None:
            for number in range(self.rounds):
                at = number * self.threads + thread
                call(store.save_ticket("suite", f"ticket-{at}", at))
                while True:
                    found = call(store.find("suite", "corp"))
                    assert found is not None
                    if call(store.replace(found, msgspec.structs.replace(found, agentid=found.agentid + 1))):
                        break

        self.together(change)
        changes = self.rounds * self.threads
        assert call(store.ticket("suite")) == f"ticket-{changes - 1}"
        found = call(store.find("suite", "corp"))
        assert (found.agentid if found is not None else None) == changes

    def test_in_every_history_it_does_the_same_as_a_dict(self, store: InstallationStore, call: Loop) -> None:
        self.try_histories(_Machine, store, call)


class _Machine(RuleBasedStateMachine):
    """Compares a store with a dict."""

    def __init__(self, store: InstallationStore, call: Loop) -> None:
        super().__init__()
        self.store = store
        self.call = call
        self.found: dict[tuple[str, str], Installation] = {}
        for suite_id in SUITES:
            for corpid in CORPS:
                if found := call(store.find(suite_id, corpid)):
                    call(store.replace(found, None))

    @rule(
        suite_id=st.sampled_from(SUITES),
        corpid=st.sampled_from(CORPS),
        times=st.tuples(TIMES, TIMES),
        code=TEXTS,
        knows=st.booleans(),
        removes=st.booleans(),
    )
    def replace(
        self, suite_id: str, corpid: str, times: tuple[float, float], code: str, *, knows: bool, removes: bool
    ) -> None:
        key = suite_id, corpid
        stored = self.found.get(key)
        old = stored if knows else installed(suite_id, corpid, times[0], code)
        new = None if removes else installed(suite_id, corpid, times[1], code)
        is_stored = old == stored
        assert self.call(self.store.replace(old, new)) is is_stored
        if is_stored:
            self.found.pop(key, None)
            self.found.update({key: new} if new is not None else {})

    @invariant()
    def has_the_same(self) -> None:
        for suite_id in SUITES:
            expected = {corpid: found for (suite, corpid), found in self.found.items() if suite == suite_id}
            assert list(self.call(self.store.corps(suite_id))) == sorted(expected)
            assert {corpid: self.call(self.store.find(suite_id, corpid)) for corpid in expected} == expected

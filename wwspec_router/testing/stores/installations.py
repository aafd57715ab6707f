"""What every `InstallationStore` does."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from wwspec_router.client import Installation, InstallationStore
from wwspec_router.testing.stores.rig import SETTINGS, TEXTS, Loop, Suite

SUITES, CORPS = ("suite", "Suite", "suite2"), ("corp", "Corp", "corp ", "corp2")
"""Names that differ by their case or their end only are of two."""
FIRST = Installation(suite_id="suite", corpid="corp", permanent_code="code", installed_at=10.0)


class InstallationStoreSuite(Suite):
    """What every store of installations does; its fixture is `open_store`.

    `open_store` returns a function. Each call returns one more store of the same installations, none at first.
    """

    @pytest.fixture
    def open_store(self) -> Callable[[], Any]:
        """Give the stores to try."""
        raise NotImplementedError("give the fixture open_store")

    @pytest.fixture
    def store(self, open_store: Callable[[], Any]) -> Any:
        """Return a store without installations."""
        return open_store()

    def test_a_corp_that_has_not_installed_the_app_has_no_installation(
        self, store: InstallationStore, call: Loop
    ) -> None:
        assert call(store.find("suite", "corp")) is None
        assert list(call(store.corps("suite"))) == []
        assert call(store.remove("suite", "corp")) is False
        assert call(store.ticket("suite")) == ""

    @SETTINGS
    @given(data=st.data(), texts=st.tuples(*[TEXTS] * 2))
    def test_an_installation_is_found_as_it_was_saved(
        self, store: InstallationStore, call: Loop, data: st.DataObject, texts: tuple[str, str]
    ) -> None:
        call(store.remove("suite", "corp"))
        saved = msgspec.structs.replace(
            FIRST,
            permanent_code=texts[0],
            corp_name=texts[1],
            agentid=data.draw(st.integers(0, 2**53)),
            installed_at=data.draw(st.floats(0, 2**33)),
            data_until=data.draw(st.floats(0, 2**33)),
            code_digest=data.draw(st.text("0123456789abcdef", max_size=64)),
            forgetting=data.draw(st.booleans()),
        )
        call(store.save(saved))
        assert call(store.find("suite", "corp")) == saved

    def test_no_corp_and_no_app_sees_the_installation_of_another(
        self, open_store: Callable[[], InstallationStore], call: Loop
    ) -> None:
        store, other = open_store(), open_store()
        every = [
            Installation(suite_id=suite, corpid=corp, permanent_code=f"{suite}/{corp}")
            for suite in SUITES
            for corp in CORPS
        ]
        for each in every:
            call(store.save(each))
        assert [call(other.find(each.suite_id, each.corpid)) for each in every] == every
        assert [list(call(other.corps(suite))) for suite in SUITES] == [sorted(CORPS)] * len(SUITES)
        assert call(other.remove("suite", "corp")) is True
        assert [call(store.find(each.suite_id, each.corpid)) for each in every] == [None, *every[1:]]

    def test_a_later_installation_replaces_one_and_an_earlier_one_does_not(
        self, store: InstallationStore, call: Loop
    ) -> None:
        call(store.save(FIRST))
        changed = msgspec.structs.replace(FIRST, corp_name="other")
        call(store.save(changed))
        assert call(store.find("suite", "corp")) == changed
        later = msgspec.structs.replace(FIRST, permanent_code="new", installed_at=11.0, data_until=3.0, forgetting=True)
        call(store.save(later))
        call(store.save(FIRST))
        assert call(store.find("suite", "corp")) == later

    def test_an_installation_that_is_later_than_asked_for_is_not_removed(
        self, store: InstallationStore, call: Loop
    ) -> None:
        call(store.save(FIRST))
        assert call(store.remove("suite", "corp", 9.9)) is False
        assert call(store.find("suite", "corp")) == FIRST
        assert call(store.remove("suite", "corp", 10.0)) is True
        assert call(store.find("suite", "corp")) is None

    def test_a_late_older_ticket_never_replaces_a_newer_one(self, store: InstallationStore, call: Loop) -> None:
        for ticket, made in (("t2", 2.0), ("t1", 1.0)):
            call(store.save_ticket("suite", ticket, made))
            assert call(store.ticket("suite")) == "t2"
        call(store.save_ticket("Suite", "other", 9.0))
        call(store.save_ticket("suite", "t3", 3.0))
        assert [call(store.ticket(suite)) for suite in SUITES] == ["t3", "other", ""]

    def test_of_many_tickets_at_once_the_newest_stays(
        self, open_store: Callable[[], InstallationStore], call: Loop
    ) -> None:
        for count in range(self.rounds):
            suite = f"suite-{count}"
            self.together(
                lambda number, suite=suite: call(open_store().save_ticket(suite, f"t{number}", float(number)))
            )
            assert call(open_store().ticket(suite)) == f"t{self.threads - 1}"

"""The contract of a store of kept values, also together with jobs, as tests that every backend runs."""

import json
from contextlib import closing, suppress
from itertools import product

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from msgspec import UNSET

from tests.stores.suites.job_samples import LEASE, job
from tests.stores.suites.rig import SETTINGS, ManualClock, StoreFactory, StoreFixtures, in_threads
from wwspec_contracts.errors import KeptConflictError, StoreError, StoreFullError
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.job import Job, Outcome
from wwspec_router.stores.kept import KeptKey, KeptValue, KeptWrite

LARGEST_VALUE = 65_536
KEY = KeptKey("corp", 1000002, "app", "count")
OUTCOME = Outcome(errcode=0, result="{}")
_versions = iter(range(10**9))


def write(text: str | None, key: KeptKey = KEY, **changes: object) -> KeptWrite:
    """Return a change under a name of its own."""
    fields: dict[str, object] = {"key": key, "text": text, "version": f"v{next(_versions)}"}
    return KeptWrite(**(fields | changes))  # type: ignore[arg-type]


def text_of(store: Store, key: KeptKey = KEY) -> str | None:
    value = store.read_kept(key)
    return None if value is None else value.text


def adding(counts: dict[str, int], most: int = 500, key: KeptKey = KEY, **changes: object) -> KeptWrite:
    return write(None, key, counts=counts, most=most, **changes)


def counts_of(store: Store) -> dict[str, int]:
    found: dict[str, int] = json.loads(text_of(store) or "{}")
    return found


def running(store: Store, job_id: str = "a", owner: str = "one") -> Job:
    store.add(job(job_id))
    [claimed] = store.claim(owner, 1, LEASE)
    assert store.begin(owner, job_id)
    return claimed


class KeptValuesSuite(StoreFixtures):
    """What every store of kept values must do. Subclass it and override `store_factory`."""

    @SETTINGS
    @given(text=st.text(), corpid=st.text(), agentid=st.integers(-(2**63), 2**63 - 1), space=st.text(), name=st.text())
    def test_values_come_back(self, store: Store, text: str, corpid: str, agentid: int, space: str, name: str) -> None:
        key = KeptKey(corpid, agentid, space, name)
        store.write_kept([write(text, key)])
        assert text_of(store, key) == text
        store.write_kept([write(None, key)])

    @pytest.mark.parametrize(
        "other",
        [
            KeptKey("corp2", 1000002, "app", "count"),
            KeptKey("corp", 1000003, "app", "count"),
            KeptKey("corp", 1000002, "follow", "count"),
            KeptKey("corp", 1000002, "app", "count:"),
            KeptKey("corp", 1000002, "ap", "pcount"),
        ],
    )
    def test_no_other_key_meets_a_value(self, store: Store, other: KeptKey) -> None:
        store.write_kept([write("mine")])
        assert store.read_kept(other) is None
        store.write_kept([write("theirs", other)])
        store.write_kept([write(None, other)])
        assert text_of(store) == "mine"

    def test_a_value_is_gone_at_the_end_of_its_ttl(self, store: Store, clock: ManualClock) -> None:
        store.write_kept([write("1", ttl=100)])
        clock.advance(60)
        assert text_of(store) == "1"
        clock.advance(40)
        assert text_of(store) is None
        store.write_kept([write("2", expected=None, ttl=100)])
        store.write_kept([write("3")])  # it has the new ttl
        clock.advance(86_400)
        assert text_of(store) == "3"

    def test_a_write_that_was_made_is_not_made_again(self, store: Store) -> None:
        again = write("2", expected="first", version="second")
        store.write_kept([write("1", version="first")])
        store.write_kept([again])
        store.write_kept([again])
        assert store.read_kept(KEY) == KeptValue("2", "second")

    def test_one_of_many_writers_is_the_first(self, store: Store) -> None:
        def compete(number: int) -> int:
            with suppress(KeptConflictError):
                store.write_kept([write(str(number), expected=None)])
                return 1
            return 0

        assert sum(in_threads(compete)) == 1

    def test_a_value_that_is_too_long_is_refused(self, store: Store) -> None:
        store.write_kept([write("x" * LARGEST_VALUE)])
        with pytest.raises(StoreError, match="at most 65536 bytes") as caught:
            store.write_kept([write("\u4e8b" * (LARGEST_VALUE // 3 + 1))])
        assert "\u4e8b" not in str(caught.value)
        assert text_of(store) == "x" * LARGEST_VALUE

    def test_counts_are_added_up_with_those_that_are_there(self, store: Store) -> None:
        names = {"甲": 1, 'quoted "/\n': 2, "large": 2**53}
        store.write_kept([adding(names)])
        store.write_kept([adding({"甲": 2, "new": 1, "zero": 0})])
        assert counts_of(store) == {"large": 2**53, "甲": 3, 'quoted "/\n': 2, "new": 1, "zero": 0}
        assert list(counts_of(store))[:2] == ["large", "甲"], "the largest come first"

    def test_only_the_largest_counts_are_kept_and_never_more_than_a_value_has_room_for(self, store: Store) -> None:
        store.write_kept([adding({"a": 1, "b": 3, "c": 2}, most=2)])
        assert counts_of(store) == {"b": 3, "c": 2}
        store.write_kept([adding({"a": 9}, most=2)])
        assert counts_of(store) == {"a": 9, "b": 3}
        store.write_kept([adding({f"{number:04}{'x' * 200}": number for number in range(500)}, most=500)])
        kept = counts_of(store)
        assert LARGEST_VALUE - 250 < len(text_of(store) or "") <= LARGEST_VALUE
        assert sorted(kept.values()) == list(range(500 - len(kept), 500)), "the largest"

    def test_many_that_add_at_once_lose_nothing(self, store: Store) -> None:
        in_threads(lambda number: store.write_kept([adding({"all": 1, str(number): 1})]))
        counts = counts_of(store)
        assert counts.pop("all") == len(counts) > 1
        assert set(counts.values()) == {1}

    def test_counts_are_not_added_twice_and_have_the_new_ttl(self, store: Store, clock: ManualClock) -> None:
        again = adding({"a": 1}, ttl=100)
        store.write_kept([again])
        store.write_kept([again])
        assert counts_of(store) == {"a": 1}
        clock.advance(60)
        store.write_kept([adding({"a": 1}, ttl=100)])
        clock.advance(60)
        assert counts_of(store) == {"a": 2}
        clock.advance(40)
        store.write_kept([adding({"b": 1}, ttl=100)])
        assert counts_of(store) == {"b": 1}, "what has expired does not count"

    @pytest.mark.parametrize("text", ["7", '["a"]', '{"a":"secret"}', '{"a":1.5}', "secret"])
    def test_counts_are_not_added_to_another_value(self, store: Store, text: str) -> None:
        other = KeptKey("corp", 1000002, "app", "other")
        store.write_kept([write(text)])
        with pytest.raises(StoreError, match="an object of whole numbers") as caught:
            store.write_kept([write("x", other), adding({"a": 1})])
        assert "secret" not in str(caught.value)
        assert (text_of(store), text_of(store, other)) == (text, None)

    def test_counts_count_for_the_bounds(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_kept_bytes=100))) as store:
            store.write_kept([adding({"x" * 84: 123456})])
            with pytest.raises(StoreFullError):
                store.write_kept([adding({"x" * 84: 9999999})])
            assert counts_of(store) == {"x" * 84: 123456}

    def test_counts_are_added_with_the_outcome_of_a_job_or_not_at_all(self, store: Store, clock: ManualClock) -> None:
        running(store)
        assert store.keep_outcome("one", "a", OUTCOME, [adding({"a": 1})])
        clock.advance(LEASE)
        store.claim("two", 1, LEASE)
        assert not store.finish("one", "a", [adding({"a": 1})])
        assert store.finish("two", "a", [adding({"b": 1})])
        assert counts_of(store) == {"a": 1, "b": 1}

    def test_two_changes_of_one_value_are_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="two changes of one kept value"):
            store.write_kept([write("1"), write("2")])
        assert text_of(store) is None

    def test_names_and_texts_count_for_the_bounds(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_kept_bytes=200, max_kept_bytes_of_corp=100))) as store:
            store.write_kept([write("x" * 95)])
            with pytest.raises(StoreFullError, match="200 bytes, and 100 bytes for each corp; keep less"):
                store.write_kept([write("", KeptKey("corp", 2, "app", "n"))])
            store.write_kept([write("y" * 95), write("", KeptKey("corp2", 1, "app", "n"))])
            store.write_kept([write("x" * 98, KeptKey("corp3", 1, "app", "n"))])
            with pytest.raises(StoreFullError):
                store.write_kept([write("z", KeptKey("corp4", 1, "app", "n"))])
            store.write_kept([write(None)])
            store.write_kept([write("z", KeptKey("corp4", 1, "app", "n"))])

    def test_expired_values_make_room(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        with closing(store_factory(StoreLimits(max_kept_bytes=100))) as store:
            store.write_kept([write("x" * 95, ttl=60)])
            clock.advance(60)
            store.write_kept([write("y" * 90, KeptKey("corp", 1, "app", "n"))])
            with pytest.raises(StoreFullError):
                store.write_kept([write("z" * 9, KeptKey("corp", 1, "app", "m"))])
            store.write_kept([write("z" * 8, KeptKey("corp", 1, "app", "m"))])

    def test_writes_count_with_the_outcome_and_the_end_of_a_job(self, store: Store) -> None:
        running(store)
        assert store.keep_outcome("one", "a", OUTCOME, [write("1", version="first")])
        assert text_of(store) == "1"
        assert store.keep_outcome("one", "a", OUTCOME, [write("1", version="first", expected=None)])
        assert store.finish("one", "a", [write("2")])
        assert (text_of(store), store.has_job("a")) == ("2", False)

    def test_an_owner_that_lost_its_job_writes_nothing_and_keeps_no_step(
        self, store: Store, clock: ManualClock
    ) -> None:
        running(store)
        clock.advance(LEASE)
        store.claim("two", 1, LEASE)
        assert not store.keep_outcome("one", "a", OUTCOME, [write("1")])
        assert not store.finish("one", "a", [write("1")])
        assert not store.finish("one", "a", [write("1", expected="a version that is not there")])
        assert not store.keep_step("one", "a", "fetch", "1")
        assert not store.keep_step("one", "none", "fetch", "1")
        assert (text_of(store), store.steps("a")) == (None, {})

    def test_a_conflict_keeps_neither_outcome_nor_end(self, store: Store, clock: ManualClock) -> None:
        running(store)
        store.write_kept([write("theirs")])
        with pytest.raises(KeptConflictError):
            store.keep_outcome("one", "a", OUTCOME, [write("mine", expected=None)])
        with pytest.raises(KeptConflictError):
            store.finish("one", "a", [write("mine", expected=None)])
        clock.advance(LEASE)
        [again] = store.claim("two", 1, LEASE)
        assert again.outcome is None
        assert again.suspect
        assert text_of(store) == "theirs"

    def test_an_event_or_job_is_added_with_its_writes_or_not_at_all(self, store: Store) -> None:
        mark = write("n1", expected=None)
        store.put_with_job(job("a", notify_id="n1"), 60, [mark])
        assert text_of(store) == "n1"
        with pytest.raises(KeptConflictError):
            store.add(job("b", notify_id="n2"), [write("n2", expected=None)])
        with pytest.raises(KeptConflictError):
            store.put_with_job(job("b", notify_id="n2"), 60, [write("n2", expected=None)])
        assert store.get("corp", 1000002, "n2") is None
        assert store.job_figures().waiting == 1
        store.add(job("c"), [write("n3", expected=mark.version)])
        assert text_of(store) == "n3"

    def test_a_full_journal_keeps_no_writes(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_jobs=1))) as store:
            store.add(job("a"))
            with pytest.raises(StoreFullError):
                store.add(job("b"), [write("1")])
            with pytest.raises(StoreFullError):
                store.put_with_job(job("b", notify_id="n"), 60, [write("1")])
            assert text_of(store) is None

    def test_full_kept_values_keep_no_job(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_kept_bytes=1))) as store:
            with pytest.raises(StoreFullError):
                store.put_with_job(job("b", notify_id="n"), 60, [write("1")])
            assert store.job_figures().waiting == 0
            assert store.get("corp", 1000002, "n") is None

    def test_a_store_agrees_with_a_dict(self, store_factory: StoreFactory) -> None:
        self.run_machine(lambda: KeptMachine(store_factory(StoreLimits(max_kept_bytes=BOUND))))


BOUND = 1000
"""Bytes, which are more than the machine writes."""


class KeptMachine(RuleBasedStateMachine):
    """Writes values, and compares them with a dict."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._values: dict[KeptKey, KeptValue] = {}

    keys = st.builds(
        KeptKey, st.sampled_from(["a", "b"]), st.just(1), st.sampled_from(["x", "y"]), st.sampled_from(["m", "n"])
    )

    @rule(
        changes=st.dictionaries(
            keys,
            st.tuples(st.none() | st.text(max_size=3), st.sampled_from(["any", "same", "none", "stale"])),
            max_size=3,
        )
    )
    def write(self, changes: dict[KeptKey, tuple[str | None, str]]) -> None:
        """Make several changes at once; those of a conflict change nothing."""
        writes = []
        for key, (text, what) in changes.items():
            known = self._values.get(key)
            version = None if known is None else known.version
            expected = {"any": UNSET, "same": version, "none": None, "stale": "stale"}[what]
            writes.append(write(text, key, expected=expected))
        conflict = any(
            what == "stale" or (what == "none" and key in self._values) for key, (_, what) in changes.items()
        )
        if conflict:
            with pytest.raises(KeptConflictError, match="changed by another run"):
                self._store.write_kept(writes)
            for key in changes:
                self._compare(key)
            return
        self._store.write_kept(writes)
        for each in writes:
            if each.text is None:
                self._values.pop(each.key, None)
            else:
                self._values[each.key] = KeptValue(each.text, each.version)
            self._compare(each.key)

    @rule()
    def compare_all(self) -> None:
        """Compare all values: not after each step, since each is a request to the store."""
        for corpid, space, name in product("ab", "xy", "mn"):
            self._compare(KeptKey(corpid, 1, space, name))

    @rule()
    def fill(self) -> None:
        """Fill the store to its bound, so that each byte is known to count."""
        size = sum(len(key.name.encode()) + len(value.text.encode()) for key, value in self._values.items())
        key = KeptKey("c", 1, "x", "f")
        with pytest.raises(StoreFullError):
            self._store.write_kept([write("y" * (BOUND - size), key)])
        self._store.write_kept([write("y" * (BOUND - size - 1), key)])
        self._store.write_kept([write(None, key)])

    def teardown(self) -> None:
        try:
            self.compare_all()
            self.fill()
        finally:
            self._store.close()

    def _compare(self, key: KeptKey) -> None:
        assert self._store.read_kept(key) == self._values.get(key)

"""Random operations on a journal of jobs, compared with a model of it."""

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.stores.suites.job_samples import SLACK, ageless, ids, job, job_bytes
from tests.stores.suites.rig import ManualClock, StoreFactory
from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import Demand
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.job import CLAIMED, REPORTING, RUNNING, Job, Outcome


def fails(error: Exception) -> None:
    raise AssertionError(error)


class _Entry:
    def __init__(self, new: Job, now: float) -> None:
        self.job = new
        self.added = self.due = now
        self.owner: str | None = None
        self.runs = False

    def end(self) -> None:
        self.runs = False


owners = st.sampled_from(["one", "two", "{three}"])
job_ids = st.sampled_from(["a", "b", "c:{d}", "e\nf", "😀"])
minutes = st.integers(1, 20)
abilities = st.sampled_from(["ability", "other", ""])


class JournalMachine(RuleBasedStateMachine):
    """Does random things to a small journal and to a list, and compares them.

    Two jobs that become due at the same time have no order among them that is worth a promise, unless both are new;
    claims of such are compared as sets.
    """

    LIMITS = StoreLimits(max_jobs=4, max_job_bytes=220)

    def __init__(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self._store = store_factory(self.LIMITS)
        self._model: list[_Entry] = []

    def teardown(self) -> None:
        try:
            self.compare_all()
        finally:
            self._store.close()

    @rule(job_id=job_ids, data=st.text(max_size=30), ability_id=abilities)
    def add(self, job_id: str, data: str, ability_id: str) -> None:
        """Add, or be refused exactly when the id is taken or a bound would be passed."""
        new = job(job_id, data=data, ability_id=ability_id)
        after = [*(each.job for each in self._model), new]
        if any(each.job.job_id == job_id for each in self._model):
            with pytest.raises(StoreError, match="already"):
                self._store.add(new)
        elif len(after) > self.LIMITS.max_jobs or job_bytes(*after) > self.LIMITS.max_job_bytes:
            with pytest.raises(StoreFullError):
                self._store.add(new)
        else:
            self._store.add(new)
            self._model.append(_Entry(new, self._clock()))

    @rule(
        owner=owners,
        limit=st.integers(0, 3),
        lease=minutes,
        known=st.none() | st.frozensets(abilities),
        suspects=st.none() | st.integers(0, 2),
        begins=st.booleans(),
    )
    def claim(
        self, owner: str, limit: int, lease: int, known: frozenset[str] | None, suspects: int | None, begins: bool
    ) -> None:
        """Claim the jobs that became due first, of those that the owner can run."""
        due = [each for each in self._model if each.due <= self._clock()]
        able = [each for each in due if known is None or each.job.ability_id in known]
        waiting = sorted(each.due for each in able if not each.runs)
        suspected = sorted(each.due for each in able if each.runs)[:suspects]
        claimed = self._store.claim(owner, limit, lease * 60, Demand(known=known, suspects=suspects, begins=begins))
        entries = [self._entry(each) for each in ids(claimed)]
        assert len(set(ids(claimed))) == len(claimed)
        assert all(each in able for each in entries)
        assert [each.due for each in entries] == sorted(waiting + suspected)[:limit]
        assert suspects is None or sum(each.runs for each in entries) <= suspects
        for entry, got in zip(entries, claimed, strict=True):
            entry.job = msgspec.structs.replace(entry.job, claims=entry.job.claims + 1)
            entry.owner = owner
            entry.due = self._clock() + lease * 60
            assert ageless([got]) == [msgspec.structs.replace(entry.job, suspect=entry.runs, begun=got.begun)]
            if got.begun:
                assert begins
                assert not entry.runs
                assert entry.job.outcome is None
                entry.job = msgspec.structs.replace(entry.job, attempt=entry.job.attempt + 1)
                entry.runs = True
            assert self._clock() - entry.added <= got.age < self._clock() - entry.added + SLACK

    @rule(owner=owners, job_id=job_ids)
    def begin(self, owner: str, job_id: str) -> None:
        """Begin a job, unless its outcome is kept: nobody begins what is only reported."""
        owned = self._owned(owner, job_id)
        if any(each.job.outcome is not None for each in owned):
            return
        assert self._store.begin(owner, job_id) == bool(owned)
        for each in owned:
            each.job = msgspec.structs.replace(each.job, attempt=each.job.attempt + 1)
            each.runs = True

    @rule(owner=owners, chosen=st.lists(job_ids, max_size=3))
    def excuse(self, owner: str, chosen: list[str]) -> None:
        """Clear some jobs of suspicion."""
        self._store.excuse(owner, chosen)
        for each in self._model:
            if each.owner == owner and each.job.job_id in chosen:
                each.end()

    @rule(owner=owners, chosen=st.lists(job_ids, max_size=3), lease=minutes)
    def renew(self, owner: str, chosen: list[str], lease: int) -> None:
        owned = [each for each in self._model if each.owner == owner and each.job.job_id in chosen]
        assert self._store.renew(owner, chosen, lease * 60) == {each.job.job_id for each in owned}
        for each in owned:
            each.due = self._clock() + lease * 60

    @rule(owner=owners, job_id=job_ids, errcode=st.integers(-1, 1), result=st.text(max_size=30))
    def keep_outcome(self, owner: str, job_id: str, errcode: int, result: str) -> None:
        outcome = Outcome(errcode=errcode, result=result)
        owned = self._owned(owner, job_id)
        assert self._store.keep_outcome(owner, job_id, outcome) == bool(owned)
        for each in owned:
            each.job = msgspec.structs.replace(each.job, outcome=outcome)
            each.end()

    @rule(owner=owners, job_id=job_ids, delay=st.integers(0, 20))
    def postpone(self, owner: str, job_id: str, delay: int) -> None:
        owned = self._owned(owner, job_id)
        assert self._store.postpone(owner, job_id, delay * 60) == bool(owned)
        for each in owned:
            each.owner = None
            each.end()
            each.due = self._clock() + delay * 60

    @rule(owner=owners, job_id=job_ids)
    def finish(self, owner: str, job_id: str) -> None:
        owned = self._owned(owner, job_id)
        assert self._store.finish(owner, job_id) == bool(owned)
        self._model = [each for each in self._model if each not in owned]

    @rule(owner=owners, job_id=job_ids)
    def finish_soon(self, owner: str, job_id: str) -> None:
        """Finish a job that nobody waits for; no other thread writes, so it is done at once."""
        self._store.finish_soon(owner, job_id, fails)
        owned = self._owned(owner, job_id)
        self._model = [each for each in self._model if each not in owned]

    @rule(passed=minutes)
    def let_time_pass(self, passed: int) -> None:
        self._clock.advance(passed * 60)

    @invariant()
    def figures_are_right(self) -> None:
        now = self._clock()
        figures = self._store.job_figures()
        claimed = sum(each.owner is not None and each.due > now for each in self._model)
        assert (figures.waiting, figures.claimed) == (len(self._model) - claimed, claimed)
        assert figures.bytes == job_bytes(*(each.job for each in self._model))
        age = max((now - each.added for each in self._model), default=0.0)
        assert age <= figures.oldest_age < age + SLACK

    @rule()
    def compare_all(self) -> None:
        """Compare each job: not after each step, since that is a request to the store for each of them."""
        assert all(self._store.has_job(each.job.job_id) for each in self._model)
        oldest = self._store.oldest_jobs(len(self._model) + 1)
        assert sorted(each.attempt for each in oldest) == sorted(each.job.attempt for each in self._model)
        held = sum(each.state in (CLAIMED, RUNNING, REPORTING) for each in oldest)
        assert held == sum(each.owner is not None and each.due > self._clock() for each in self._model)

    def _entry(self, job_id: str) -> _Entry:
        [entry] = [each for each in self._model if each.job.job_id == job_id]
        return entry

    def _owned(self, owner: str, job_id: str) -> list[_Entry]:
        return [each for each in self._model if each.owner == owner and each.job.job_id == job_id]

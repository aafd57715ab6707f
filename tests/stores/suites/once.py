"""The contract of a store of calls that run once, as tests that every backend runs."""

from contextlib import closing
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from tests.stores.suites.rig import SETTINGS, THREADS, ManualClock, StoreFactory, StoreFixtures, in_threads
from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.once import KeptReply, OnceClaim, OnceEntry, OnceStore

LEASE = 60.0
TTL = 1200.0
REPLY = KeptReply(text='{"order":"事 1"}')


def claim_of(key: str, token: str, request: str = "f00d") -> OnceClaim:
    """Return a claim; its parts are hexadecimal digits."""
    return OnceClaim(key=key, token=token, request=request)


ONE, OTHER = claim_of("a1", "1"), claim_of("a1", "2", "beef")
"""Two claims of one key."""


def entry_of(claim: OnceClaim, reply: KeptReply | None = None) -> OnceEntry:
    """Return what a store has of a claim that holds its key."""
    return OnceEntry(token=claim.token, request=claim.request, reply=reply)


class OnceSuite(StoreFixtures):
    """What every store of calls that run once must do. Subclass it and override `store_factory`."""

    @SETTINGS
    @given(text=st.text(), errcode=st.integers(-(2**63), 2**63 - 1))
    def test_a_reply_comes_back_as_it_was_kept(self, store: OnceStore, text: str, errcode: int) -> None:
        reply = KeptReply(text=text, errcode=errcode)
        assert store.keep_once(ONE, reply, TTL)
        assert store.claim_once(OTHER, LEASE) == entry_of(ONE, reply)

    def test_a_claim_that_holds_its_key_gets_it_again(self, store: OnceStore, clock: ManualClock) -> None:
        store.claim_once(ONE, LEASE)
        clock.advance(30)
        assert store.claim_once(ONE, LEASE) is None
        clock.advance(45)
        assert store.claim_once(OTHER, LEASE) == entry_of(ONE)

    def test_a_reply_is_kept_although_it_exceeds_the_bytes(self, store_factory: StoreFactory) -> None:
        with closing(store_factory(StoreLimits(max_once_bytes=5))) as store:
            store.claim_once(ONE, LEASE)
            assert store.keep_once(ONE, KeptReply(text="longer than that"), TTL)
            assert store.claim_once(OTHER, LEASE) is not None
            with pytest.raises(StoreFullError):
                store.claim_once(claim_of("a3", "3"), LEASE)

    def test_what_holds_a_key_is_never_dropped_for_room(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        with closing(store_factory(StoreLimits(max_once=2))) as store:
            store.claim_once(ONE, LEASE)
            store.keep_once(claim_of("a2", "2"), REPLY, TTL)
            with pytest.raises(StoreFullError, match=r"its bounds are 2 calls.*shorten the ttl"):
                store.claim_once(claim_of("a3", "3"), LEASE)
            assert store.claim_once(OTHER, LEASE) == entry_of(ONE)
            assert store.renew_once([ONE], LEASE) == {"1"}
            assert store.keep_once(ONE, REPLY, TTL)
            clock.advance(TTL)
            assert store.claim_once(claim_of("a3", "3"), LEASE) is None

    def test_a_full_store_has_room_when_many_have_ended(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        with closing(store_factory(StoreLimits(max_once=700))) as store:
            for number in range(700):
                store.claim_once(claim_of(f"{number:x}", "1"), 30)
            clock.advance(30)
            assert store.claim_once(claim_of("ffff", "1"), LEASE) is None

    def test_one_of_many_threads_gets_the_key(self, store: OnceStore) -> None:
        claims = [claim_of("a1", f"{number:x}") for number in range(THREADS)]
        found = in_threads(lambda number: store.claim_once(claims[number], LEASE))
        assert found.count(None) == 1
        holder = claims[found.index(None)]
        assert {each.token for each in found if each is not None} == {holder.token}

    @pytest.mark.parametrize("bad", ["", "A1", "g", "a" * 129, "\ud800", "a1\n"])
    def test_what_is_no_hash_is_refused(self, store: OnceStore, bad: str) -> None:
        for claim in (claim_of(bad, "1"), claim_of("a1", bad), claim_of("a1", "1", bad)):
            for call in (
                lambda claim=claim: store.claim_once(claim, LEASE),
                lambda claim=claim: store.renew_once([claim], LEASE),
                lambda claim=claim: store.keep_once(claim, REPLY, TTL),
            ):
                with pytest.raises(StoreError, match=r"must be 1 to 128 lower-case hexadecimal digits$"):
                    call()
        for key, token in ((bad, "1"), ("a1", bad)):
            with pytest.raises(StoreError):
                store.release_once(key, token)

    @pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
    def test_a_time_that_is_not_positive_and_finite_is_refused(self, store: OnceStore, bad: float) -> None:
        with pytest.raises(StoreError, match="lease must be"):
            store.claim_once(ONE, bad)
        with pytest.raises(StoreError, match="lease must be"):
            store.renew_once([ONE], bad)
        with pytest.raises(StoreError, match="ttl must be"):
            store.keep_once(ONE, REPLY, bad)
        assert store.claim_once(OTHER, LEASE) is None

    def test_a_reply_that_can_not_be_stored_is_refused_without_its_text(self, store: OnceStore) -> None:
        for reply in (KeptReply(text="secret \ud800"), KeptReply(text="secret", errcode=2**63)):
            with pytest.raises(StoreError) as caught:
                store.keep_once(ONE, reply, TTL)
            assert "secret" not in f"{caught.value} {caught.value.__context__}"

    def test_calls_do_what_a_simple_model_does(self, store_factory: StoreFactory, clock: ManualClock) -> None:
        self.run_machine(lambda: OnceMachine(store_factory(StoreLimits(max_once=3, max_once_bytes=30)), clock))


class _Held(NamedTuple):
    """What the model has under a key."""

    claim: OnceClaim
    ends: float
    reply: KeptReply | None


class OnceMachine(RuleBasedStateMachine):
    """Compares a store with a dict."""

    claims = Bundle("claims")

    def __init__(self, store: Store, clock: ManualClock) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._model: dict[str, _Held] = {}
        self._tokens = 0

    @rule(target=claims, key=st.sampled_from(["a", "b", "c", "d"]), request=st.sampled_from(["1", "2"]))
    def new_claim(self, key: str, request: str) -> OnceClaim:
        self._tokens += 1
        return claim_of(key, f"{self._tokens:x}", request)

    @rule(claim=claims, lease=st.sampled_from([60.0, 120.0]))
    def claim(self, claim: OnceClaim, lease: float) -> None:
        held = self._live().get(claim.key)
        if held is None and (len(self._live()) >= 3 or self._bytes() >= 30):
            with pytest.raises(StoreFullError):
                self._store.claim_once(claim, lease)
            return
        found = self._store.claim_once(claim, lease)
        if held is None or self._is_running(claim):
            assert found is None
            self._hold(claim, lease)
        else:
            assert found == entry_of(held.claim, held.reply)

    @rule(some=st.lists(claims, max_size=3, unique_by=lambda claim: claim.key), lease=st.sampled_from([60.0, 120.0]))
    def renew(self, some: list[OnceClaim], lease: float) -> None:
        free = [claim for claim in some if claim.key not in self._live() or self._is_running(claim)]
        assert self._store.renew_once(some, lease) == {claim.token for claim in free}
        for claim in free:
            self._hold(claim, lease)

    @rule(claim=claims, text=st.sampled_from(["", "short", "x" * 20]), ttl=st.sampled_from([90.0, 300.0]))
    def keep(self, claim: OnceClaim, text: str, ttl: float) -> None:
        held = self._live().get(claim.key)
        wanted = held is None or held.claim.token == claim.token
        assert self._store.keep_once(claim, KeptReply(text=text), ttl) is wanted
        if wanted:
            self._hold(claim, ttl, KeptReply(text=text))

    @rule(claim=claims)
    def release(self, claim: OnceClaim) -> None:
        self._store.release_once(claim.key, claim.token)
        if self._is_running(claim):
            del self._model[claim.key]

    @rule(seconds=st.sampled_from([30.0, 60.0, 200.0]))
    def let_time_pass(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def teardown(self) -> None:
        self._store.close()

    def _live(self) -> dict[str, _Held]:
        return {key: held for key, held in self._model.items() if held.ends > self._clock()}

    def _bytes(self) -> int:
        return sum(len(held.reply.text) for held in self._live().values() if held.reply is not None)

    def _is_running(self, claim: OnceClaim) -> bool:
        held = self._live().get(claim.key)
        return held is not None and held.claim.token == claim.token and held.reply is None

    def _hold(self, claim: OnceClaim, seconds: float, reply: KeptReply | None = None) -> None:
        self._model[claim.key] = _Held(claim, self._clock() + seconds, reply)

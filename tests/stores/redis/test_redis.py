import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.stores.redis.impostor import impostor
from tests.stores.redis.relay import relay_to
from tests.stores.redis.suite import RedisSuite
from tests.stores.suites.job_samples import ageless, ids, job
from tests.stores.suites.kept_values import KEY, running, write
from tests.stores.suites.notifications import fetch, notification
from tests.stores.suites.once import ONE
from tests.stores.suites.rig import SETTINGS, in_threads, refusal, refused
from tests.support.apps import ROOT
from tests.support.processes import WITH_ROUTER
from tests.support.redis_clock import RewindingClock
from tests.support.redis_server import DURABLE, LocalRedis, local_redis
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import ConfigurationError, StoreError, StoreFullError
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.stores import StoreLimits, open_store, risks_of
from wwspec_router.stores.capacity import StoreFigures
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.kept import KeptKey
from wwspec_router.stores.once import KeptReply
from wwspec_router.stores.redis.events import LAYOUT, RedisStore

PREFIX = "{zone-program}:"
KEPT = f"{PREFIX}kept:entry:corp:1000002:app:count"
CLAIMER = ROOT / "tests" / "support" / "claimer.py"


class TestRedisStore(RedisSuite):
    pass


@SETTINGS
@given(
    one=st.tuples(st.text(":%{}\n*a", max_size=4), st.integers(0, 2), st.text(":%{}\n*a", max_size=4)),
    other=st.tuples(st.text(":%{}\n*a", max_size=4), st.integers(0, 2), st.text(":%{}\n*a", max_size=4)),
)
def test_no_two_keys_are_one(store: RedisStore, one: tuple[str, int, str], other: tuple[str, int, str]) -> None:
    store.put(*one, "one", 100)
    store.put(*other, "other", 100)
    assert store.get(*other) == "other"
    assert store.get(*one) == ("other" if one == other else "one")


def test_keys_keep_to_a_name_space_and_to_plain_characters(server: LocalRedis, store: RedisStore) -> None:
    store.put("ww{1}", 7, "a:b\n*", "text", 100)
    store.add(job("a:{b}\n", ability_id="an ability"))
    store.write_kept([write("1", KeptKey("ww{1}", 7, "a:b", "*\n"))])
    events = "notify:entry:ww%7B1%7D:7:a%3Ab%0A%2A notify:expiry notify:sizes notify:bytes"
    jobs = "job:a%3A%7Bb%7D%0A jobs:waiting:an%20ability jobs:names jobs:added jobs:bytes jobs:serial"
    kept = "kept:entry:ww%7B1%7D:7:a%3Ab:%2A%0A kept:expiry kept:sizes kept:bytes kept:corps"
    names = f"layout {events} {jobs} {kept}".split()
    assert set(server.run("KEYS", "*")) == {f"{PREFIX}{each}".encode() for each in names}


def test_programs_with_different_names_or_databases_share_a_server_and_never_see_each_other(server: LocalRedis) -> None:
    limits = StoreLimits(max_rows=1, max_jobs=1)
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(open_store(url, limits, program=name)))
            for url, name in (
                (server.url, "one"),
                (server.url, "o"),
                (server.url, "\u4f1a\u8bdd {two}"),
                (f"{server.url}?prefix=one%7D", "one"),
                (f"{server.url}?db=1", "one"),
            )
        ]
        for number, each in enumerate(stores):
            each.put("corp", 1, "id", f"text {number}", 100)
            each.add(job("a", data=str(number)))
        for number, each in enumerate(stores):
            assert each.get("corp", 1, "id") == f"text {number}"
            assert each.figures().rows == each.job_figures().waiting == 1
            assert [found.data for found in each.claim("owner", 9, 100)] == [str(number)]
    prefixes = {each.partition(b":")[0] for each in server.run("KEYS", "*")}
    assert prefixes == {b"{one}", b"{o}", b"{%E4%BC%9A%E8%AF%9D%20%7Btwo%7D}", b"{one%7D}"}


@pytest.mark.parametrize("number", [str(LAYOUT - 1), str(LAYOUT + 1)])
def test_keys_of_another_layout_are_refused_with_both_numbers_and_left_alone(server: LocalRedis, number: str) -> None:
    with closing(open_store(server.url, program="one")) as store:
        store.add(job("a"))
    server.run("SET", "{one}:layout", number)
    before = {key: server.run("DUMP", key) for key in server.run("KEYS", "*")}
    said = rf"{server.path}: .* has the number {number}, .* knows only {LAYOUT}: .* finish .* \?prefix=.* \{{one\}}:\*"
    with pytest.raises(StoreError, match=said):
        open_store(server.url, program="one")
    assert {key: server.run("DUMP", key) for key in server.run("KEYS", "*")} == before
    with closing(open_store(f"{server.url}?prefix=other", program="one")) as store:
        assert store.job_figures().waiting == 0


def test_a_server_that_has_lost_all_keys_under_a_running_program_is_opened_again(server: LocalRedis) -> None:
    with closing(open_store(server.url, program="one")) as store:
        server.run("FLUSHALL")
        store.add(job("a"))
        with closing(open_store(server.url, program="one")) as other:
            assert other.job_figures().waiting == 1
    assert server.run("GET", "{one}:layout") == str(LAYOUT).encode()


@pytest.mark.parametrize(("query", "program"), [("?prefix=", "name"), ("", "")])
def test_an_empty_prefix_is_refused_with_the_fix(server: LocalRedis, query: str, program: str) -> None:
    with pytest.raises(ConfigurationError, match=r"prefix.*is empty: .*\?prefix=NAME"):
        open_store(f"{server.url}{query}", program=program)


def test_the_server_itself_removes_entries_and_values_at_their_expiry(server: LocalRedis, store: RedisStore) -> None:
    store.write_kept([write("1", ttl=0.05), write("2", KeptKey("corp", 1, "app", "n"))])
    store.put("corp", 1, "short", "text", 0.05)
    store.put("corp", 1, "long", "text", 1000)
    assert 999_000 < server.run("PTTL", f"{PREFIX}notify:entry:corp:1:long") <= 1_000_000
    expiry = int(server.run("ZSCORE", f"{PREFIX}notify:expiry", "corp:1:long"))
    assert server.run("PEXPIRETIME", f"{PREFIX}notify:entry:corp:1:long") == expiry - 1  # the last millisecond it lives
    wait_until(lambda: store.get("corp", 1, "short") is None)
    wait_until(lambda: store.read_kept(KEY) is None)
    assert server.run("EXISTS", f"{PREFIX}notify:entry:corp:1:short", KEPT) == 0
    assert store.figures() == StoreFigures(rows=1, bytes=4)
    assert store.forget("corp").kept == 1


def test_a_lease_and_a_delay_end_by_the_servers_clock(store: RedisStore) -> None:
    store.add(job("a"))
    assert store.claim("one", 1, 0.05)
    wait_until(lambda: ageless(store.claim("two", 1, 1000)) == [job("a", claims=2)])
    assert store.postpone("two", "a", 0.05)
    wait_until(lambda: ageless(store.claim("two", 1, 1000)) == [job("a", claims=3)])


def test_the_books_forget_expired_entries_and_values_over_time_and_removed_ones(
    server: LocalRedis, store: RedisStore
) -> None:
    for number in range(250):
        store.put("corp", 1, f"old {number}", "text", 100)
    store.write_kept([write("1", KeptKey("corp", number, "app", "n"), ttl=60) for number in range(250)])
    store.write_kept([write("2", KeptKey("corp2", 1, "app", "n"))])
    RewindingClock(server).advance(100)
    assert server.run("ZCARD", f"{PREFIX}notify:expiry") == server.run("HLEN", f"{PREFIX}notify:sizes") == 250
    for _ in range(3):
        store.put("corp", 1, "new", "text", 100)
        store.write_kept([write(None, KeptKey("corp2", 1, "app", "n"))])
    assert server.run("ZCARD", f"{PREFIX}notify:expiry") == server.run("HLEN", f"{PREFIX}notify:sizes") == 1
    assert server.run("GET", f"{PREFIX}notify:bytes") == b"4"
    assert server.run("KEYS", f"{PREFIX}kept:*") == [f"{PREFIX}kept:bytes".encode()]
    assert server.run("GET", f"{PREFIX}kept:bytes") == b"0"


def test_figures_are_right_however_many_entries_expired(server: LocalRedis, store: RedisStore) -> None:
    for number in range(2500):
        store.put("corp", 1, str(number), "text", 100)
    store.put("corp", 1, "live", "live text", 1000)
    RewindingClock(server).advance(100)
    assert store.figures() == StoreFigures(rows=1, bytes=9)


def test_entry_or_value_that_was_deleted_by_hand_is_gone_and_can_be_put_again(
    server: LocalRedis, store: RedisStore
) -> None:
    store.put("corp", 1, "id", "text", 100)
    store.write_kept([write("1")])
    server.run("DEL", f"{PREFIX}notify:entry:corp:1:id", KEPT)
    assert (store.get("corp", 1, "id"), store.read_kept(KEY)) == (None, None)
    store.put("corp", 1, "id", "other text", 100)
    store.write_kept([write("23", expected=None)])
    assert store.figures() == StoreFigures(rows=1, bytes=10)
    assert server.run("GET", f"{PREFIX}kept:bytes") == b"7"


def test_jobs_that_were_deleted_by_hand_keep_no_other_from_being_claimed_or_listed(
    server: LocalRedis, store: RedisStore
) -> None:
    for each in "ab":
        store.add(job(each))
    server.run("DEL", f"{PREFIX}job:a")
    assert ids(store.claim("one", 2, 100)) == ["b"]
    figures = store.job_figures()
    assert (figures.waiting, figures.claimed) == (0, 1)
    for each in "cd":
        running(store, each)
        store.set_aside("one", each, Failure(error="KeyError"))
    server.run("DEL", f"{PREFIX}job:c")
    assert [each.job_id for each in store.failed_jobs("corp", 1000002, 9)] == ["d"]
    assert not store.retry("corp", 1000002, "c")


def test_two_instances_of_one_prefix_share_entries_jobs_and_bounds(server: LocalRedis) -> None:
    limits = StoreLimits(max_rows=2, max_jobs=2)
    with (
        closing(open_store(server.url, limits, program="one")) as one,
        closing(open_store(f"{server.url}?prefix=one", limits, program="other")) as other,
    ):
        assert one.shared
        one.put("corp", 1, "a", "from one", 100)
        other.put("corp", 1, "b", "from other", 100)
        assert (other.get("corp", 1, "a"), one.get("corp", 1, "b")) == ("from one", "from other")
        with pytest.raises(StoreFullError):
            one.put("corp", 1, "c", "text", 100)
        one.add(job("a"))
        other.add(job("b"))
        with pytest.raises(StoreFullError):
            other.add(job("c"))
        assert ids(other.claim("other", 1, 100)) == ["a"]
        assert ids(one.claim("one", 2, 100)) == ["b"]
        assert not one.finish("one", "a")
        assert other.finish("other", "a")


def test_reads_and_what_a_lease_ends_anyway_wait_for_no_replica(server: LocalRedis) -> None:
    waiting = f"{server.url}?wait=1&wait_timeout=0.05"
    with closing(RedisStore(server.url)) as careless, closing(RedisStore(waiting)) as store:
        for each in "ab":
            careless.add(job(each))
        with refused("0 of 1 replicas had this"):
            store.add(job("c"))
        assert ids(store.claim("one", 2, 100)) == ["a", "b"]
        assert store.begin("one", "a")
        assert store.renew("one", ["a"], 100) == {"a"}
        store.excuse("one", ["a"])
        assert store.postpone("one", "b", 1000)
        assert store.finish("one", "a")
        assert store.has_job("b")
        assert store.job_figures().waiting == len(store.oldest_jobs(9)) == 2
        assert store.unknown_names(frozenset()) == {"ability": 2}
        assert len(store.unknown_jobs(frozenset(), "corp", 1000002, 9)) == 2
        assert (store.steps("b"), store.failed_jobs("corp", 1000002, 9)) == ({}, [])
        assert store.read_kept(KeptKey("corp", 1, "space", "name")) is None
        assert store.fetch("corp", 1, "id", 100) is None
        careless.claim_once(ONE, 100)
        assert store.renew_once([ONE], 100) == {ONE.token}
        assert store.figures() == StoreFigures(rows=0, bytes=0)


def test_the_fetch_of_an_event_is_one_get_and_the_script_that_returns_a_notification_marks_it_too(
    server: LocalRedis, store: RedisStore
) -> None:
    def commands_of_a_fetch() -> dict[str, int]:
        server.run("CONFIG", "RESETSTAT")
        assert fetch(store, "notify b")
        with server.client() as client:
            return {name.removeprefix("cmdstat_"): each["calls"] for name, each in client.info("commandstats").items()}

    for each in "ab":
        store.add(notification(each))
    assert fetch(store, "notify a"), "from now on the server knows the script"
    assert commands_of_a_fetch()["evalsha"] == 1
    assert not store.has_job("b")
    assert commands_of_a_fetch() == {"get": 1} | dict.fromkeys(("config|resetstat", "hello"), 1), "and no write"


def test_processes_that_claim_at_once_get_each_job_exactly_once(server: LocalRedis, store: RedisStore) -> None:
    for number in range(200):
        store.add(job(str(number)))
    command = [sys.executable, str(CLAIMER), server.url, *"abcd"]
    claimed = subprocess.run(command, env=WITH_ROUTER, stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=True)
    assert sorted(map(int, claimed.stdout.splitlines())) == list(range(200))
    assert store.job_figures().waiting == store.job_figures().claimed == 0


def test_what_was_acknowledged_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server, closing(RedisStore(server.url)) as store:
        begun = threading.Event()

        def work(number: int) -> list[tuple[str, bool]]:
            acknowledged = []
            try:
                for step in range(1_000_000):
                    name = f"{number} {step}"
                    store.put("corp", number, name, "secret", 1000)
                    acknowledged.append((name, True))
                    store.add(job(name, data="secret"))
                    acknowledged.append((name, False))
                    if step == 20:
                        begun.set()
            except StoreError as error:
                assert "secret" not in str(error)
                assert error.__cause__ is error.__context__ is None
            return acknowledged

        def crash() -> None:
            assert begun.wait(DEADLINE)
            server.kill()

        killer = threading.Thread(target=crash)
        killer.start()
        parts = in_threads(work, 4)
        killer.join()
        for call in (lambda: store.get("corp", 1, "id"), lambda: store.add(job("late")), store.figures):
            assert "can't be reached" in refusal(call)
        server.start()
        events = [(number, name) for number, part in enumerate(parts) for name, event in part if event]
        jobs = {name for part in parts for name, event in part if not event}
        assert len(jobs) > 20
        assert all(store.get("corp", number, name) == "secret" for number, name in events)
        # Of each thread, the last write may be there though its answer was lost.
        assert store.figures().rows - len(events) in range(5)
        claimed = set(ids(store.claim("one", 1_000_000, 1000)))
        assert jobs <= claimed
        assert len(claimed) - len(jobs) in range(5)


def test_a_claim_and_an_outcome_outlive_a_server_that_is_killed(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server, closing(RedisStore(server.url)) as store:
        for each in "abc":
            store.add(job(each))
        store.claim("one", 2, 1000)
        store.keep_outcome("one", "a", Outcome(errcode=3, result="result"))
        store.finish("one", "b")
        server.kill()
        server.start()
        assert store.renew("one", ["a", "b", "c"], 1000) == {"a"}
        assert store.postpone("one", "a", 0)
        assert ageless(store.claim("two", 9, 1000)) == [
            job("c", claims=1),
            job("a", claims=2, outcome=Outcome(errcode=3, result="result")),
        ]


def test_connections_that_a_restart_broke_cost_no_call(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server, closing(RedisStore(server.url)) as store:
        in_threads(lambda number: store.put("corp", number, "id", "text", 1000), 8)
        server.kill(signal.SIGTERM)
        server.start()
        in_threads(lambda number: store.add(job(str(number))), 8)
        assert all(store.get("corp", number, "id") == "text" for number in range(8))


def test_connections_that_an_administrator_kills_cost_no_call(server: LocalRedis, store: RedisStore) -> None:
    for number in range(20):
        server.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        store.add(job(str(number)))
        store.put("corp", 1, str(number), "text", 100)
    assert store.job_figures().waiting == store.figures().rows == 20


def test_what_is_safe_to_repeat_is_repeated_when_its_answer_is_lost(server: LocalRedis) -> None:
    with relay_to(server.path) as relay, closing(RedisStore(f"redis://{relay.place}/0")) as store:
        relay.unheard(lambda: store.put("corp", 1, "id", "text", 100))
        assert relay.unheard(lambda: store.get("corp", 1, "id")) == "text"
        assert relay.unheard(store.figures) == StoreFigures(rows=1, bytes=4)
        store.add(job("a"))
        store.claim("one", 1, 100)
        assert relay.unheard(lambda: store.renew("one", ["a"], 100)) == {"a"}
        assert relay.unheard(lambda: store.keep_outcome("one", "a", Outcome(errcode=0, result="result")))
        assert relay.unheard(store.job_figures).claimed == 1
        relay.unheard(lambda: store.excuse("one", ["a"]))
        assert relay.unheard(lambda: store.has_job("a"))
        assert len(relay.unheard(lambda: store.oldest_jobs(9))) == 1
        assert relay.unheard(lambda: store.unknown_names(frozenset())) == {}
        assert relay.unheard(lambda: store.unknown_jobs(frozenset(), "corp", 1000002, 9)) == []
        assert relay.unheard(lambda: store.failed_jobs("corp", 1000002, 9)) == []
        assert relay.unheard(lambda: store.fetch("corp", 1, "none", 100)) is None
        assert relay.unheard(lambda: store.claim_once(ONE, 100)) is None
        assert relay.unheard(lambda: store.renew_once([ONE], 100)) == {ONE.token}
        assert relay.unheard(lambda: store.keep_once(ONE, KeptReply(text="{}"), 100))
        relay.unheard(lambda: store.release_once(ONE.key, ONE.token))
        relay.unheard(lambda: store.forget("corp"))
        assert store.get("corp", 1, "id") is None


def test_what_is_not_safe_to_repeat_is_an_error_when_its_answer_is_lost(server: LocalRedis) -> None:
    with relay_to(server.path) as relay, closing(RedisStore(f"redis://{relay.place}/0")) as store:

        def unheard(call: Callable[[], object]) -> None:
            relay.mode = "break"
            assert "closed the connection" in refusal(call)

        store.add(job("first"))  # from here on the server knows the scripts, and runs what it is asked at once
        store.claim("one", 1, 100)
        store.postpone("one", "first", 0)
        store.claim("one", 1, 100)
        store.finish("one", "first")
        unheard(lambda: store.add(job("a")))
        assert store.job_figures().waiting == 1
        unheard(lambda: store.claim("one", 1, 100))
        assert store.job_figures().claimed == 1
        unheard(lambda: store.postpone("one", "a", 0))
        assert ageless(store.claim("one", 1, 100)) == [job("a", claims=2)]
        unheard(lambda: store.finish("one", "a"))
        assert store.job_figures().claimed == 0


def test_an_answer_that_does_not_come_is_waited_for_once(server: LocalRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", 0.1)
    with relay_to(server.path) as relay, closing(RedisStore(f"redis://{relay.place}/0")) as store:
        store.put("corp", 1, "id", "text", 100)
        relay.mode, relay.questions = "swallow", 0
        with pytest.raises(StoreError, match="did not answer"):
            store.get("corp", 1, "id")
        assert relay.questions == 1
        assert store.get("corp", 1, "id") == "text"


def test_a_check_tells_of_a_server_that_is_away_or_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", 0.2)
    with local_redis(tmp_path) as server, closing(RedisStore(server.url)) as store:
        store.check()
        server.freeze()
        assert "did not answer" in refusal(store.check)
        server.thaw()
        wait_until(lambda: not refusal(store.check))
        server.kill()
        assert "can't be reached" in refusal(store.check)
        server.start()
        store.check()


@pytest.mark.parametrize(
    ("code", "command", "undo"),
    [
        ("READONLY", ("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        ("OOM", ("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
        (
            "NOREPLICAS",
            ("CONFIG", "SET", "min-replicas-to-write", "1"),
            ("CONFIG", "SET", "min-replicas-to-write", "0"),
        ),
        ("NOPERM", ("ACL", "SETUSER", "default", "-@write"), ("ACL", "SETUSER", "default", "+@write")),
    ],
)
def test_a_check_tells_of_a_server_that_answers_and_takes_no_writes(
    server: LocalRedis, store: RedisStore, code: str, command: tuple[str, ...], undo: tuple[str, ...]
) -> None:
    store.check()
    server.run(*command)
    try:
        assert f"({code})" in refusal(store.check)
    finally:
        server.run(*undo)
    store.check()
    assert [key for key in server.run("KEYS", f"{PREFIX}*") if b"check" in key] == []


def test_an_answer_that_comes_byte_by_byte_is_waited_for_as_long_as_one_that_does_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", 0.2)
    with impostor() as place, refused("did not answer within 0.2 seconds"):
        RedisStore(f"redis://{place}/0")


@pytest.mark.parametrize("answer", [b"+OK\r\n", b":1\r\n", b"$-1\r\n", b"*0\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_answers_and_is_no_redis_is_an_error_that_says_so(tmp_path: Path, answer: bytes) -> None:
    with held_ports(1) as [port], local_redis(tmp_path, port=port) as server:
        place = f"127.0.0.1:{port}"
        with closing(RedisStore(f"redis://{place}/0")) as store:
            store.put("corp", 1, "id", "text", 100)
            server.kill()
            with impostor(answer, port):
                for call in (
                    lambda: store.put("corp", 1, "id", "text", 100),
                    lambda: store.add(job("a")),
                    lambda: store.claim("one", 1, 100),
                    store.figures,
                    store.check,
                    lambda: RedisStore(f"redis://{place}/0"),
                ):
                    assert refusal(call) == f"{place}: what answers is no Redis server; check the address (PROTOCOL)"


def test_a_call_that_gets_no_connection_says_so_and_waits_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.TIMEOUT", 0.2)
    monkeypatch.setattr("wwspec_router.stores.redis.connection.CONNECTIONS", 1)
    with local_redis(tmp_path) as server, closing(RedisStore(server.url)) as store:
        server.freeze()
        together = threading.Barrier(8)

        def wait(number: int) -> str:
            together.wait(DEADLINE)
            return refusal(store.figures)

        try:
            errors = in_threads(wait, 8)
        finally:
            server.thaw()
        # A second wait would get the connection of one whose answer did not come.
        assert sum("all 1 connections to the server were in use for 0.2 seconds" in each for each in errors) >= 4
        wait_until(lambda: not refusal(lambda: store.get("corp", 1, "id")))


def test_a_server_that_went_away_at_the_start_is_an_error_that_names_it_without_the_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        for scheme in ("redis", "rediss"):
            with refused(f"{place}: the server can't be reached"):
                RedisStore(f"{scheme}://user:secret@{place}/0")


def test_many_threads_share_few_connections(server: LocalRedis, store: RedisStore) -> None:
    peak = 0

    def work(number: int) -> None:
        nonlocal peak
        for step in range(20):
            store.put("corp", number, str(step), "text", 1000)
            if number == 0:
                peak = max(peak, len(server.run("CLIENT", "LIST", "TYPE", "normal").splitlines()))

    in_threads(work, 64)
    assert store.figures().rows == 64 * 20
    assert 2 <= peak <= 16 + 1


def test_a_close_waits_for_fetches_and_later_ones_say_that_the_store_is_closed(
    server: LocalRedis, store: RedisStore
) -> None:
    store.put("corp", 1, "id", "text", 1000)
    begun = threading.Barrier(9)

    def work(_: int) -> bool:
        begun.wait(DEADLINE)
        try:
            while True:
                assert store.get("corp", 1, "id") == "text"
        except StoreError as error:
            return str(error) == "the store is closed"

    def close_or_work(number: int) -> bool:
        if number:
            return work(number)
        begun.wait(DEADLINE)
        store.close()
        return True

    assert all(in_threads(close_or_work, 9))
    wait_until(lambda: len(server.run("CLIENT", "LIST").splitlines()) == 1)


NO_CLUSTER = r"a Redis cluster is not supported; use a server of its own .* or a primary with replicas and sentinels"


def test_a_node_of_a_cluster_is_refused_at_the_start_with_what_to_use(tmp_path: Path) -> None:
    with held_ports(1) as [bus], local_redis(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(bus)) as node:
        with refused(NO_CLUSTER):
            open_store(node.url)
        node.run("ACL", "SETUSER", "program", "reset", "on", ">secret", "~*", "+@all", "-info")
        with (
            pytest.raises(StoreError, match=rf"{NO_CLUSTER}.*\(CLUSTERDOWN\)"),
            closing(open_store(f"unix://program:secret@{node.path}")) as store,  # INFO does not say that it is one
        ):
            store.put("corp", 1, "id", "text", 100)


@pytest.mark.parametrize("answer", ["MOVED 12182 127.0.0.1:7000", "CROSSSLOT Keys in request don't hash to one slot"])
def test_a_server_that_answers_as_a_cluster_does_is_refused_with_what_to_use(answer: str) -> None:
    class Refuse(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while header := self.rfile.readline():  # *1, then two lines for each word
                for _ in range(2 * int(header[1:])):
                    self.rfile.readline()
                self.wfile.write(f"-{answer}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(StoreError, match=rf"{NO_CLUSTER}.*\({answer.partition(' ')[0]}\)"):
                open_store(f"redis://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()


def test_a_refused_password_is_an_error_that_does_not_repeat_it(tmp_path: Path) -> None:
    with local_redis(tmp_path, *DURABLE, "--requirepass", "s:ecr@t/%") as server:
        for credentials in ("", ":secret%20@", "nobody:secret@"):
            with refused("refused the user or password"):
                RedisStore(f"unix://{credentials}{server.path}")
        for credentials in (":s%3Aecr%40t%2F%25@", "default:s%3Aecr%40t%2F%25@"):
            with closing(RedisStore(f"unix://{credentials}{server.path}")) as store:
                store.put("corp", 1, "id", "text", 100)


def test_server_whose_memory_is_full_refuses_and_stays_right(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = (*DURABLE, "--maxmemory", "4mb", "--maxmemory-policy", "noeviction")
    with local_redis(tmp_path, *options) as server, closing(RedisStore(server.url)) as store:
        stored = jobs = 0
        with refused("memory is full.*OOM"):
            for number in range(100_000):
                store.put("corp", 1, str(number), "secret" * 2000, 1000)
                stored += 1
                store.add(job(str(number), data="secret" * 2000))
                jobs += 1
        assert stored > 10
        for call in (
            lambda: store.put("corp", 1, "late", "x" * 100_000, 1000),
            lambda: store.add(job("late")),
            lambda: store.claim("one", 1, 1000),
        ):
            assert "OOM" in refusal(call)
        assert store.figures() == StoreFigures(rows=stored, bytes=12_000 * stored)
        assert store.job_figures().waiting == jobs
        server.run("CONFIG", "SET", "maxmemory", "0")
        assert store.get("corp", 1, str(stored - 1)) == "secret" * 2000
        assert [each.claims for each in store.claim("one", 100_000, 1000)] == [1] * jobs
        assert not caplog.records


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (DURABLE, []),
        (("--appendonly", "no"), ["set appendonly yes"]),
        (("--appendonly", "yes"), ["set appendfsync always"]),
        (("--appendonly", "yes", "--appendfsync", "no"), ["set appendfsync always"]),
        (
            ("--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"),
            ["set appendonly yes", "set maxmemory-policy noeviction"],
        ),
    ],
)
def test_what_a_server_may_lose_is_one_line_each(tmp_path: Path, options: tuple[str, ...], expected: list[str]) -> None:
    with local_redis(tmp_path, *options) as server, closing(open_store(server.url)) as store:
        assert [each.rpartition(": ")[2] for each in risks_of(store)] == expected


def test_a_server_that_is_too_old_is_refused(server: LocalRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwspec_router.stores.redis.connection.OLDEST", (99, 1))
    with pytest.raises(StoreError, match=r"Redis 99\.1 or later is needed, this is \d"):
        RedisStore(server.url)
    wait_until(lambda: len(server.run("CLIENT", "LIST").splitlines()) == 1)


def test_keys_of_another_program_are_a_clear_error(server: LocalRedis, store: RedisStore) -> None:
    server.run("HSET", f"{PREFIX}notify:entry:corp:1:id", "field", "secret")
    with pytest.raises(StoreError, match="another program.*WRONGTYPE"):
        store.get("corp", 1, "id")
    server.run("SET", f"{PREFIX}notify:entry:corp:1:other", b"secret\xff")
    with refused("not valid Unicode"):
        store.get("corp", 1, "other")


def test_a_missing_package_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with refused(r"pip install 'wwspec-router\[redis\]'", ConfigurationError):
        open_store("redis://127.0.0.1/0")


def test_without_hiredis_the_store_works(server: LocalRedis) -> None:
    code = """if True:
        import sys
        sys.modules["hiredis"] = None
        from wwspec_router.stores import open_store
        store = open_store(sys.argv[1])
        store.put("corp", 1, "id", "text", 100)
        assert store.get("corp", 1, "id") == "text"
        store.close()
        from redis.utils import HIREDIS_AVAILABLE
        sys.exit(HIREDIS_AVAILABLE)
    """
    assert subprocess.run([sys.executable, "-c", code, server.url], env=WITH_ROUTER, check=False).returncode == 0


def test_the_package_is_imported_only_by_who_opens_a_redis_store() -> None:
    code = "import sys, wwspec_router.stores as s; s.open_store('memory:'); sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=WITH_ROUTER, check=False).returncode == 0

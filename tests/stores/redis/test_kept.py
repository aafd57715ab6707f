from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.redis.relay import relay_to
from tests.stores.suites.job_samples import job
from tests.stores.suites.keeping import check_kept_with_jobs, keeping
from tests.stores.suites.kept_values import KEY, OUTCOME, running, text_of, write
from tests.support.redis_server import LocalRedis, local_redis
from wwspec_contracts.errors import KeptConflictError, StoreError
from wwspec_router.stores.base import Forgotten
from wwspec_router.stores.kept import KeptKey
from wwspec_router.stores.redis.events import RedisStore

PREFIX = "{zone-program}:"
MANY = 600
"""More than one script removes."""


@pytest.mark.parametrize("_kill", range(4))
def test_a_process_that_is_killed_has_kept_values_with_their_jobs_or_not_at_all(
    server: LocalRedis, store: RedisStore, _kill: int
) -> None:
    with keeping(server.url) as process:
        process.kill()
        check_kept_with_jobs(process, store)


@pytest.mark.parametrize("_kill", range(4))
def test_a_server_that_is_killed_has_kept_values_with_their_jobs_or_not_at_all(tmp_path: Path, _kill: int) -> None:
    with local_redis(tmp_path) as server, keeping(server.url) as process:
        server.kill()
        server.start()
        with closing(RedisStore(server.url)) as store:
            check_kept_with_jobs(process, store)


def test_what_makes_no_use_of_kept_values_has_no_key_of_them(server: LocalRedis, store: RedisStore) -> None:
    running(store)
    store.keep_outcome("one", "a", OUTCOME)
    store.finish("one", "a")
    store.put_with_job(job("b", notify_id="n"), 60)
    assert not [key for key in server.run("KEYS", "*") if b"kept" in key or b"failed" in key]


def test_writes_whose_answer_is_lost_are_made_once(server: LocalRedis) -> None:
    with relay_to(server.path) as relay, closing(RedisStore(f"redis://{relay.place}/0")) as store:
        store.write_kept([write("0", version="zeroth")])  # from here on the server knows the script
        relay.unheard(lambda: store.write_kept([write("1", expected="zeroth", version="first")]))
        assert text_of(store) == "1"
        running(store)
        store.keep_outcome("one", "a", OUTCOME, [write("2", expected="first", version="second")])
        assert relay.unheard(lambda: store.keep_outcome("one", "a", OUTCOME, [write("3", expected="second")]))
        assert text_of(store) == "3"
        assert relay.unheard(lambda: store.read_kept(KEY)) is not None
        assert relay.unheard(lambda: store.keep_step("one", "a", "fetch", "1"))
        assert relay.unheard(lambda: store.steps("a")) == {"fetch": "1"}


def test_the_end_of_a_job_whose_answer_is_lost_is_an_error_and_done(server: LocalRedis) -> None:
    with relay_to(server.path) as relay, closing(RedisStore(f"redis://{relay.place}/0")) as store:
        running(store)
        store.finish("one", "a", [write("1")])  # from here on the server knows the script
        running(store)
        relay.mode = "break"
        with pytest.raises(StoreError, match="closed the connection"):
            store.finish("one", "a", [write("2")])
        assert text_of(store) == "2"
        assert not store.has_job("a")
        store.write_kept([write("3", version="third")])
        relay.mode = "break"
        with pytest.raises(StoreError, match="closed the connection") as caught:
            store.write_kept([write(None, expected="third")])
        assert not isinstance(caught.value, KeptConflictError)
        assert store.read_kept(KEY) is None


@pytest.mark.slow  # much; as over SQLite
def test_a_corp_with_much_is_forgotten_in_many_scripts(server: LocalRedis, store: RedisStore) -> None:
    for number in range(MANY):
        for corpid in ("corp", "corp2"):
            store.put(corpid, 1, str(number), "text", 1000)
            store.add(job(f"{corpid} {number}", corpid=corpid))
    store.write_kept([write("1", KeptKey("corp", number, "app", "n")) for number in range(MANY)])
    store.claim("one", MANY // 2, 100)
    before = _scripts_run(server)
    assert store.forget("corp") == Forgotten(events=MANY, jobs=MANY, kept=MANY, replies=0)
    assert _scripts_run(server) - before > 3 * MANY // 200
    assert store.figures().rows == MANY
    assert (store.job_figures().waiting, store.job_figures().claimed) == (MANY * 3 // 4, MANY // 4)
    assert not [key for key in server.run("KEYS", "*") if b":corp:" in key or b"job:corp%20" in key]


def _scripts_run(server: LocalRedis) -> int:
    stats = server.run("INFO", "commandstats")
    return sum(stats[f"cmdstat_{name}"]["calls"] for name in ("eval", "evalsha") if f"cmdstat_{name}" in stats)

"""The store over a cluster of six: three primaries, each with a replica."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.stores.redis.groups import CALM, FailoverSuite, GroupStore, is_replica
from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.rig import in_threads
from tests.stores.suites.store import StoreSuite
from tests.support.redis_group import LATE, LocalCluster, local_cluster
from tests.support.redis_server import LocalRedis, local_redis
from tests.support.waiting import wait_until
from wwspec_router.errors import StoreError
from wwspec_router.stores import Store, open_store
from wwspec_router.stores.redis.events import RedisStore
from wwspec_router.testing.ports import held_ports

pytestmark = pytest.mark.slow  # six servers


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with local_cluster(tmp_path_factory.mktemp("cluster"), *CALM, down_after=LATE) as running:
        yield running


@pytest.mark.slow  # each of its hundreds of cases waits for a replica
class TestStoreOverCluster(FailoverSuite, GroupStore, StoreSuite):
    local = staticmethod(local_cluster)
    names = ("the cluster 127.0.0.1",)


def test_keys_that_another_node_took_over_cost_no_call(group: LocalCluster, primary: LocalRedis) -> None:
    with closing(open_store(group.url)) as store:
        store.add(job("before"))
        store.put("corp", 1, "id", "text", 1000)
        assert in_threads(lambda _: store.get("corp", 1, "id"), 16) == ["text"] * 16
        group.switch()
        wait_until(lambda: group.primary() is not primary and is_replica(primary))
        assert in_threads(lambda _: store.get("corp", 1, "id"), 16) == ["text"] * 16
        store.add(job("after"))
        assert ids(store.claim("one", 9, 1000)) == ["before", "after"]


def test_while_a_slot_moves_to_another_node_new_ones_are_refused_and_nothing_is_lost(
    group: LocalCluster, primary: LocalRedis
) -> None:
    target = next(each for each in group.nodes if each is not primary and each.run("ROLE")[0] == b"master")
    slot = primary.run("CLUSTER", "KEYSLOT", "{zone-program}:")
    source_id, target_id = (bytes(each.run("CLUSTER", "MYID")) for each in (primary, target))

    def move(count: int) -> int:
        keys = primary.run("CLUSTER", "GETKEYSINSLOT", slot, count)
        if keys:
            primary.run("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        return len(keys)

    with closing(open_store(group.url)) as store:
        for number in range(40):
            store.put("corp", 1, str(number), "text", 1000)
            store.add(job(str(number)))
        target.run("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        primary.run("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        move(45)
        for call in (
            lambda: store.put("corp", 1, "new", "text", 1000),
            lambda: store.add(job("new")),
            lambda: store.claim("one", 99, 0.001),
        ):
            with pytest.raises(StoreError, match="are moving to another node; try again when that is over"):
                call()
        here = {
            key.decode().rpartition(":")[2]
            for key in primary.run("CLUSTER", "GETKEYSINSLOT", slot, 99)
            if b"entry" in key
        }
        kept = here & set(map(str, range(40)))
        assert 0 < len(kept) < 40
        for found in in_threads(lambda _: {name for name in map(str, range(40)) if is_there(store, name)}, 16):
            assert found == kept
        while move(50):
            pass
        for each in (target, primary):
            each.run("CLUSTER", "SETSLOT", slot, "NODE", target_id)
        assert all(store.get("corp", 1, str(number)) == "text" for number in range(40))
        assert store.figures().rows == 40
        wait_until(lambda: store.job_figures().claimed == 0)
        assert sorted(ids(store.claim("two", 99, 1000)), key=int) == [str(number) for number in range(40)]
    target.run("FLUSHALL")


def is_there(store: Store, name: str) -> bool:
    """Tell whether an event can be fetched; the others are on another node already."""
    try:
        return store.get("corp", 1, name) == "text"
    except StoreError as error:
        assert "are moving to another node" in str(error)
        return False


def test_programs_have_their_keys_on_nodes_of_their_own(group: LocalCluster, primary: LocalRedis) -> None:
    names = [f"program-{number}" for number in range(8)]
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(open_store(group.url, program=name))) for name in names]
        for number, store in enumerate(stores):
            store.put("corp", 1, "id", str(number), 100)
            store.add(job("a"))
        assert [each.get("corp", 1, "id") for each in stores] == [str(number) for number in range(8)]
        assert all(ids(each.claim("one", 9, 100)) == ["a"] for each in stores)
    used = [node for node in group.nodes if node.run("DBSIZE") and node.run("ROLE")[0] == b"master"]
    assert len(used) > 1


def test_nodes_that_are_not_in_the_url_are_found_when_those_are_away(group: LocalCluster, primary: LocalRedis) -> None:
    first, *others = [f"127.0.0.1:{each.port}" for each in group.nodes]
    with closing(open_store(f"redis+cluster://127.0.0.1:1,{first}")) as store:
        store.put("corp", 1, "id", "text", 100)
    with closing(open_store(f"redis+cluster://{','.join(others)}")) as store:
        assert store.get("corp", 1, "id") == "text"


def test_a_single_server_is_no_cluster_and_a_node_no_single_server(group: LocalCluster, tmp_path: Path) -> None:
    [port] = [each.port for each in group.nodes if each is not group.primary()][:1]
    with (
        closing(open_store(f"redis://127.0.0.1:{group.primary().port}")),
        pytest.raises(StoreError, match=r"node of a Redis cluster; write redis\+cluster:// .*\(MOVED\)"),
        closing(open_store(f"redis://127.0.0.1:{port}")) as store,
    ):
        store.put("corp", 1, "id", "text", 100)
    with held_ports(1) as [free], local_redis(tmp_path, port=free):
        with pytest.raises(StoreError, match="this server is not part of a cluster; write redis://") as caught:
            open_store(f"redis+cluster://127.0.0.1:{free}")
        assert caught.value.__cause__ is caught.value.__context__ is None


def test_nodes_that_are_all_away_are_an_error_without_the_password() -> None:
    with pytest.raises(StoreError, match="the cluster 127.0.0.1:1,127.0.0.1:2: the server can't be reached") as caught:
        open_store("redis+cluster://user:secret@127.0.0.1:1,127.0.0.1:2")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_what_a_failover_may_lose_is_said(group: LocalCluster, durable: LocalRedis) -> None:
    with closing(RedisStore(group.url)) as store:
        assert len(store.risks) == 2
    with closing(RedisStore(f"{group.url}?wait=1")) as store:
        assert store.risks == ()

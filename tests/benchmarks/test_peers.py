"""Every peer, and the program, answers the sealed call with the very reply of the SDK."""

from pathlib import Path

import msgspec
import pytest
import redis

from benchmarks import rig
from benchmarks.contenders import PEERS, REDIS_GET, asgi_programs, missing, peer, program
from benchmarks.zones import PASSTHROUGH, SdkName, event, sync_msg_reply, zone
from tests.support.redis_server import local_redis

pytestmark = pytest.mark.nightly  # scripts/bench --test


@pytest.mark.parametrize("name", [name for name in PEERS if name != REDIS_GET])
def test_peer_answers_with_the_reply_of_the_sdk(name: str) -> None:
    if package := missing(name):
        pytest.skip(f"{package} is in requirements/bench.txt only: scripts/bench --test")
    with zone(messages=3) as served, peer(name, served) as server:
        reply = rig.ask(server.port, served)
    assert reply == msgspec.json.decode(sync_msg_reply(3))


def test_peer_of_redis_answers_with_the_text_under_its_key(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server, zone(messages=3) as served:
        with redis.Redis(unix_socket_path=str(server.path)) as client:
            client.set("event", event())
        with peer(REDIS_GET, served, server.url, "event") as started:
            fetched = rig.ask(started.port, served, "get_callback_data", data="{}", notify_id="notify-1_1")
            reply = rig.ask(started.port, served)
    assert fetched == msgspec.json.decode(event())
    assert reply == msgspec.json.decode(sync_msg_reply(3))


@pytest.mark.parametrize("sdk", ["light", "standin"])
def test_program_answers_with_the_reply_of_the_sdk(sdk: SdkName) -> None:
    with zone(messages=3, sdk=sdk) as served, program(served) as server:
        reply = rig.ask(server.port, served)
        assert rig.resident(server.pid) > 1
    assert reply == msgspec.json.decode(sync_msg_reply(3))


@pytest.mark.parametrize("threads", [0, 8])
def test_program_answers_with_the_reply_of_the_sdk_as_an_asgi_application(threads: int) -> None:
    with zone(messages=3) as served:
        for start in asgi_programs(served, rig.CORES[0], threads).values():
            with start() as server:
                assert rig.ask(server.port, served) == msgspec.json.decode(sync_msg_reply(3))


def test_processor_time_of_a_server_has_that_of_its_worker_processes() -> None:
    with zone(messages=3) as served, peer("limit-T --workers 2", served) as server:
        before = rig.processor_time(server.pid)
        rig.ask(server.port, served, data='{"cursor":"compute 100"}')
        assert rig.processor_time(server.pid) > before


def test_a_server_works_on_nothing_more_once_its_turn_is_over() -> None:
    with zone(messages=3) as served, peer("http.server threads", served) as server:
        calls = [served.seal(PASSTHROUGH, '{"cursor":"compute 20"}')]
        rig.load(server, served, connections=16, seconds=1, calls=calls)
        before = rig.processor_time(server.pid)
        rig.ask(server.port, served)
        assert rig.processor_time(server.pid) - before < 0.1


def test_a_turn_in_which_no_answer_comes_is_taken_again_with_more_time() -> None:
    with zone(messages=3) as served, peer("http.server threads", served) as server:
        calls = [served.seal(PASSTHROUGH, '{"cursor":"wait 1500"}')]
        turn = rig.load(server, served, connections=1, seconds=1, calls=calls)
    assert turn.p50 >= 1.5e6

"""What a zone program answers on its socket, and when it gives a call up."""

import contextlib
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from unittest.mock import ANY

import httpx
import pytest

from tests.serving.wire import Gate, PlainSdk, Served, Start, post, read_to_end, reply_of
from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.config import Settings
from wwspec_router.envelope import Call
from wwspec_router.http1.answers import STOPPING, Answer, plain
from wwspec_router.logs.lines import setup_logging
from wwspec_router.registry.table import AbilityTable
from wwspec_router.sdk.base import Headers
from wwspec_router.serving.calls import REFUSAL_PATIENCE, REFUSAL_THREADS
from wwspec_router.serving.program import ZoneProgram
from wwspec_router.stores import open_store

LATE = {"errcode": 710660, "errmsg": "the ability took longer than its timeout"}


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate(reply_of("late"))
    yield gate
    gate.opened.set()


def held(program: Served, gate: Gate, pool: ThreadPoolExecutor) -> Future[httpx.Response]:
    running = pool.submit(program.post, "invoke_sync_msg")
    assert gate.entered.acquire(timeout=DEADLINE)
    return running


def test_a_program_that_does_not_run_answers_a_call_with_status_503_and_is_not_ready(table: AbilityTable) -> None:
    with contextlib.closing(open_store("memory:")) as store:
        program = ZoneProgram(table, PlainSdk(), store, Settings(app=ROOT))
        answers: list[Answer | None] = []
        program.submit([], b"", answers.append)
        assert answers == [STOPPING]
        assert program.page("/readyz") == plain(503, "not running\n")


def test_one_exchange_stays_on_one_thread(start: Start) -> None:
    program = start()
    for _ in range(5):
        program.post("invoke_sync_msg")
    assert program.sdk.decoded_on == program.sdk.encoded_on
    assert all(name.startswith("wwspec-worker") for name in program.sdk.decoded_on)


class GatedSeals(PlainSdk):
    """An SDK whose threads for refusals don't get on until the test opens the gate."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate

    def decode(self, headers: Headers, body: str) -> Call:
        if threading.current_thread().name.startswith("wwspec-refusal"):
            self.gate("", "")
        return super().decode(headers, body)


def test_a_refusal_that_can_not_be_sealed_soon_is_a_bare_status(start: Start, gate: Gate) -> None:
    sealing = Gate()
    program = start(GatedSeals(sealing), threads=1, queue=0)
    program.sdk.invoke = gate

    def refused() -> httpx.Response:
        while (reply := program.post("invoke_sync_msg")).status_code == 503:
            pass  # on a busy machine even the first may come too late to be sealed
        return reply

    with ThreadPoolExecutor(3) as pool:
        running = held(program, gate, pool)
        first = [pool.submit(refused) for _ in range(REFUSAL_THREADS)]
        assert all(sealing.entered.acquire(timeout=DEADLINE) for _ in first)
        with program.connect() as late:
            late.sendall(post(more=b"connection: close\r\n"))
            assert httpx.get(f"{program.url}/healthz", trust_env=False).is_success  # so the program has read the call
            assert not wait(first, REFUSAL_PATIENCE * 2).done  # it waits for longer than it may
            sealing.opened.set()
            head, _, text = read_to_end(late).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert text == b"overloaded\n"
        assert {each.result(DEADLINE).headers["ww-sealed"] for each in first} == {"yes"}
        gate.opened.set()
        assert running.result(DEADLINE).json()["errmsg"] == "late"


def test_a_call_that_is_queued_for_long_is_refused_while_the_one_before_it_runs(start: Start, gate: Gate) -> None:
    program = start(threads=1, queue_timeout=0.1)
    program.sdk.invoke = gate
    with ThreadPoolExecutor(1) as pool:
        running = held(program, gate, pool)
        refused = program.post("invoke_sync_msg")
        assert refused.json() == {"errcode": 710660, "errmsg": "the program is overloaded, try again later"}
        gate.opened.set()
        assert running.result(DEADLINE).json()["errmsg"] == "late"
    wait_until(lambda: program.post("invoke_sync_msg").json()["errmsg"] == "late")  # a busy machine refuses it, too
    assert gate.calls == 2, "the call that was refused was run"


def test_an_ability_that_hangs_takes_no_thread_from_the_others(
    start: Start, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    program = start(threads=2, hang_after=0.1)
    program.sdk.invoke = gate
    with ThreadPoolExecutor(3) as pool:
        hanging = [pool.submit(program.post, name) for name in ("single", "invoke_sync_msg")]
        for _ in hanging:
            assert gate.entered.acquire(timeout=DEADLINE)
        wait_until(lambda: caplog.text.count("the thread was replaced") == 2)
        program.sdk.invoke = lambda api, request: reply_of("quick")
        assert program.post("single").json()["errmsg"] == "quick"
        gate.opened.set()
        assert [each.result(DEADLINE).json()["errmsg"] for each in hanging] == ["late", "late"]
    assert "a call of single has been running on wwspec-worker-" in caplog.text
    assert "it is at threading.py:" in caplog.text
    assert "< wire.py:" in caplog.text


def test_jobs_that_hang_take_no_thread_from_calls(start: Start, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    program = start(threads=1, queue=0, job_threads=1, hang_after=0.1)
    program.sdk.invoke = gate
    for number in range(2):  # the second on the thread that takes the place of the first's
        assert program.post("invoke_sync_msg", is_async=True, job_info=f"job-{number}").json()["errcode"] == 0
        assert gate.entered.acquire(timeout=DEADLINE)
        wait_until(lambda: "the thread was replaced" in caplog.text)
    program.sdk.invoke = lambda api, request: reply_of("quick")
    assert program.post("single").json()["errmsg"] == "quick"


def test_a_thread_that_hangs_is_replaced_once_another_is_back(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    program = start(threads=1, hang_after=0.1)
    hangs = [Gate(reply_of("late")), Gate(reply_of("late"))]
    gates = iter(hangs)
    program.sdk.invoke = lambda api, request: next(gates)(api, request)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(program.post, "single")
        wait_until(lambda: "the thread was replaced" in caplog.text)
        second = pool.submit(program.post, "single")
        wait_until(lambda: "no thread takes its place" in caplog.text)
        program.sdk.invoke = lambda api, request: reply_of("quick")
        hangs[0].opened.set()
        assert first.result(DEADLINE).json()["errmsg"] == "late"
        assert program.post("single").json()["errmsg"] == "quick"
        hangs[1].opened.set()
        assert second.result(DEADLINE).json()["errmsg"] == "late"
    assert caplog.text.count("has been running") == 2


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard output, with logging as JSON, undone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stdout", output := io.StringIO())
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "filters", [])
    setup_logging("DEBUG", as_json=True)
    yield output
    root.handlers[:] = handlers
    root.setLevel(level)


def test_lines_about_overload_hangs_and_lost_replies_have_a_number(
    start: Start, gate: Gate, lines: io.StringIO
) -> None:
    program = start(threads=1, queue=0, hang_after=0.1)
    program.sdk.invoke = gate
    with ThreadPoolExecutor(2) as pool:
        hanging = [pool.submit(program.post, "invoke_sync_msg")]
        assert gate.entered.acquire(timeout=DEADLINE)
        wait_until(lambda: "has been running" in lines.getvalue())
        hanging.append(pool.submit(program.post, "invoke_sync_msg"))
        assert gate.entered.acquire(timeout=DEADLINE)
        assert "overloaded" in program.post("invoke_sync_msg").json()["errmsg"]
        gate.opened.set()
        assert [each.result(DEADLINE).json()["errmsg"] for each in hanging] == ["late", "late"]
    program.sdk.fails_to_encode = True
    program.post("invoke_sync_msg")
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    numbers = {
        said: line.get("request")
        for line in records
        for said in ("has been running", "was refused", "could be sealed")
        if said in line["message"]
    }
    first = numbers["was refused"] - 2
    assert numbers == {"has been running": ANY, "was refused": first + 2, "could be sealed": first + 3}
    assert numbers["has been running"] in (first, first + 1)


def test_what_does_not_decode_is_logged_once_a_second(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    program = start()
    for _ in range(5):
        httpx.post(f"{program.url}/", content=b"not sealed", trust_env=False)
    assert 1 <= caplog.text.count("a request was not decoded") < 5


def test_a_late_call_is_answered_while_the_sdk_blocks_by_a_thread_that_decoded_it(start: Start, gate: Gate) -> None:
    program = start()
    program.sdk.invoke = gate
    response = program.post("quick_limit")
    assert (response.status_code, response.json()) == (200, LATE)
    assert program.sdk.encoded_on == [program.sdk.decoded_on[-1]]
    assert program.sdk.encoded_on[0].startswith("wwspec-refusal")


def test_a_reply_without_seal_is_no_answer_and_tells_nothing(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    program = start()
    program.sdk.fails_to_encode = True
    response = program.post("invoke_sync_msg")
    assert response.status_code == 500
    assert "secret" not in response.text + caplog.text
    assert "no reply could be sealed: RuntimeError" in caplog.text

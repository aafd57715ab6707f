"""Machines that pull at the same time, on each database: every message once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.client.archive.world import KINDS, Clock, Machine, Tenants, archived, made_tables
from tests.support.waiting import DEADLINE, wait_until


@pytest.fixture
def database(new_url: str, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """The URL of a database with empty tables, with which every machine works."""
    made_tables(new_url)
    yield new_url
    assert "can't work" not in caplog.text


def test_of_pulls_at_the_same_time_one_stores_each_page(database: str, tenants: Tenants) -> None:
    corpid = tenants.corpids[0]
    rounds = 5 if database.startswith("sqlite") else 30
    with ExitStack() as stack:
        clocks = (Clock(), Clock())
        clocks[1].now += 1_000  # for its machine each lease of others has ended: so it pulls at the same time
        machines = [
            stack.enter_context(Machine(kind, database, tenants, clock=clock, corps=[corpid], every=0.001))
            for kind, clock in zip(KINDS, clocks, strict=True)
        ]
        turn = threading.Barrier(len(machines))

        def pull(machine: Machine) -> None:
            turn.wait(DEADLINE)
            machine.run_due()

        pool = stack.enter_context(ThreadPoolExecutor(len(machines)))
        for _ in range(rounds):
            tenants.say(corpid)
            for clock in clocks:
                clock.now += 100
            list(pool.map(pull, machines))
        for clock in clocks:
            clock.now += 1_000
        for machine in machines:
            machine.run_due()
    rows = archived(database)
    assert len(rows) == len(set(rows)) == 20 + rounds


def test_machines_that_run_at_the_same_time_store_each_message_once(database: str, tenants: Tenants) -> None:
    with ExitStack() as stack:
        machines = [
            stack.enter_context(Machine(kind, database, tenants, clock=time.time, pull={"limit": 5}))
            for kind in (*KINDS, *KINDS)
        ]
        for machine in machines:
            machine.start()
        for number in range(12):
            corpid = tenants.corpids[number % 3]
            tenants.say(corpid)
            machines[number % 4].on_event(tenants.event(corpid))
        wait_until(lambda: len(archived(database)) >= 72)
        assert all(each.failures == 0 for each in machines[0].status().values())
    rows = archived(database)
    assert len(rows) == len(set(rows)) == 72

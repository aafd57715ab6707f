"""The simulated fleet does what the model computes, and what leases and limits say."""

import statistics

import pytest

from benchmarks.figures import RESULTS, read_reports
from benchmarks.fleet.cases import COMPUTED, KILLED, LARGE, MEASURED, SHORT_LEASE, SIMULATED, SMALL, costs_of
from benchmarks.fleet.model import busiest_shard, computed, full_after, walls
from benchmarks.fleet.parts import CLAIM, CLAIM_ONE, Costs, Load, Outcome, Step, costs_from, zipf
from benchmarks.fleet.simulation import Fleet

TOLERANCE = 0.05
"""Between simulation and model, for rates and shares of processors: what random arrivals leave in the seconds here."""
OF_SYNCS = 0.10
"""For the server's processor: the model takes writes as independent, and those of a job follow each other."""
PROGRAM = {"event": 0.0004, "fetch": 0.0002, "job": 0.0015, "idle": 0.002}


def costs(sync: float = 0.0003) -> Costs:
    names = ("put", "get", "ping", CLAIM, "add", "begin", "renew", "keep", "finish")
    steps = {name: Step(seconds=(20 + 5 * number) / 1e6, run=3 + number) for number, name in enumerate(names)}
    return costs_from({**steps, CLAIM_ONE: Step(seconds=90 / 1e6, run=20)}, (sync, sync / 10), 0.003, PROGRAM)


def rates(out: Outcome) -> list[float]:
    return [each / out.seconds for each in (out.sent, out.run, out.redis_seconds, out.program_seconds)]


@pytest.mark.parametrize(
    ("load", "instances", "seconds"),
    [
        (Load(), 100, 10),
        (Load(events=300), 4, 15),
        (Load(events=200, fetch_after=-1, jobs=100), 20, 40),
        (Load(jobs=2), 20, 120),
    ],
)
def test_the_simulation_agrees_with_the_model(load: Load, instances: int, seconds: float) -> None:
    out = Fleet(costs(), load, instances=instances).play(seconds)
    for simulated, said in zip(rates(out), computed(costs(), load, instances), strict=True):
        assert simulated == pytest.approx(said, rel=TOLERANCE, abs=1e-9)


def test_with_measured_costs_the_simulation_agrees_with_the_model() -> None:
    measured, load = costs_of(read_reports(RESULTS)["fleet"]), Load(events=500, jobs=100)
    out = Fleet(measured, load, instances=100).play(8)
    bounds = (TOLERANCE, TOLERANCE, OF_SYNCS, TOLERANCE)
    for simulated, said, bound in zip(rates(out), computed(measured, load, 100), bounds, strict=True):
        assert simulated == pytest.approx(said, rel=bound)


def test_the_kept_simulation_agrees_with_the_model_and_with_real_programs() -> None:
    report = read_reports(RESULTS)["fleet"]
    compared = 0
    for case in (*SMALL, *LARGE):
        for metric in ("sent", "ran", "Redis", "programs"):
            simulated, said = (report.find(case, name, metric) for name in (SIMULATED, COMPUTED))
            if simulated is None or said is None:
                continue
            bound = OF_SYNCS if metric == "Redis" else TOLERANCE
            assert simulated.median == pytest.approx(said.median, rel=bound), (case, metric)
            compared += 1
    assert compared >= 16
    for case in SMALL:  # what a program sends does not depend on how busy the machine is
        for metric in ("sent", "ran"):
            simulated, real = (report.find(case, name, metric) for name in (SIMULATED, MEASURED))
            assert simulated is not None
            assert real is not None
            assert simulated.median == pytest.approx(real.median, rel=0.15), (case, metric)
    for name in (MEASURED, SIMULATED):
        taken = report.find(KILLED, name, "taken over")
        assert taken is not None
        assert 0.5 * SHORT_LEASE < taken.median < 2 * SHORT_LEASE


def test_the_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    load = Load(events=50, jobs=20, deaths=0.5, down=1.0)
    once, again, other = (Fleet(costs(), load, instances=5, lease=3.0, seed=seed).play(10) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_commands_that_come_together_share_a_sync() -> None:
    calm = Fleet(costs(sync=0.002), Load(events=50, fetch_after=-1), instances=20).play(5)
    busy = Fleet(costs(sync=0.002), Load(events=2000, fetch_after=-1), instances=20).play(5)
    assert len(busy.events) == pytest.approx(10_000, rel=TOLERANCE)  # one sync each would allow fewer than 500 a second
    assert busy.largest_batch > calm.largest_batch
    assert busy.busy_seconds <= 5 * (1 + TOLERANCE)
    # Busy all the time, the server needs a sync for each batch, and has the rest for commands.
    work = 2000 * costs().redis["put"].seconds
    cycle = 0.002 / (1 - work)
    assert statistics.mean(busy.events) == pytest.approx(1.5 * cycle + PROGRAM["event"], rel=0.2)


def test_jobs_of_a_process_that_died_are_begun_by_others_when_their_leases_end() -> None:
    load = Load(jobs=100, job_seconds=0.5, death_at=3.05)
    out = Fleet(costs(), load, instances=10, lease=6.0).play(20)
    assert out.taken_over
    assert all(6.0 - 0.6 <= each <= 6.0 + 2 for each in out.taken_over)
    assert out.jobs_twice == len(out.taken_over)
    assert out.jobs_accepted - len(out.jobs) <= 10 * 8  # the last are still running: none is lost


def test_leases_of_processes_that_live_never_end() -> None:
    out = Fleet(costs(), Load(jobs=2, job_seconds=10.0), instances=10, lease=3.0).play(40)
    assert out.jobs
    assert (out.taken_over, out.jobs_twice) == ([], 0)


def test_a_store_is_full_when_the_model_says() -> None:
    load = Load(events=500, fetch_after=-1)
    out = Fleet(costs(), load, instances=5, max_events=1000, ttl=60).play(3)
    assert out.full_at == pytest.approx(full_after(load, 1000, ttl=60), rel=0.1)
    assert out.refused > 0
    assert out.stored == 1000


def test_a_store_whose_events_expire_in_time_is_never_full() -> None:
    load = Load(events=500, fetch_after=-1)
    assert full_after(load, 1000, ttl=1) is None
    out = Fleet(costs(), load, instances=5, max_events=1000, ttl=1).play(5)
    assert (out.refused, out.full_at) == (0, None)
    assert out.stored == pytest.approx(500, rel=0.2)


def test_few_corps_have_most_events() -> None:
    shares = zipf(10_000, 1.0)
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(2 * shares[1])
    out = Fleet(costs(), Load(events=2000, fetch_after=-1), instances=10).play(5)
    assert out.by_corp[0] / sum(out.by_corp) == pytest.approx(shares[0], rel=0.1)


def test_no_number_of_shards_has_less_on_the_busiest_than_the_busiest_corp() -> None:
    loads = [busiest_shard(shards, 10_000) for shards in (1, 2, 8, 32)]
    assert loads[0] == pytest.approx(1.0)
    assert loads == sorted(loads, reverse=True)
    assert loads[-1] >= zipf(10_000, 1.0)[0]
    assert busiest_shard(2, 3, shares=[0.0, 1.0, 0.0]) == 1.0


def test_more_processes_move_the_bound_from_the_processes_to_what_they_share() -> None:
    assert walls(costs(), 1, ttl=60)[0].name == "processes"
    assert walls(costs(), 100, ttl=1200)[0].name == "store"
    assert walls(costs(), 1000, ttl=10)[0].name == "redis"

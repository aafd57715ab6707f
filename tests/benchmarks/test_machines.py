"""The simulated machines of the zone answer each call once, and lose what was on a lost machine and nothing else."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from benchmarks.figures import RESULTS, read_reports
from benchmarks.machines.cases import AGREEMENT, CLOSED, MEASURED, ONE, SIMULATED
from benchmarks.machines.costs import costs_of
from benchmarks.machines.machine import CUT, DOWN, OVERLOAD, PATIENCE, THREADS, UNKNOWN
from benchmarks.machines.parts import App, Costs, Faults, Load, Outcome, zipf
from benchmarks.machines.simulation import Zone
from benchmarks.machines.tables import value

COSTS = Costs(event=0.0005, fetch=0.0002, pull=0.0002, put=0.0002, up=0.2)
FEW = 40
"""Corps."""


def play(load: Load, machines: int = 2, seconds: float = 20.0, **options: object) -> Outcome:
    return Zone(COSTS, load, machines, **options).play(seconds)  # type: ignore[arg-type]


faults = st.builds(
    Faults,
    lost_at=st.none() | st.floats(0, 15),
    noticed=st.floats(0, 10),
    back=st.none() | st.floats(0, 10),
    deploy_at=st.none() | st.floats(0, 10),
    drained=st.sampled_from([0.0, 2.0]),
    starts=st.floats(0, 3),
)
at_once = st.integers(1, 8)
apps = st.builds(App, every=st.sampled_from([0.0, 3.0]), fetchers=at_once, pullers=at_once, handling=st.floats(0, 1))


@pytest.mark.slow  # a second of simulation
@settings(max_examples=60, deadline=None)
@given(faults, apps, st.integers(1, 4), st.integers(0, 400), st.integers(0, 5))
def test_every_message_and_call_is_accounted_for_once(
    faults: Faults, app: App, machines: int, burst: int, seed: int
) -> None:
    load = Load(events=10, calls=5, corps=FEW, burst=burst, burst_at=3.0)
    zone = Zone(COSTS, load, machines, app=app, faults=faults, seed=seed)
    out = zone.play(20.0)  # raises when a call is answered twice
    in_work = sum(each.in_work for each in zone.machines)
    assert out.sent == out.answered + in_work
    assert out.messages == len(out.there) + out.missing
    refused = sum(out.refused_by("event").values())
    assert out.notified + refused <= out.messages <= out.notified + refused + in_work
    assert len(out.gone) == refused + out.lost_with_store
    assert out.fetched + out.lost_with_store + sum(len(each.store) for each in zone.machines) == out.notified
    if faults.lost_at is None and faults.deploy_at is None:
        assert out.lost_with_store == 0
        assert not {DOWN, UNKNOWN} & out.refused_by("fetch").keys() or OVERLOAD in out.refused_by("event")


@pytest.mark.parametrize("moment", [1.0, 1.1, 1.2, 1.3])
def test_a_call_is_answered_once_whatever_it_does_when_its_machine_is_lost(moment: float) -> None:
    slow = Costs(event=0.2, fetch=0.2, pull=0.2, put=0.1, up=0.2)
    zone = Zone(slow, Load(events=20, calls=20, corps=FEW), 2, faults=Faults(lost_at=moment, noticed=0.5), seed=3)
    out = zone.play(4.0)
    assert out.refused_by("call")[CUT] > 0
    assert out.sent == out.answered + sum(each.in_work for each in zone.machines)


def test_the_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    load = Load(events=50, calls=20, corps=FEW, burst=100)
    once, again, other = (play(load, faults=Faults(lost_at=5.0), seed=seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_a_lost_machine_loses_the_events_that_the_app_had_not_fetched_and_no_others() -> None:
    """Of two machines each has every second event; one notification is handled at a time, in 1 s."""
    moments = [0.1 * number for number in range(1, 11)]
    app = App(fetchers=1, handling=1.0)
    faults = Faults(lost_at=3.5, noticed=0.0)
    out = play(Load(moments=moments, corps=1), app=app, faults=faults, in_turn=True, seconds=30.0)
    assert out.notified == 10
    assert out.fetched + out.lost_with_store == 10
    assert 2 <= out.lost_with_store <= 4, "of its five, one or two were fetched"
    assert set(out.refused_by("fetch")) == {UNKNOWN}


def test_a_message_of_a_lost_event_is_there_only_when_its_corp_is_pulled_again() -> None:
    load, faults = Load(moments=[1.0], corps=1), Faults(lost_at=1.1, noticed=0.0, back=1.0)
    only_notified = play(load, 1, app=App(), faults=faults, seconds=60.0)
    assert (only_notified.missing, only_notified.missing_gone) == (1, 1)
    pulled = play(load, 1, app=App(every=10.0), faults=faults, seconds=60.0)
    assert pulled.missing == 0
    assert pulled.until_there(gone=True)[0] <= 10.0 + 1.0


def test_a_fetch_goes_to_the_machine_that_made_the_notify_id() -> None:
    only_fetches = Costs(event=0.0, fetch=1.0, pull=0.0, put=0.0, up=0.0)
    zone = Zone(only_fetches, Load(moments=[1.0], corps=1), 2, in_turn=True)
    assert zone.play(10.0).fetched == 1
    assert [each.work_seconds for each in zone.machines] == [1.0, 0.0]


def test_each_corp_is_pulled_again_and_again_without_notifications() -> None:
    moments = [1.0, 12.0, 23.0, 34.0]
    out = play(Load(moments=moments, corps=1), app=App(every=5.0, deaf_from=0.0), seconds=50.0)
    assert (out.fetched, out.missing) == (0, 0)
    assert max(out.there.values()) <= 5.0 + 1.0


def test_calls_are_refused_until_wecom_has_noticed_that_a_machine_is_gone() -> None:
    load = Load(calls=100, corps=1)
    noticed = [play(load, faults=Faults(lost_at=5.0, noticed=seconds)).refused_by("call") for seconds in (0.0, 5.0)]
    assert DOWN not in noticed[0]
    assert noticed[1][DOWN] == pytest.approx(5.0 * 100 / 2, rel=0.2)


def test_a_machine_that_is_taken_out_before_its_program_stops_refuses_nothing() -> None:
    load = Load(events=50, calls=50, corps=FEW)
    rolled, drained = (
        play(load, 3, app=App(every=5.0), faults=Faults(deploy_at=1.0, drained=seconds, starts=2.0), seconds=40.0)
        for seconds in (0.0, 3.0)
    )
    assert rolled.refused_by("call")[DOWN] > 0
    assert rolled.gone
    assert not drained.refused
    assert not drained.gone


def test_calls_that_wait_are_as_many_a_second_as_there_are_threads() -> None:
    cheap = Costs(event=0.0, fetch=0.0, pull=0.00005, put=0.0, up=0.0)
    out = Zone(cheap, Load(callers=2 * THREADS, corps=1), 1, app=App(hop=0.0)).play(2.0)
    assert len(out.calls) / out.seconds == pytest.approx(THREADS / (cheap.wait + cheap.pull), rel=0.1)


def test_a_burst_that_the_queue_does_not_take_is_refused_and_pulled_later() -> None:
    out = play(Load(corps=FEW, burst=8000, burst_at=1.0), 1, app=App(every=10.0), seconds=40.0)
    assert out.refused_by("event")[OVERLOAD] > 0
    assert len(out.gone) == out.refused_by("event")[OVERLOAD]
    assert out.missing == 0
    assert max(out.until_there(gone=True)) < 10.0 + PATIENCE
    assert out.connections <= THREADS + 1024


def test_the_kept_simulation_is_near_to_what_was_measured() -> None:
    report = read_reports(RESULTS)["machines"]
    agreement = {"notified": 0.0, "gone": 0.25, "call p50": 0.25, "by schedule p50": 0.4}
    bounds = [*((AGREEMENT, *each) for each in agreement.items()), (CLOSED, "rate", 0.2), (CLOSED, "p99", 0.4)]
    for case, metric, bound in bounds:
        measured, simulated = (report.find(case, name, metric) for name in (MEASURED, SIMULATED))
        assert measured is not None
        assert simulated is not None
        assert math.isclose(simulated.median, measured.median, rel_tol=bound), (case, metric)


def test_few_corps_have_most_messages() -> None:
    shares = zipf(10_000, 1.0)
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(2 * shares[1])


def test_the_costs_are_in_kept_results() -> None:
    reports = read_reports(RESULTS)
    event, fetch = (1e-6 * value(reports["machines"], ONE, metric, MEASURED) for metric in ("an event", "a fetch"))
    costs = costs_of(reports, event, fetch)
    assert 0 < costs.put < costs.fetch < costs.event < costs.up

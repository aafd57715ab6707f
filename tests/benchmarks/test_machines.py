"""The simulated machines of the zone answer each call once, and lose what was on a lost machine and nothing else."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from benchmarks.figures import RESULTS, read_reports
from benchmarks.machines.cases import AGREEMENT, CLOSED, MEASURED, SIMULATED
from benchmarks.machines.machine import DOWN, OVERLOAD, UNKNOWN
from benchmarks.machines.parts import App, Costs, Faults, Load
from benchmarks.machines.simulation import Zone

COSTS = Costs(event=0.0005, fetch=0.0002, pull=0.0002, put=0.0002, up=0.2)
FEW = 40
"""Corps."""


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


def test_the_kept_simulation_is_near_to_what_was_measured() -> None:
    report = read_reports(RESULTS)["machines"]
    agreement = {"notified": 0.0, "gone": 0.25, "call p50": 0.25, "by schedule p50": 0.4}
    bounds = [*((AGREEMENT, *each) for each in agreement.items()), (CLOSED, "rate", 0.2), (CLOSED, "p99", 0.4)]
    for case, metric, bound in bounds:
        measured, simulated = (report.find(case, name, metric) for name in (MEASURED, SIMULATED))
        assert measured is not None
        assert simulated is not None
        assert math.isclose(simulated.median, measured.median, rel_tol=bound), (case, metric)

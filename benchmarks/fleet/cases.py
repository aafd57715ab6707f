"""The cases of a fleet: what is measured, simulated and computed, and under which names a report has it."""

from benchmarks.figures import Report
from benchmarks.fleet.parts import Costs, Load, Step, costs_from

MEASURED, SIMULATED, COMPUTED, REDIS, PROGRAM = "measured", "simulated", "computed", "Redis", "program"
FEW, MANY = 4, 100
"""Programs that run, and instances that are simulated."""
SHORT_LEASE = 6.0
"""Seconds of a job's lease where a program is killed."""
MIX = Load(events=120, jobs=40)
SMALL = {f"{FEW} programs, idle": Load(), f"{FEW} programs, 120 events/s and 40 jobs/s": MIX}
KILLED = f"{FEW} programs, one killed"
LARGE = {
    f"{MANY} instances, idle": Load(),
    f"{MANY} instances, 500 events/s and 100 jobs/s": Load(events=500, jobs=100),
    f"{MANY} instances, 2,000 events/s and 400 jobs/s": Load(events=2000, jobs=400),
    f"{MANY} instances, a burst of 20,000 events": Load(events=500, jobs=100, burst=20_000),
}
DEATHS = f"{MANY} instances, one dies each 5 s"
FULL = f"{MANY} instances, 2,000 events/s until the store is full"
SHARDS = "10,000 corps, 8 shards"


KINDS = {"event": Load(events=120, fetch_after=-1), "fetch": Load(events=120), "job": Load(jobs=40)}
"""What tells the cost of each kind: a fetch costs what events with fetches cost more than events without."""
SERVER = ("a sync: seconds", "a sync: processor time", "the server alone, a second")


def costs_of(report: Report) -> Costs:
    """Return the costs that a report holds, for the simulation and the model.

    Raises:
        KeyError: It lacks one.
    """

    def value(case: str, name: str, metric: str) -> float:
        figure = report.find(case, name, metric)
        if figure is None:
            raise KeyError(f"{report.benchmark}.json has no {metric} of {name!r} in {case!r}")
        return figure.median

    commands = [each.case for each in report.figures if each.metric == "commands"]
    steps = {
        case.removeprefix("command: "): Step(value(case, REDIS, "server") / 1e6, value(case, REDIS, "commands"))
        for case in commands
    }
    program = {kind: value(f"one program: {kind}", PROGRAM, "processor") / 1e6 for kind in (*KINDS, "idle")}
    waits, works, idle = (value(case, REDIS, "server") / 1e6 for case in SERVER)
    return costs_from(steps, (waits, works), idle, program)

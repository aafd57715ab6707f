"""What does an app of 10,000 corps see of the zone's machines: in a day, a burst, a deployment, when one is lost?

`python -m benchmarks.bench_machines [--json] [--quick]`

WeCom runs a program on several machines, each with a store of its own. *simulated* is `machines/simulation.py`, with
the processor times of one program, which are measured first, other times of `results/stores.json` and `startup.json`,
and an SDK that waits 50 ms. Of a small case, *measured* is the same for real: three programs, the emulator, and an app
with receiver and archiver. The rate of one machine with 256 callers is compared with that of `results/pool.json`.
"""

from benchmarks.command import Benchmark, Effort, run
from benchmarks.figures import RESULTS, Samples, read_reports
from benchmarks.machines.cases import (
    AGREEMENT,
    BURSTS,
    BUSY,
    CLOSED,
    DAY,
    DEPLOYMENTS,
    LOST,
    LOST_FAULTS,
    MACHINES,
    MEASURED,
    ONE,
    PULLS,
    RATES,
    SIMULATED,
    WAYS,
    hours,
    needed,
    of_hour,
)
from benchmarks.machines.costs import costs_of, measure_program
from benchmarks.machines.machine import THREADS
from benchmarks.machines.parts import App, Costs, Load, Outcome, share
from benchmarks.machines.real import Seen, real, simulated
from benchmarks.machines.simulation import Zone


def measure(effort: Effort) -> Samples:
    """Simulate, and run the small case for real."""
    samples = Samples(MEASURED, corps=Load().corps, machines=MACHINES, sdk_ms=50)
    reports = read_reports(RESULTS)
    for seed in range(effort.rounds):
        event, fetch = measure_program(effort.pick(2000, 100))
        samples.add(ONE, MEASURED, "an event", "µs", event * 1e6)
        samples.add(ONE, MEASURED, "a fetch", "µs", fetch * 1e6)
        costs = costs_of(reports, event, fetch)
        seen, timeline = real(effort.pick(100, 40), effort.pick(6, 3))
        for name, each in ((MEASURED, seen), (SIMULATED, simulated(costs, timeline, seed))):
            _add_seen(samples, name, each)
        for metric, unit, scale in (("rate", "calls/s", 1.0), ("p99", "ms", 1e-3)):
            kept = reports["pool"].find(*POOL, metric)
            if kept is not None:
                samples.add(CLOSED, MEASURED, metric, unit, scale * kept.median)
        add_simulated(samples, effort, costs, seed)
    return samples


def add_simulated(samples: Samples, effort: Effort, costs: Costs, seed: int) -> None:
    """Simulate all cases but the small one."""
    seconds = effort.pick(8, 1)
    out = Zone(costs, Load(callers=THREADS), 1, app=App(hop=0.0), seed=seed).play(seconds)
    samples.add(CLOSED, SIMULATED, "rate", "calls/s", len(out.calls) / seconds)
    samples.add(CLOSED, SIMULATED, "p99", "ms", 1000 * share(out.calls, 0.99))
    for rate in RATES:
        found = needed(costs, rate, effort.pick(6, 1), seed)
        _add(samples, f"{rate:,} messages/s", found.out, machines=found.machines)
    for hour in hours():
        app = App(every=60.0)
        _add(samples, f"{DAY}, {hour}:00", Zone(costs, of_hour(hour), MACHINES, app=app, seed=seed).play(seconds))
    for way, every in WAYS.items():
        calm = Zone(costs, BUSY, MACHINES, app=App(every=every), seed=seed).play(seconds)
        _add(samples, f"{PULLS}, {way}", calm)
        lost = Zone(costs, BUSY, MACHINES, app=App(every=every), faults=LOST_FAULTS, seed=seed)
        _add(samples, f"{LOST}, {way}", lost.play(effort.pick(190, 12)))
    for case, faults in DEPLOYMENTS.items():
        out = Zone(costs, BUSY, MACHINES, app=App(every=60.0), faults=faults, seed=seed).play(effort.pick(130, 20))
        _add(samples, case, out)
    for burst in BURSTS:
        load = Load(events=BUSY.events, calls=BUSY.calls, burst=burst)
        out = Zone(costs, load, MACHINES, app=App(every=60.0), seed=seed).play(effort.pick(75, 7))
        _add(samples, f"a burst of {burst:,}", out)


def _add(samples: Samples, case: str, out: Outcome, machines: int = 0) -> None:
    """Take in what a run came to."""
    figures: list[tuple[str, str, float]] = [
        ("call p50", "ms", 1000 * share(out.calls, 0.5)),
        ("call p99", "ms", 1000 * share(out.calls, 0.99)),
        ("processor", "%", 100 * out.busiest),
        ("connections", "1", out.connections),
        ("of the app", "calls/min", 60 * sum(out.app_calls) / out.seconds),
        ("of the busiest corp", "calls/min", 60 * out.busiest_corp / out.seconds),
        ("there p50", "s", share(out.until_there(gone=False), 0.5)),
        ("there p99", "s", share(out.until_there(gone=False), 0.99)),
    ]
    if machines:
        figures.append(("needed", "machines", machines))
    gone = out.until_there(gone=True)
    if out.gone:
        figures += [
            ("messages", "1", out.messages),
            ("gone", "events", len(out.gone)),
            ("gone with a store", "events", out.lost_with_store),
            ("gone: missing", "1", out.missing_gone),
        ]
    if gone:
        parts = (("p50", 0.5), ("p99", 0.99), ("longest", 1.0))
        figures += [(f"gone: there {name}", "s", share(gone, part)) for name, part in parts]
    figures += [
        (f"{kind}: {errcode}", "refused", count)
        for kind in ("event", "call", "pull", "fetch")
        for errcode, count in out.refused_by(kind).items()
    ]
    for metric, unit, value in figures:
        samples.add(case, SIMULATED, metric, unit, value)


def _add_seen(samples: Samples, name: str, seen: Seen) -> None:
    samples.add(AGREEMENT, name, "notified", "events", seen.notified)
    samples.add(AGREEMENT, name, "gone", "events", seen.lost)
    samples.add(AGREEMENT, name, "call p50", "ms", 1000 * seen.call)
    samples.add(AGREEMENT, name, "there p50", "s", seen.notified_there)
    samples.add(AGREEMENT, name, "by schedule p50", "s", seen.pulled_there)


POOL = "HTTP: 50 ms, callers: 256", "program"
BENCHMARK = Benchmark(
    "machines",
    "What does an app of 10,000 corps see of the zone's machines: in a day, a burst, a deployment, when one is lost?",
    measure,
    rounds=1,
)

if __name__ == "__main__":
    run(BENCHMARK)

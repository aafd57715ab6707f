"""The times of one program that the simulation takes: two are measured here, the others are kept results."""

from collections.abc import Mapping, Sequence
from http.client import HTTPConnection

from benchmarks import rig
from benchmarks.contenders import PROGRAM, program
from benchmarks.figures import Report
from benchmarks.machines.parts import Costs
from benchmarks.zones import BenchmarkZone, event, zone

__all__ = ["costs_of", "measure_program"]


def measure_program(calls: int) -> tuple[float, float]:
    """Return the processor time of an event and of its fetch: one program gets so many, one after the other."""
    ids = [f"{number}_1" for number in range(calls)]
    with zone(1) as served, program(served) as server:
        events = [served.seal("", event(), call_type=2, request_id=each) for each in ids]
        fetches = [
            served.seal("get_callback_data", "{}", notify_id=f"notify-{each}", request_id=f"{each}2") for each in ids
        ]
        return _processor_time(server, served, events), _processor_time(server, served, fetches)


def costs_of(reports: Mapping[str, Report], event: float, fetch: float) -> Costs:
    """Return the costs of the simulation.

    Args:
        reports: Kept results, which have what is not measured here.
        event: Processor time of an event.
        fetch: Processor time of its fetch, and of a call that asks WeCom.
    """
    return Costs(
        event=event,
        fetch=fetch,
        pull=fetch,
        put=1 / reports["stores"].taken("event intake, SQLite, threads: 1", PROGRAM, "rate").median,
        up=reports["startup"].taken("cold start", PROGRAM, "time").median / 1e3,
    )


def _processor_time(server: rig.Server, served: BenchmarkZone, calls: Sequence[tuple[dict[str, str], str]]) -> float:
    """Send calls on one connection, and return the processor time of each."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    begun = rig.processor_time(server.pid)
    try:
        for headers, body in calls:
            reply = served.open(*rig.exchange(connection, headers, body))
            if reply.get("errcode"):
                raise RuntimeError(f"the program refused a call: {reply}")
    finally:
        connection.close()
    return (rig.processor_time(server.pid) - begun) / len(calls)

"""How the figures of a program are shown: as one line of the log, and as the reply of an ability.

Both hold numbers and ability IDs of the table, and no data of a tenant. Other modules collect the figures, and decide
when they are shown.
"""

from time import monotonic
from typing import Annotated

import msgspec
from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, Output, UnsetType
from wwspec_contracts.support.printable import short
from wwspec_router.logs.formats import Fields
from wwspec_router.monitoring.figures import Buckets, EventCounts, Snapshot, Tally, percentile

LINE_ABILITIES = 20
"""Abilities in one line, the busiest first."""
STATUS_ABILITIES = 100
"""Abilities in one reply, the busiest first."""
STATUS_ERRCODES = 100
"""Errcodes in one reply, the most frequent first."""


class AbilityStatus(Contract):
    """One ability."""

    ability_id: Annotated[str, Meta(examples=["invoke_sync_msg"])] = ""
    """Of the registry file; `(event)`, `(async)`, `(unknown)` and `(undecoded)` stand for the other calls."""
    calls: int = 0
    """Since the start."""
    errors: int = 0
    """Those of them that were answered with an errcode other than 0."""
    p50_us: int | UnsetType = UNSET
    """Half of the calls of the last one to two intervals took at most this long, in microseconds. Both are left out
    when there was none."""
    p99_us: int | UnsetType = UNSET
    """99 of 100 did."""


class ErrcodeStatus(Contract):
    """One errcode."""

    errcode: Annotated[int, Meta(examples=[710660])] = 0
    """-1 for all others when there are too many."""
    count: int = 0
    """Calls since the start that were answered with it."""


class JobStatus(Contract):
    """One asynchronous call that is not reported yet, or one event whose own code did not end yet."""

    ability_id: Annotated[str, Meta(examples=["chat_summary"])] = ""
    """Of the registry file; `event:` and the event's type; or `(unknown)`, of another program that shares the store."""
    state: Annotated[str, Meta(examples=["running"])] = ""
    """`waiting`, `postponed`, `claimed`, `running`, `reporting` (only the report is missing), or `left behind` (its
    process let the lease end)."""
    attempt: int = 0
    """How often its code began to run."""
    lease_s: int = 0
    """Seconds until another process may take it; of a postponed one until it is due."""
    age_s: int = 0
    """Seconds since it was accepted."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """How full the store is, under the names that `Status` has. Several processes may share it."""

    store_rows: int = 0
    store_bytes: int = 0
    jobs_waiting: int = 0
    jobs_claimed: int = 0
    jobs_oldest_age_s: int = 0
    notifications_unfetched: int | UnsetType = UNSET
    jobs_set_aside: int | UnsetType = UNSET
    jobs_forgotten: int | UnsetType = UNSET
    oldest_jobs: list[JobStatus] = []


class Status(Output):
    """How the program is doing, all its worker processes together. Counts are since the start."""

    uptime: int = 0
    """Seconds since the first of its processes started."""
    start_id: str = ""
    """Tells this start of the program from other starts of it, also from those of other machines."""
    processes: int = 0
    """Worker processes that run."""
    calls: int = 0
    """Calls, events included."""
    errors: list[ErrcodeStatus] = []
    """The errcodes other than 0 that they were answered with, the most frequent first; at most 100."""
    busy: int = 0
    """Worker threads that run a call."""
    threads: int = 0
    """Worker threads, busy or idle."""
    queued: int = 0
    """Calls that wait for a thread."""
    hung: int = 0
    """Worker threads that were replaced, since their call does not end."""
    queue_p50_us: int | UnsetType = UNSET
    """Half of the calls of the last one to two intervals waited at most this long, in microseconds. Both are left out
    when there was none."""
    queue_p99_us: int | UnsetType = UNSET
    """99 of 100 did."""
    abilities: list[AbilityStatus] = []
    """Those that were called, the busiest first; at most 100."""
    jobs_ended: int = 0
    """Asynchronous calls that were run to their end, or ended with an error in its place."""
    jobs_failed: int = 0
    """Those of them whose outcome is an errcode other than 0."""
    jobs_given_up: int = 0
    """Asynchronous calls whose report the platform never accepted."""
    events_ended: int | UnsetType = UNSET
    """Events whose own code ended, or is not run again. These five are left out as long as all of them are 0."""
    events_retried: int | UnsetType = UNSET
    """Runs of such code that failed and were followed by another."""
    events_failed: int | UnsetType = UNSET
    """Events whose code failed in its last run."""
    events_given_up: int | UnsetType = UNSET
    """Events whose code ended, but which could not be stored for the app."""
    events_unfetched: int | UnsetType = UNSET
    """What `ctx.notify` and results told the app, and it did not fetch within `told_for`."""
    store: Annotated[str, Meta(examples=["ok"])] = "ok"
    """`ok`, or `unavailable`: what follows is 0 then, but for jobs_running."""
    store_rows: int = 0
    """Events kept, fetched or not: each counts until `notify_ttl` is over."""
    store_bytes: int = 0
    """Bytes of their text."""
    jobs_running: int = 0
    """Asynchronous calls that a process of this program has claimed."""
    jobs_waiting: int = 0
    """Asynchronous calls that no process has claimed."""
    jobs_claimed: int = 0
    """Asynchronous calls that a process has claimed, of all programs that share the store."""
    notifications_unfetched: int | UnsetType = UNSET
    """What `ctx.notify` and results tell the app, and it has not fetched; left out when it is 0."""
    jobs_set_aside: int | UnsetType = UNSET
    """Asynchronous calls, events and unfetched notifications that failed for good, and can be run again: see
    `kind = "jobs"`. These two are left out as long as both of them are 0."""
    jobs_forgotten: int | UnsetType = UNSET
    """Those of them that had to leave since the store was made, because there were more than 10,000."""
    jobs_oldest_age_s: int = 0
    """Seconds since the oldest asynchronous call that is not reported yet was accepted."""
    oldest_jobs: list[JobStatus] = []
    """The oldest of these calls, and of the events that own code runs on, the very oldest first; at most 20."""


def status_of(snapshot: Snapshot, stored: Stored | None) -> Status:
    """Return the figures as a reply.

    Args:
        snapshot: The program's, all its processes together.
        stored: How full the store is; None when it can't say.
    """
    events = msgspec.structs.asdict(snapshot.events) if snapshot.events != EventCounts() else {}
    errcodes = sorted(snapshot.errcodes.items(), key=lambda each: (-each[1], each[0]))
    return Status(
        uptime=max(0, int(monotonic() - snapshot.started)),
        start_id=f"{snapshot.started:.6f}",  # the clock of each machine has begun at another time
        processes=snapshot.processes,
        calls=snapshot.calls,
        errors=[ErrcodeStatus(errcode=code, count=count) for code, count in errcodes[:STATUS_ERRCODES]],
        queue_p50_us=_microseconds(snapshot.waited, 50),
        queue_p99_us=_microseconds(snapshot.waited, 99),
        abilities=_busiest(snapshot, Snapshot(), STATUS_ABILITIES)[0],
        store="ok" if stored else "unavailable",
        **msgspec.structs.asdict(stored or Stored()),
        **msgspec.structs.asdict(snapshot.gauges),
        **{f"jobs_{name}": count for name, count in msgspec.structs.asdict(snapshot.jobs).items()},
        **{f"events_{name}": count for name, count in events.items()},
    )


def figures_of(now: Snapshot, before: Snapshot, stored: Stored | None) -> Fields:
    """Return the figures for one line of the log: what was counted since `before`, and the state now.

    Args:
        now: The program's figures.
        before: The same at the end of the last interval.
        stored: How full the store is; None when it can't say.
    """
    errcodes = {code: count - before.errcodes.get(code, 0) for code, count in now.errcodes.items()}
    errcodes = {code: count for code, count in sorted(errcodes.items()) if count > 0}
    calls: dict[str, int | str] = {
        "processes": now.processes,
        "calls": max(0, now.calls - before.calls),
        "errors": max(0, now.errors - before.errors),
    }
    parts: dict[str, int | str] = {
        **msgspec.structs.asdict(now.gauges),
        **_counts("jobs", now.jobs, before.jobs),
        **(_counts("events", now.events, before.events) if now.events != EventCounts() else {}),
    }
    waits = {f"queue_p{percent}_us": _microseconds(now.waited, percent) for percent in (50, 99)}
    parts |= {name: wait for name, wait in waits.items() if wait is not UNSET}
    if stored is None:
        parts["store"] = "unavailable"
    else:
        kept = msgspec.to_builtins(stored)
        del kept["oldest_jobs"]
        parts |= {"jobs_oldest_s" if name == "jobs_oldest_age_s" else name: figure for name, figure in kept.items()}
    by_errcode = {f"errcode_{code}": count for code, count in errcodes.items()}
    texts = [" ".join(f"{key}={value}" for key, value in (calls | by_errcode | parts).items())]
    abilities, more = _busiest(now, before, LINE_ABILITIES)
    for each in abilities:
        numbers = (f"{name}={value}" for name, value in _numbers(each).items())
        texts.append(" ".join([short(each.ability_id, 64), *numbers]))
    if more:
        texts.append(f"and {more} more")
    fields = {
        **calls,
        **parts,
        "store": "ok" if stored is not None else "unavailable",
        "errcodes": [{"errcode": code, "count": count} for code, count in errcodes.items()],
        "abilities": [{"ability": each.ability_id, **_numbers(each)} for each in abilities],
        "more_abilities": more,
    }
    return Fields("figures", fields, "; ".join(texts))


def _numbers(row: AbilityStatus) -> dict[str, int]:
    """Return the numbers of a row; percentiles that it has no sample for are left out."""
    numbers: dict[str, int] = msgspec.to_builtins(row)
    del numbers["ability_id"]
    return numbers


def _counts(prefix: str, now: msgspec.Struct, before: msgspec.Struct) -> dict[str, int]:
    """Return what was counted since `before`."""
    counts, earlier = msgspec.structs.asdict(now), msgspec.structs.asdict(before)
    return {f"{prefix}_{name}": max(0, count - earlier[name]) for name, count in counts.items()}


def _busiest(now: Snapshot, before: Snapshot, limit: int) -> tuple[list[AbilityStatus], int]:
    """Return the most called abilities since `before` with their counts, and how many others were called."""
    none = Tally(0, 0, {})
    called = {name: tally.calls - before.tallies.get(name, none).calls for name, tally in now.tallies.items()}
    names = sorted((name for name in called if called[name] > 0), key=lambda name: (-called[name], name))
    busiest = [
        AbilityStatus(
            ability_id=name,
            calls=called[name],
            errors=now.tallies[name].errors - before.tallies.get(name, none).errors,
            p50_us=_microseconds(now.tallies[name].recent, 50),
            p99_us=_microseconds(now.tallies[name].recent, 99),
        )
        for name in names[:limit]
    ]
    return busiest, len(names) - len(busiest)


def _microseconds(buckets: Buckets, percent: int) -> int | UnsetType:
    seconds = percentile(buckets, percent)
    return UNSET if seconds is None else round(seconds * 1e6)

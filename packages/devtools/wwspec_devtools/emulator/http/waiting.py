"""What a test waits for: a notification, or the end of all work. It does not know HTTP."""

import threading
from collections.abc import Iterator
from time import monotonic
from typing import Annotated

import msgspec
from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, accepted
from wwspec_devtools.emulator.platform import PlatformPart
from wwspec_devtools.emulator.state.traffic.entries import CALLBACK, EVENT, Entry
from wwspec_devtools.emulator.state.traffic.record import Traffic
from wwspec_devtools.emulator.state.traffic.traces import FAILED, JOB
from wwspec_devtools.emulator.state.world import World

WaitMs = Annotated[int, Meta(ge=0, le=10_000)]
"""How many milliseconds a request waits at most."""


class Waiting(PlatformPart):
    """Waits for what happens in one platform."""

    def notifications(self, after: Annotated[int, Meta(ge=0)] = 0, wait_ms: WaitMs = 0, *, corp: str) -> Answer:
        """Return the latest `notifications`, oldest first, and the number of the `last` one.

        Args:
            after: Only those after this number.
            wait_ms: How long to wait for one.
            corp: Only those of this corp; empty for all.
        """
        found, last = self._platform.world.notifications.after(after, wait_ms / 1000)
        chosen = [each for each in found if corp in ("", each.corpid)]
        return accepted(notifications=msgspec.to_builtins(chosen), last=last)

    def in_work(self, wait_ms: WaitMs = 0) -> Answer:
        """Wait until nothing is `in_work`, and return what still is, one line each.

        Args:
            wait_ms: How long to wait.
        """
        until, changed = monotonic() + wait_ms / 1000, threading.Event()
        self._platform.changes.add(changed.set)
        try:
            while found := list(in_work(self._platform.world)):
                if not changed.wait(max(0.0, until - monotonic())):
                    break
                changed.clear()
        finally:
            self._platform.changes.remove(changed.set)
        return accepted(in_work=found)


def in_work(world: World) -> Iterator[str]:
    """Yield a line about each call, job, event and callback that is in work."""
    jobs = 0
    with world.lock:
        jobs = sum(not job.reported for job in world.jobs.jobs.values())
    if jobs:
        yield f"{jobs} asynchronous calls of which the program has not reported the result"
    for entry in world.traffic.kept_entries():
        if why := _why_in_work(entry, world.traffic):
            yield f"{entry.kind} {entry.name}: {why} (entry {entry.number})"


def _why_in_work(entry: Entry, record: Traffic) -> str:
    """Return why an exchange is in work; empty when it is not."""
    if entry.kind == CALLBACK:
        waits = entry.notification is not None and entry.notification.state == "waiting"
        return "on its way to the app's callback URL" if waits else ""
    if entry.duration is None:
        return "under way"
    if entry.kind == EVENT and entry.job and not _is_done(entry, record):
        last = entry.traces[-1] if entry.traces else None
        if last is not None and last.kind == JOB and last.next_run is not None:
            return f"attempt {last.attempt} of its code failed, the next is {last.next_run:.1f} s later"
        return "its code has not ended"
    return ""


def _is_done(entry: Entry, record: Traffic) -> bool:
    """Return whether the job of an event has ended; one that notifies the app afterwards ends with that."""
    if entry.job == "after":
        found = record.find(entry.keys[1])  # the notify_id
        return found is not None and found.kind == CALLBACK
    return any(trace.kind == JOB and trace.outcome in ("ok", FAILED) for trace in entry.traces)

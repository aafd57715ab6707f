"""Kills a program with SIGKILL before and after each write of its store, while own code runs on an event.

Arguments: the store's URL, or a folder for a SQLite file each time; a folder for notes; `notify` of the row. For each
moment, a process takes one event and is killed; another goes on with what it finds. The last line is JSON: how many
moments there were, how many events were accepted, how often the code ended in all, and what was broken.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any

from tests.support.apps import ROOT
from tests.support.events import HIT, EventProgram, with_event, with_kind
from tests.support.jobs import SHORT
from tests.support.sdk import OK, MemorySdk
from wwspec_router import Contract, EventContext
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.stores import open_store
from wwspec_router.wecom.events import hit_keyword

WRITES = ("put_with_job", "add", "claim", "begin", "keep_outcome", "put", "postpone", "finish")
MOST = 200
"""Moments after which something never ends."""


class Counted(Contract):
    """What the code returns, and tells the app."""

    number: int


class Deadly:
    """A store that kills its process at one moment: an even one is before a write, an odd one after it."""

    def __init__(self, store: Any, moment: int) -> None:
        self._store = store
        self._moment = moment
        self._passed = 0
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._deadly(found) if name in WRITES else found

    def _deadly(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if write.__name__ == "claim" and not self._store.job_figures().waiting:
                return []  # a look, and no write
            self._pass()
            done = write(*arguments, **more)
            self._pass()
            return done

        return call

    def _pass(self) -> None:
        with self._lock:
            self._passed += 1
            if self._passed == self._moment:
                os.kill(os.getpid(), signal.SIGKILL)


def child(work: Callable[[], None]) -> bool:
    """Run something in a process of its own; return whether it lived to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a process ended with {status}")
    return status == 0


def table_of(notify: str, note: Callable[..., None]) -> AbilityTable:
    """Return a table whose code fails in its first run, then tells the app something and returns something."""

    def code(event: hit_keyword.Event, ctx: EventContext) -> Counted:
        if ctx.attempt == 1:
            raise ValueError
        ctx.notify(Counted(number=ctx.attempt))
        note("ended", ctx.notify_id)
        return Counted(number=1)

    table = with_event(build_table(ROOT, ROOT / "abilities" / "registry.toml"), code, notify=notify, retries=1000)
    return with_kind(table, "counted", Counted)


def run_event(url: str, notes: Path, notify: str, moment: int) -> None:
    """Take one event, unless `moment` is 0, and go on until no job is left."""

    def note(*parts: object) -> None:
        with notes.open("a") as file:
            file.write(json.dumps(parts) + "\n")

    def notified(request: str) -> str:
        note("told", json.loads(request)["notify_id"])
        return OK

    number = iter(range(1000 * os.getpid(), 10**12))
    sdk = MemorySdk({"spec_notify_app": notified}, notify_ids=(f"notify-{each}" for each in number))
    with closing(open_store(url)) as store:
        program = EventProgram(table_of(notify, note), Deadly(store, moment), sdk, lease=SHORT)
        program.jobs.start()
        if moment and program.event(HIT)["errcode"] == 0:
            note("accepted")
        program.wait_done()
        program.jobs.stop(10.0)


def broken(url: str, notify: str, notes: list[list[str]]) -> list[str]:
    """Return which promises were broken."""
    whats = [each[0] for each in notes]
    notified = [each[1] for each in notes if each[0] == "told"]
    found = []
    if "accepted" in whats and "ended" not in whats:
        found.append("the event was accepted and its code never ended")
    with closing(open_store(url)) as store:
        texts = {each: store.get("corp", 7, each) for each in notified}
        if store.job_figures().waiting:
            found.append("a job is left")
    found += [f"{each} was notified and can't be fetched" for each, text in texts.items() if text is None]
    events = [json.loads(text) for text in texts.values() if text is not None]
    delivered = [each for each in events if each["event_type"] == "hit_keyword"]
    if "ended" in whats and not any(each["event_type"] == "counted" for each in events):
        found.append("the code ended and nothing that it notified the app is there")
    if notify != "never" and "accepted" in whats and not delivered:
        found.append("the event was accepted and the app never told")
    if notify == "after" and not all(each.get("hit_keyword_result") == {"number": 1} for each in delivered):
        found.append("the app got no result")
    return found


def main() -> None:
    """Try every moment."""
    place, folder, notify = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    faults, accepted, ended = [], 0, 0
    for moment in range(1, MOST):
        url = place if "://" in place else f"sqlite:{place}/{moment}.db"
        path = folder / f"{moment}.txt"
        path.touch()
        lived = child(lambda url=url, path=path, moment=moment: run_event(url, path, notify, moment))  # type: ignore[misc]
        child(lambda url=url, path=path: run_event(url, path, notify, 0))  # type: ignore[misc]
        notes = [json.loads(line) for line in path.read_text().splitlines()]
        faults += [f"moment {moment}: {each}" for each in broken(url, notify, notes)]
        accepted += sum(each[0] == "accepted" for each in notes)
        ended += sum(each[0] == "ended" for each in notes)
        if lived:
            found = {"moments": moment - 1, "accepted": accepted, "ended": ended, "broken": faults}
            sys.stdout.write(f"{json.dumps(found)}\n")
            return


if __name__ == "__main__":
    main()

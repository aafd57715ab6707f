"""Kills a program with SIGKILL before and after each write of its store, while own code runs on an event.

Arguments: the store's URL, or a folder for a SQLite file each time; a folder for notes; what is tried, of `ROWS`. For
each moment, a process takes one event and is killed; another goes on with what it finds, and takes a later event. The
code reads messages page by page, keeps what it has read, and has a step. The last line is JSON: how often a process was
killed, by the name of the write, and what was broken.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any

from tests.support.events import HIT, EventProgram, with_code, with_kind
from tests.support.jobs import SHORT
from tests.support.sdk import OK, MemorySdk
from wwspec_contracts import sync_msg
from wwspec_contracts.events import hit_keyword
from wwspec_router import Contract, EventContext
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import Store, open_store
from wwspec_router.stores.kept import KeptKey

ROWS: dict[str, dict[str, Any]] = {
    "now": {"notify": "now", "retries": 1000},
    "after": {"notify": "after", "retries": 1000},
    "never": {"notify": "never", "retries": 1000},
    "once": {"notify": "after", "retries": 1000, "once": True},
    "failing": {"notify": "after", "retries": 1},
}
"""The event's row by what is tried: `once` has the event come again, and with `failing` its code never ends well."""
PAGE = "sync_msg"
OF_ALL = ("claim", "begin", "claim_once", PAGE, "keep_step", "release_once", "postpone", "add")
OF_ONE = {
    "now": ("put_with_job", "finish"),
    "after": ("keep_outcome", "finish_soon"),
    "never": ("finish",),
    "once": ("keep_outcome", "finish_soon"),
    "failing": ("keep_outcome", "set_aside"),
}
"""The writes of each event, among them the pages that its code asks for; and those of one that is tried."""
WRITES = frozenset(OF_ALL).union(*OF_ONE.values())
ENDS = ("keep_outcome", "finish", "set_aside")
"""Writes after which the code must not run again."""
MOST = 50
"""Moments of one write after which something never ends."""
MESSAGES = [f"message {number}" for number in range(7)]
BEFORE = 5
"""How many of them there are when the first event comes."""
FIRST_AT, LATER_AT = 5, 6
LATER = HIT.replace(f"{FIRST_AT}", f"{LATER_AT}")
"""Another event than `HIT`."""


class Counted(Contract):
    """What the code returns, and tells the app."""

    number: int


class Reading(Contract):
    """What was read, and on how many events."""

    events: int = 0
    messages: list[str] = []


class Deadly:
    """A store that kills its process at one moment.

    Args:
        store: The store.
        write: The name of a write.
        moment: 1 is before the first write of this name, 2 after it, 3 before the second one; 0 is never.
        note: Notes after which write the job is over.
    """

    def __init__(self, store: Any, write: str, moment: int, note: Callable[..., None]) -> None:
        self._store = store
        self._write = write
        self._moment = moment
        self._note = note
        self._passed = 0
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self.deadly(found) if name in WRITES else found

    def deadly(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function with a moment before and a moment after it."""
        name = write.__name__

        def call(*arguments: Any, **more: Any) -> Any:
            if name == "claim" and not self._store.job_figures().waiting:
                return []  # a look, and no write
            self._pass(name)
            done = write(*arguments, **more)
            if name in ENDS and done:
                self._note("over", arguments[1])
            self._pass(name)
            return done

        return call

    def _pass(self, write: str) -> None:
        if write != self._write:
            return
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


def table_of(tried: str, note: Callable[..., None]) -> AbilityTable:
    """Return a table whose code fails at the end of its first run, then tells the app something and returns it."""

    def code(event: hit_keyword.Event, ctx: EventContext) -> Counted:
        is_later = event.timestamp == LATER_AT
        if not is_later:
            note("run", ctx.attempt)
        pages = ctx.follow(sync_msg.Request(limit=2), name="all", start="oldest")
        new = [each.msgid for page in pages for each in page.msg_list]
        read = ctx.kept.get("read", Reading) or Reading()
        ctx.kept.set("read", Reading(events=read.events + 1, messages=read.messages + new))
        receipt = ctx.step("receipt", receipt_of_step)
        if is_later:
            return Counted(number=2)
        note("receipt", receipt)
        if ctx.attempt == 1 or tried == "failing":
            raise ValueError
        ctx.notify(Counted(number=ctx.attempt))
        note("ended", ctx.notify_id)
        return Counted(number=1)

    table = with_code(code, **ROWS[tried])
    return with_kind(table, "counted", Counted)


def receipt_of_step() -> str:
    return token_hex(8)


def page_of(messages: Sequence[str], request: str) -> str:
    asked = json.loads(request)
    start = int(asked.get("cursor") or 0)
    end = min(start + asked["limit"], len(messages))
    page = [{"msgid": each, "send_time": 1} for each in messages[start:end]]
    more = int(end < len(messages))
    return json.dumps({"errcode": 0, "errmsg": "ok", "msg_list": page, "has_more": more, "next_cursor": str(end)})


def run_event(url: str, notes: Path, tried: str, corpid: str, write: str = "", moment: int = 0) -> None:
    """Take one event and go on until no job is left; or, without a moment, go on with those there are."""

    def note(*parts: object) -> None:
        with notes.open("a") as file:
            file.write(json.dumps(parts) + "\n")

    def notified(request: str) -> str:
        note("told", json.loads(request)["notify_id"])
        return OK

    def sync_msg(request: str) -> str:
        return page_of(MESSAGES[:BEFORE] if moment else MESSAGES, request)

    number = iter(range(1000 * os.getpid(), 10**12))
    with closing(open_store(url)) as store:
        deadly = Deadly(store, write, moment, note)
        replies = {"spec_notify_app": notified, PAGE: deadly.deadly(sync_msg)}
        sdk = MemorySdk(replies, notify_ids=(f"notify-{each}" for each in number))  # type: ignore[arg-type]
        program = EventProgram(table_of(tried, note), deadly, sdk, lease=SHORT, once_lease=SHORT)
        program.jobs.start()
        if (moment or tried == "once") and program.event(HIT, corpid=corpid)["errcode"] == 0:
            note("accepted")
        program.wait_done()
        if not moment and tried != "failing":
            program.event(LATER, corpid=corpid)
            program.wait_done()
        program.jobs.stop(10.0)


def broken(store: Store, tried: str, notes: list[list[Any]], corpid: str) -> list[str]:
    found = []
    if store.job_figures().waiting:
        found.append("a job is left")
    receipts = [each[1] for each in notes if each[0] == "receipt"]
    if len(set(receipts)) > 1:
        found.append("a step that was kept ran again")
    ends = [each[0] == "over" for each in notes if each[0] in ("over", "run")]
    if True in ends and False in ends[ends.index(True) :]:
        found.append("the code ran again after the end of the job")
    kept = store.read_kept(KeptKey(corpid, 7, "app", "read"))
    over = {each[1] for each in notes if each[0] == "over"}
    whole = {"events": len(over), "messages": MESSAGES} if tried != "failing" else None
    if (None if kept is None else json.loads(kept.text)) != whole:
        found.append(f"it kept {kept}, and {len(over)} jobs have ended")
    return found + broken_for_app(store, tried, notes, corpid)


def broken_for_app(store: Store, tried: str, notes: list[list[Any]], corpid: str) -> list[str]:
    whats = [each[0] for each in notes]
    notified = [each[1] for each in notes if each[0] == "told"]
    to_come = store.job_figures().unfetched - sum(store.get(corpid, 7, each) is None for each in {*notified})
    texts = {each: store.fetch(corpid, 7, each, 600) for each in notified}
    found = [f"{each} was notified and can't be fetched" for each, text in texts.items() if text is None]
    events = [json.loads(text) for text in texts.values() if text is not None]
    delivered = [each for each in events if each["event_type"] == "hit_keyword" and each["timestamp"] == FIRST_AT]
    if tried == "failing":
        failed = store.failed_jobs(corpid, 7, 10)
        if "accepted" in whats and len(failed) != 1:
            found.append(f"the event failed, and {len(failed)} are set aside")
    elif "accepted" in whats and "ended" not in whats:
        found.append("the event was accepted and its code never ended")
    if "ended" in whats and not any(each["event_type"] == "counted" for each in events):
        found.append("the code ended and nothing that it notified the app is there")
    if tried != "never" and "accepted" in whats and not delivered and not to_come:
        found.append("the event was accepted and the app never told")
    results = {"after": {"number": 1}, "once": {"number": 1}}
    if not all(each.get("hit_keyword_result") == results.get(tried) for each in delivered):
        found.append("the app got no result, or another one")
    return found


def try_moment(place: str, folder: Path, tried: str, write: str, moment: int) -> tuple[bool, list[str]]:
    """Return whether a process lived to its end, and which promises were broken."""
    name = f"{write}-{moment}"
    url = place if "://" in place else f"sqlite:{place}/{name}.db"
    path = folder / f"{name}.txt"
    path.touch()
    lived = child(lambda: run_event(url, path, tried, name, write, moment))
    child(lambda: run_event(url, path, tried, name))
    notes = [json.loads(line) for line in path.read_text().splitlines()]
    with closing(open_store(url)) as store:
        found = broken(store, tried, notes, name)
        store.forget(name)  # or the processes of a later moment notify the app of what is left here, and note it
    return lived, [f"{name}: {each}" for each in found]


def main() -> None:
    place, folder, tried = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    table_of(tried, print)  # what that builds and imports, each process has that is forked
    killed, faults = {}, []
    for write in (*OF_ALL, *OF_ONE[tried]):
        for moment in range(1, MOST):
            lived, found = try_moment(place, folder, tried, write, moment)
            faults += found
            if lived:
                killed[write] = moment - 1
                break
    sys.stdout.write(f"{json.dumps({'killed': killed, 'broken': faults})}\n")


if __name__ == "__main__":
    main()

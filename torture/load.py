"""An enterprise app with many hands: events, fetches, jobs and calls, without a pause, until it is told to stop.

Each caller is a thread. Requests and responses are written into a `Ledger`, partly as the
caller sees it, partly as the emulator recorded it.
"""

import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import msgspec

from torture.handlers import READERS, reader_of
from torture.ledger import FETCHED, Ledger
from torture.program import until
from wwspec_client import PlatformError
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.testing.app import App

__all__ = ["CALLERS", "RECENT", "Load"]

CALLERS = {"event": 2, "handled event": 1, "fetch": 2, "job": 1, "call": 2}
"""Threads of each kind."""
NEW = 0.5
"""How many of the fetches are of what was not fetched before, as an app fetches what it was notified of."""
RECENT = 500
"""Events that fetches choose from while the load runs, unless told otherwise: the latest."""
AFTER_REFUSAL = 0.05
"""Seconds that a caller waits when it was refused: a program that starts needs the processor for itself."""
LARGEST_LIST = 500
"""Messages that the emulator lists at once."""
POLL = 0.2
"""Seconds between two looks at the emulator's record, which keeps the latest 1000 entries."""

_ERRCODE = re.compile(r"\((\d+)\)$")
_OK = 0


class Load:
    """Load on a program through its emulator, from `with` to `stop`.

    Args:
        url: The emulator's.
        program_url: Where the program listens.
        ledger: Where everything is noted.
        seed: Makes the choices.
        pause: Seconds that a caller waits between two calls.
        recent: How many of the latest events are fetched.
    """

    def __init__(
        self, url: str, program_url: str, ledger: Ledger, seed: int, pause: float, recent: int = RECENT
    ) -> None:
        self._ledger = ledger
        self._pause = pause
        self._recent = recent
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._client = EmulatorClient(url)
        self._client.point_to(program_url)
        self._client.receive_events()
        self._record = _Record(self._client, ledger)
        self._app = App(self._client).client
        kinds: dict[str, Callable[[random.Random], bool]] = {
            "event": self._event,
            "handled event": self._handled_event,
            "fetch": self._fetch,
            "job": self._job,
            "call": self._call,
        }
        self._callers = [
            threading.Thread(target=self._work, args=(kinds[kind], seed * 1000 + number), name=f"{kind}-{number}")
            for kind, count in CALLERS.items()
            for number in range(count)
        ]
        self._watcher = threading.Thread(target=self._watch, name="record")

    def __enter__(self) -> Self:
        for thread in (*self._callers, self._watcher):
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._ended.set()
        self._watcher.join()

    def stop(self) -> None:
        """Let each caller end its call, and read the record once more."""
        self._stopping.set()
        for thread in self._callers:
            if thread.is_alive():
                thread.join()
        self._record.read()

    def wait_reported(self, seconds: float) -> float:
        """Wait, after `stop`, until each accepted job is reported, and return how long that took."""
        began = time.monotonic()

        def reported() -> bool:
            self._record.read()
            return not self._ledger.unreported()

        until(reported, seconds, POLL)
        return time.monotonic() - began

    def read_all(self) -> int:
        """Send each reader an event, after `stop`; return how many messages there were before."""
        there = len(self._messages())
        waiting = set(range(READERS))
        while waiting:
            if token := self._taken("conversation_new_message"):
                waiting.discard(reader_of(token))
        return there

    def compare_readings(self, least: int) -> None:
        """Compare what each reader has read with the messages that are there, of which it has read at least so many."""
        there = self._messages()
        for reader in range(READERS):
            read = self._asked("call", "reading", {"number": reader}) or {}
            self._ledger.compare_reading(reader, read, there, least)

    def _messages(self) -> list[str]:
        """Return the msgids of all messages, oldest first."""
        page = self._client.messages(None, LARGEST_LIST)
        pages = [page["messages"]]
        while page["next"] is not None:
            page = self._client.messages(page["next"], LARGEST_LIST)
            pages.append(page["messages"])
        return [message["msgid"] for each in reversed(pages) for message in reversed(each)]

    def fetch_unfetched(self, *, kept: bool = True) -> None:
        """Fetch what was notified by now, and not fetched.

        Args:
            kept: Whether all of it is there; False when events expire during the run.
        """
        self._record.read()
        for notify_id in self._ledger.unfetched():
            self.fetch(notify_id, kept=kept)

    def fetch_all(self) -> None:
        """Fetch every event that was notified."""
        with ThreadPoolExecutor(4) as callers:
            list(callers.map(self.fetch, self._ledger.all_notified()))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch(self, notify_id: str, *, kept: bool = True) -> bool:
        """Fetch one event, note what came, and tell whether it was the event; with `kept` all else is a failure."""
        reply = self._asked("fetch", "get_callback_data", {}, notify_id)
        if reply is None:
            return False
        if reply.get("event_type") not in FETCHED:
            if kept:
                self._ledger.refused("fetch", reply)
            else:
                self._ledger.expired(notify_id)
            return False
        self._ledger.fetched(notify_id, reply)
        return True

    def fire(self, event_type: str = "hit_keyword") -> bool:
        """Send one event, note what came, and tell whether the program took it."""
        return bool(self._taken(event_type))

    def begin_job(self) -> bool:
        """Call asynchronously once, and tell whether the platform had an answer; the record tells what it was."""
        try:
            self._app.submit("job", {"number": self._ledger.number()})
        except PlatformError as error:
            self._ledger.unreached("job", error.errcode, error.errmsg)
            return False
        self._ledger.right("job")
        return True

    def _taken(self, event_type: str) -> str:
        """Send one event, note what came, and return its token if the program took it; else ""."""
        own = {"token": f"event-{self._ledger.number()}"} if event_type == "hit_keyword" else {}
        if own:
            self._ledger.fired(own["token"])
        try:
            sent = self._client.fire(event_type, own)
        except EmulatorError as error:
            found = _ERRCODE.search(str(error))
            self._ledger.unreached("event", int(found[1]) if found else -1, str(error))
            return ""
        reply = msgspec.json.decode(sent["reply"], type=dict[str, Any])
        if reply.get("errcode") != _OK:
            self._ledger.refused("event", reply)
            return ""
        token = str(sent["event"][event_type]["token"])
        (self._ledger.delivered if own else self._ledger.handed_over)(token)
        self._ledger.right("event")
        return token

    def _event(self, rng: random.Random) -> bool:
        return self.fire()

    def _handled_event(self, rng: random.Random) -> bool:
        return self.fire("conversation_new_message")

    def _fetch(self, rng: random.Random) -> bool:
        chosen = self._ledger.recent(self._recent)
        if rng.random() < NEW:
            unfetched = {*self._ledger.unfetched()}
            chosen = [each for each in chosen if each in unfetched][:1]
        return not chosen or self.fetch(rng.choice(chosen))

    def _job(self, rng: random.Random) -> bool:
        return self.begin_job()

    def _call(self, rng: random.Random) -> bool:
        number = self._ledger.number()
        reply = self._asked("call", rng.choice(("double", "double_async")), {"number": number})
        if reply is None:
            return False
        if reply.get("errcode") != _OK:
            self._ledger.refused("call", reply)
            return False
        if (reply.get("number"), reply.get("doubled")) != (number, 2 * number):
            self._ledger.fail(f"call: {number} was answered with {msgspec.json.encode(reply).decode()[:200]}")
            return False
        self._ledger.right("call")
        return True

    def _asked(self, kind: str, ability_id: str, request: dict[str, Any], notify_id: str = "") -> dict[str, Any] | None:
        began = time.monotonic()
        try:
            reply = self._app.call(ability_id, request, raw=True, notify_id=notify_id)
        except PlatformError as error:
            self._ledger.unreached(kind, error.errcode, error.errmsg)
            return None
        finally:
            self._ledger.took(kind, time.monotonic() - began)
        return msgspec.json.decode(reply, type=dict[str, Any])

    def _work(self, step: Callable[[random.Random], bool], seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
        while not self._stopping.is_set():
            began = time.monotonic()
            worked = False
            try:
                worked = step(rng)
            except Exception as error:  # a caller that ends would make the load less, unseen
                self._ledger.fail(f"{threading.current_thread().name}: {type(error).__name__}: {error}")
            self._ledger.took(threading.current_thread().name.partition("-")[0], time.monotonic() - began)
            self._stopping.wait(self._pause if worked else AFTER_REFUSAL)

    def _watch(self) -> None:
        while not self._ended.wait(POLL):
            self._record.read()


class _Record:
    """Reads what the emulator recorded, each entry once, and writes it into the ledger.

    Args:
        client: Of the emulator.
        ledger: The books.
    """

    def __init__(self, client: EmulatorClient, ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger
        self._seen = max((entry["number"] for entry in self._client.traffic()), default=0)
        self._open: set[int] = set()
        self._lock = threading.Lock()

    def read(self) -> None:
        """Read what is new, and again what was under way; from any thread."""
        with self._lock:
            self._read()

    def _read(self) -> None:
        entries = self._client.traffic(min([*self._open, self._seen + 1]) - 1)
        new = [entry["number"] for entry in entries if entry["number"] > self._seen]
        if new and new[0] > self._seen + 1:
            self._ledger.fail(f"the record of the emulator was read too late: entries up to {new[0]} are lost")
        first = entries[0]["number"] if entries else 0
        self._open = {number for number in self._open if number >= first}  # else too old: its outcome stays unknown
        for entry in entries:
            number = entry["number"]
            if number <= self._seen and number not in self._open:
                continue
            if entry["outcome"]:
                self._open.discard(number)
                self._note(entry)
            else:
                self._open.add(number)
        self._seen = max([self._seen, *new])

    def _note(self, entry: dict[str, Any]) -> None:
        kind, name, request = entry["kind"], entry["name"], entry["request"]
        if kind == "callback":
            self._ledger.notified(request["notify_id"])
        elif (kind, name) == ("sdk", "program_async_job_call_back"):
            self._reported(entry["outcome"], request)
        elif (kind, name) == ("call", "job") and entry["outcome"] == "ok":
            if entry["reply"].get("errcode") == _OK:
                self._ledger.accepted(request["number"])
            else:
                self._ledger.refused("job", entry["reply"])

    def _reported(self, outcome: str, request: dict[str, Any]) -> None:
        result = msgspec.json.decode(request["result"], type=dict[str, Any])
        number = result.get("number")
        if outcome == "790017":
            self._ledger.unknown_report()
        elif request["errcode"] != _OK or result.get("doubled") != 2 * (number or 0) or outcome not in ("ok", "790010"):
            self._ledger.fail(f"a job was reported as {msgspec.json.encode(request).decode()[:200]} ({outcome})")
        else:
            self._ledger.reported(int(number or 0))

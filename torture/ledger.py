"""The books of a run: what was sent, what came back, and which promise that breaks.

Filled by many threads. Knows neither how calls are sent nor how the platform is watched.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from functools import reduce
from time import time
from typing import Any

import msgspec

from torture.handlers import chained

__all__ = ["FETCHED", "UNREACHED", "Ledger"]

UNREACHED = (710674, 710675)
"""What the platform answers when the program can't be connected to, or the connection is cut [100042]."""
NEVER = str(UNREACHED[0])
"""In what is counted of a call that never reached the program."""
HANDLED = "handled"
"""The kind of notification by which the code on an event says that it has ended."""
FETCHED = frozenset({"hit_keyword", "conversation_new_message", HANDLED})
"""What can wait under a notify_id, by event_type."""
KEPT = 20
"""Failures that are listed; further ones are counted."""


class Ledger:
    """The books of one run.

    Args:
        allowed: Texts of the program's own errors that may be answered in this run; any other is a failure.
    """

    def __init__(self, allowed: frozenset[str] = frozenset()) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._failures: list[str] = []
        self._more = 0
        self._right: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._longest: dict[str, float] = {}
        self._number = 0
        self._fired: set[str] = set()
        self._delivered: set[str] = set()
        self._handed_over: set[str] = set()
        self._without_result: set[str] = set()
        self._handled: set[str] = set()
        self._receipts: dict[str, str] = {}
        self._ended: set[str] = set()
        self._counted: Counter[str] | None = None
        self._notified: dict[str, str] = {}
        self._notified_list: list[str] = []
        self._unfetched: dict[str, None] = {}
        self._notified_at: dict[str, float] = {}  # Unix seconds
        self._handled_at: dict[str, float] = {}  # by event, of the latest run of its code
        self._accepted: set[int] = set()
        self._reported: Counter[int] = Counter()
        self._unknown_reports = 0

    def number(self) -> int:
        """Return a number that nothing else has."""
        with self._lock:
            self._number += 1
            return self._number

    def fail(self, text: str) -> None:
        """Note a broken promise."""
        with self._lock:
            if len(self._failures) < KEPT:
                self._failures.append(text)
            else:
                self._more += 1

    @property
    def failures(self) -> list[str]:
        """One line for each broken promise, the first ones in full."""
        with self._lock:
            return [*self._failures, *([f"and {self._more} further failures"] if self._more else [])]

    def right(self, kind: str) -> None:
        """Count a right answer."""
        with self._lock:
            self._right[kind] += 1

    def took(self, kind: str, seconds: float) -> None:
        """Note how long a call took, however it ended."""
        with self._lock:
            self._longest[kind] = max(self._longest.get(kind, 0.0), seconds)

    def unreached(self, kind: str, errcode: int, errmsg: str) -> None:
        """Count a call that the platform could not bring to the program; any other errcode is a failure."""
        if errcode in UNREACHED:
            with self._lock:
                self._refused[f"{kind} {errcode}"] += 1
        else:
            self.fail(f"{kind}: the platform answered {errcode} {errmsg}")

    def refused(self, kind: str, reply: Any) -> None:
        """Count an error that the program answered; one that is not allowed in this run is a failure."""
        text = reply.get("errmsg", "") if isinstance(reply, dict) else ""
        if text in self._allowed:
            with self._lock:
                self._refused[f"{kind}: {text}"] += 1
        else:
            self.fail(f"{kind}: the program answered {msgspec.json.encode(reply).decode()[:200]}")

    def fired(self, token: str) -> None:
        """Note an event that is about to be sent."""
        with self._lock:
            self._fired.add(token)

    def delivered(self, token: str) -> None:
        """Note an event that the program answered with success."""
        with self._lock:
            self._delivered.add(token)

    def handed_over(self, token: str) -> None:
        """Note an event that own code runs on and that the program answered with success."""
        with self._lock:
            self._handed_over.add(token)

    def compare_reading(self, reader: int, read: Any, there: Sequence[str], least: int) -> None:
        """Compare what a reader has read with the messages that are there.

        Args:
            reader: Which reader.
            read: Its `Reading`.
            there: The msgids, oldest first.
            least: How many it must have read; each later message raised an event for another reader as well.
        """
        messages = read.get("messages", 0)
        counted = self._counted = Counter() if self._counted is None else self._counted
        counted.update(messages=messages, events=read.get("events", 0))
        if messages < least or read.get("chain") != reduce(chained, there[:messages], ""):
            self.fail(f"reader {reader} has counted {messages} messages of {least} to {len(there)}, or not these")

    def notified(self, notify_id: str) -> None:
        """Note a `spec_notify_app` that reached the platform."""
        with self._lock:
            if notify_id not in self._notified:
                self._notified[notify_id] = ""
                self._notified_list.append(notify_id)
                self._notified_at[notify_id] = time()
            self._unfetched[notify_id] = None  # again, if it comes again: a kill has lost that it was fetched

    def recent(self, count: int) -> list[str]:
        """Return the latest notify_ids."""
        with self._lock:
            return self._notified_list[-count:]

    def unfetched(self) -> list[str]:
        """Return the notify_ids under which nothing was fetched since they came, the oldest first."""
        with self._lock:
            return list(self._unfetched)

    def expired(self, notify_id: str) -> None:
        """Note that nothing is fetched under a notify_id any more."""
        with self._lock:
            self._unfetched.pop(notify_id, None)

    def all_notified(self) -> list[str]:
        """Return every notify_id."""
        with self._lock:
            return list(self._notified_list)

    def fetched(self, notify_id: str, event: Any) -> None:
        """Compare a fetched event with those that were sent, and with what was fetched under this id before.

        Args:
            notify_id: Under which it was.
            event: `hit_keyword`; or `conversation_new_message` with what its code returned, or `handled`, which that
                code told the app.
        """
        kind = event["event_type"]
        token = event.get(kind, {}).get("token", "")
        name = f"{kind} {token}" if kind == HANDLED else token
        with self._lock:
            before = self._notified.get(notify_id, "")
            known = before in ("", name) and self._is_right(kind, token, event)
            self._notified[notify_id] = before or name
            self._unfetched.pop(notify_id, None)
            if kind == HANDLED:
                self._handled_at[token] = max(self._handled_at.get(token, 0.0), event.get("timestamp", 0))
        if known:
            self.right("fetch")
        else:
            self.fail(f"fetch: {notify_id} answered another event: {msgspec.json.encode(event).decode()[:200]}")

    def _is_right(self, kind: str, token: str, event: Any) -> bool:
        """Return whether an event was sent, and has the receipt of the first run of its code that kept one."""
        if kind == "hit_keyword":
            return token in self._fired
        self._handled.add(token)
        handled = event.get(HANDLED if kind == HANDLED else f"{kind}_result")
        if handled is None:
            self._without_result.add(token)
            return True
        if kind != HANDLED:
            self._ended.add(token)
        receipt = self._receipts.setdefault(token, handled.get("receipt", ""))
        return bool(handled == {"token": token, "receipt": receipt})

    def accepted(self, number: int) -> None:
        """Note a job that the program answered as accepted."""
        with self._lock:
            self._accepted.add(number)

    def reported(self, number: int) -> None:
        """Count a result that a program reported, heard or refused as known."""
        with self._lock:
            self._reported[number] += 1

    def unknown_report(self) -> None:
        """Count a report on a job whose acceptance the platform had not heard [790017]."""
        with self._lock:
            self._unknown_reports += 1

    def unreported(self) -> set[int]:
        """Return the accepted jobs that nothing was reported of."""
        with self._lock:
            return self._accepted - self._reported.keys()

    def close(self, *, kept: bool = True, given_up: int = 0) -> dict[str, Any]:
        """Compare the books with each other, note what does not fit, and return the figures.

        Args:
            kept: Whether every event was to be fetched; False when events expire during the run.
            given_up: Events whose code the program has begun for the last time without an end, as it says.
        """
        if kept:
            self._compare_events(given_up)
        for number in sorted(self.unreported()):
            self.fail(f"job {number} was accepted and never reported")
        return {
            "calls_right": sum(self._right.values()),
            "right": dict(sorted(self._right.items())),
            "refused": dict(sorted(self._refused.items())),
            "events_delivered": len(self._delivered),
            "events_notified": len(self._notified),
            "events_fetched": sum(1 for token in self._notified.values() if token),
            "events_handed_over": len(self._handed_over),
            "events_handled_twice_or_more": self._handled_again(),
            "events_handled_after_their_end": self._handled_after_end(),
            "events_without_result": len(self._without_result),
            "counted_by_code": dict(self._counted or {}),
            "jobs_accepted": len(self._accepted),
            "jobs_reported": len(self._accepted & self._reported.keys()),
            "jobs_reported_twice_or_more": sum(1 for count in self._reported.values() if count > 1),
            "reports_of_unheard_acceptances": self._unknown_reports,
            "longest_s": {kind: round(seconds, 3) for kind, seconds in sorted(self._longest.items())},
        }

    def _compare_events(self, given_up: int) -> None:
        tokens = set(self._notified.values())
        if self._counted is not None and self._counted["events"] != len(self._ended):
            self.fail(f"{len(self._ended)} events have ended, and code has counted {self._counted['events']}")
        strangers = self._handled - self._handed_over
        unanswered = sum(count for key, count in self._refused.items() if key.startswith("event") and NEVER not in key)
        if len(strangers) > unanswered:
            self.fail(f"code ran on {len(strangers)} unknown events, and {unanswered} had no good answer")
        for notify_id, token in self._notified.items():
            if not token:
                self.fail(f"the event that {notify_id} was notified for can't be fetched")
        for token in sorted(self._delivered - tokens):
            self.fail(f"{token} was answered with success and never notified")
        unhandled = {token for token in self._handed_over if f"{HANDLED} {token}" not in tokens} | self._without_result
        if len(unhandled) > given_up:
            some = ", ".join(sorted(unhandled)[:KEPT])
            self.fail(f"{len(unhandled)} events have no result, and {given_up} were given up: {some}")
        for token in sorted(self._handed_over - tokens):
            self.fail(f"{token} was answered with success and the app never got it after its code")

    def _handled_after_end(self) -> int:
        """Return how many events have a run of their code that notified the app after the app was given the end."""
        # Not the order in which the app was notified: what a killed run told may be told again after the end.
        ended = {token: self._notified_at[notify_id] for notify_id, token in self._notified.items()}
        return sum(token in ended and handled > ended[token] for token, handled in self._handled_at.items())

    def _handled_again(self) -> int:
        handled = Counter(name for name in self._notified.values() if name.startswith(HANDLED))
        return sum(count > 1 for count in handled.values())

"""Analysis tasks: which messages a task may read, and its outcome [99831-99835, 99875, 100036].

WeCom reads a message when its id and its secret key match. `analyses` makes the results. Plain state: the caller holds
the emulator's lock and gives the time.
"""

import random
from typing import Any

import msgspec

from wwspec_devtools.emulator.answers import Asked, RefusedError, errmsg
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.state.conversations import Conversations, Message
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.emulator.state.texts import ANALYSABLE

MAX_MESSAGES = 1000
MAX_CHARACTERS = 30000
"""The most characters of the text of a task."""

TASK_SECONDS = 2
"""Seconds that a task of WeCom's own takes."""

KEPT_TASKS = 100_000
KEPT_BYTES = 64 * MIB
"""The most bytes of all outcomes. The oldest tasks are dropped with their outcomes."""

RUNNING, FINISHED, FAILED = 0, 1, 2

Failure = dict[str, Any]


class EncryptInfo(Asked):
    """The opened key of a message."""

    secret_key: str


class MessageKey(Asked):
    """One message to analyse."""

    msgid: str
    encrypt_info: EncryptInfo


class ChosenMessages(msgspec.Struct, frozen=True):
    """The messages of one task."""

    readable: list[Message]
    unreadable: list[tuple[str, int]]
    """msgid and errcode of those that can't be analysed."""
    repeated: list[MessageKey]

    @property
    def count(self) -> int:
        """How many different messages there are."""
        return len(self.readable) + len(self.unreadable)

    @property
    def fail_list(self) -> list[Failure]:
        """The `fail_list` of a result."""
        return [{"errcode": code, "errmsg": errmsg(code), "msgid": msgid} for msgid, code in self.unreadable]

    @property
    def repeated_list(self) -> list[Failure]:
        """The `fail_list` of a new task."""
        return [{"errcode": 710613, "errmsg": errmsg(710613), **msgspec.to_builtins(key)} for key in self.repeated]


def select(chats: Conversations, keys: MessageKeys, asked: list[MessageKey]) -> ChosenMessages:
    """Split the messages of a new task into those that can be read and the others.

    Raises:
        RefusedError: 710623.
    """
    if len(asked) > MAX_MESSAGES:
        raise RefusedError(710623, f"msg_list: {MAX_MESSAGES} messages")
    seen: set[str] = set()
    chosen = ChosenMessages([], [], [])
    for key in asked:
        if key.msgid in seen:
            chosen.repeated.append(key)
            continue
        seen.add(key.msgid)
        message = chats.find(key.msgid)
        if message is None:
            chosen.unreadable.append((key.msgid, 710601))
        elif message.msgtype not in ANALYSABLE:
            chosen.unreadable.append((key.msgid, 710602))
        elif key.encrypt_info.secret_key != keys.secret_key(key.msgid):
            chosen.unreadable.append((key.msgid, 710603))
        else:
            chosen.readable.append(message)
    return chosen


class AnalysisTask(msgspec.Struct, kw_only=True):
    """A task of WeCom's own, with a fixed outcome, or of a program, which reports its result."""

    kind: str
    """The name of the API that made it."""
    agentid: int
    ready: float | None
    """Unix seconds at which it ends; None until a program reports."""
    errcode: int = 0
    """0, or why it failed."""
    outcome: bytes
    """The fields of its result besides errcode and status, as JSON text, whose bytes count."""

    @property
    def fields(self) -> dict[str, Any]:
        """The outcome, decoded."""
        return msgspec.json.decode(self.outcome, type=dict[str, Any])

    def result(self, now: float) -> dict[str, Any]:
        """Return the state of a task of WeCom's own, and its outcome once it has ended."""
        if self.ready is None or now < self.ready:
            return {"errcode": 0, "errmsg": "ok", "status": RUNNING}
        status = FAILED if self.errcode else FINISHED
        return {"errcode": self.errcode, "errmsg": errmsg(self.errcode), "status": status, **self.fields}


class Tasks:
    """The tasks of one corp.

    Args:
        rng: Makes the ids.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.tasks = BoundedDict[str, AnalysisTask](KEPT_BYTES, KEPT_TASKS)
        """By jobid."""

    def add(self, kind: str, agentid: int, ready: float | None, outcome: dict[str, Any], errcode: int = 0) -> str:
        """Keep a task and return its jobid.

        Args:
            kind: The API that makes it.
            agentid: The app of the task.
            ready: Unix seconds at which it ends; None until a program reports.
            outcome: The fields of its result besides errcode and status.
            errcode: Why it fails; 0 when it does not.
        """
        jobid = f"job_{self._rng.getrandbits(160):040x}"
        task = AnalysisTask(
            kind=kind, agentid=agentid, ready=ready, errcode=errcode, outcome=msgspec.json.encode(outcome)
        )
        self.tasks.put(jobid, task, len(task.outcome))
        return jobid

    def finish(self, jobid: str, now: float, outcome: dict[str, Any]) -> None:
        """Add a program's report to a task, if the task is still known."""
        task = self.tasks.get(jobid)
        if task is not None:
            task.ready, task.outcome = now, msgspec.json.encode(task.fields | outcome)
            self.tasks.resize(jobid, len(task.outcome))

    def forget(self, jobid: str) -> None:
        """Forget a task."""
        self.tasks.remove(jobid)

    def get(self, kind: str, agentid: int, jobid: str) -> AnalysisTask:
        """Return a task.

        Raises:
            RefusedError: 40088 for an unknown jobid, 710616 for one of another kind of task.
        """
        task = self.tasks.get(jobid)
        if task is None or task.agentid != agentid:
            raise RefusedError(40088, "jobid")
        if task.kind != kind:
            raise RefusedError(710616, f"it comes from {task.kind}")
        return task

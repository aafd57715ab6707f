"""Analysis tasks: which messages a task may read, and what came of it [99831-99835, 99875, 100036].

WeCom reads a message when its id and its secret key belong together. What a task makes of the texts is `analyses`.
Plain state: the caller holds the emulator's lock and brings the time.
"""

import random
from collections.abc import Iterable
from typing import Any

import msgspec

from wwspec_router.emulator.answers import Asked, RefusedError, errmsg
from wwspec_router.emulator.conversations import Conversations, Message
from wwspec_router.emulator.keys import MessageKeys
from wwspec_router.emulator.texts import ANALYSABLE

MAX_MESSAGES = 1000
MAX_CHARACTERS = 30000
"""Of the text that a task works on."""

TASK_SECONDS = 2
"""Seconds that a task of WeCom's own takes."""

KEPT_TASKS = 100_000

RUNNING, FINISHED, FAILED = 0, 1, 2

Failure = dict[str, Any]


class EncryptInfo(Asked):
    """The opened key of a message."""

    secret_key: str


class MessageKey(Asked):
    """One message to analyse."""

    msgid: str
    encrypt_info: EncryptInfo


class Selection(msgspec.Struct, frozen=True):
    """The messages of one task."""

    readable: list[Message]
    unreadable: list[tuple[str, int]]
    """msgid and errcode of those that can't be analysed."""
    repeated: list[MessageKey]

    @property
    def fail_list(self) -> list[Failure]:
        """The wire's `fail_list` of a result."""
        return [{"errcode": code, "errmsg": errmsg(code), "msgid": msgid} for msgid, code in self.unreadable]

    @property
    def repeated_list(self) -> list[Failure]:
        """The wire's `fail_list` of a new task."""
        return [{"errcode": 710613, "errmsg": errmsg(710613), **msgspec.to_builtins(key)} for key in self.repeated]


def select(chats: Conversations, keys: MessageKeys, asked: list[MessageKey]) -> Selection:
    """Sort the messages of a new task by whether they can be read.

    Raises:
        RefusedError: 710623, or 40063 when there are none.
    """
    if not asked:
        raise RefusedError(40063, "msg_list")
    if len(asked) > MAX_MESSAGES:
        raise RefusedError(710623, f"msg_list: {MAX_MESSAGES} messages")
    seen: set[str] = set()
    chosen = Selection([], [], [])
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


class Task(msgspec.Struct, kw_only=True):
    """One task: of WeCom's own, fixed when it starts, or of a program, which reports its result."""

    kind: str
    """The name of the API that made it."""
    agentid: int
    ready: float | None
    """Unix seconds at which it ends; None until a program reports."""
    errcode: int = 0
    """0, or why it failed."""
    fields: dict[str, Any]
    """What its result holds besides errcode and status."""

    def result(self, now: float) -> dict[str, Any]:
        """Return how far a task of WeCom's own has come, and its outcome once it ended."""
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
        self._tasks: dict[str, Task] = {}

    def add(self, task: Task) -> str:
        """Keep a task and return its jobid; the oldest is forgotten when there are too many."""
        jobid = f"job_{self._rng.getrandbits(160):040x}"
        self._tasks[jobid] = task
        if len(self._tasks) > KEPT_TASKS:
            self.forget(next(iter(self._tasks)))
        return jobid

    def forget(self, jobid: str) -> None:
        """Make a task unknown."""
        self._tasks.pop(jobid, None)

    def get(self, kind: str, agentid: int, jobid: str) -> Task:
        """Return a task.

        Raises:
            RefusedError: 40088 for an unknown jobid, 710616 for one of another kind of task.
        """
        task = self._tasks.get(jobid)
        if task is None or task.agentid != agentid:
            raise RefusedError(40088, "jobid")
        if task.kind != kind:
            raise RefusedError(710616, f"it comes from {task.kind}")
        return task


def lines(chats: Conversations, messages: Iterable[Message]) -> str:
    """Return a transcript: one line a message, with the speaker's name."""
    return "\n".join(f"{chats.people.name_of(message.sender)}: {message.text}" for message in messages)

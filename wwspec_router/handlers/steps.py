"""Parts of a job whose results are kept at once, so that a later attempt does not do them again.

An application's steps, the analysis tasks of `ctx.finish` and the notify_ids of notifications that are made once are
kept beside each other, under different names.
"""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, get_type_hints

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import CallError, JsonError, KeptValueError, StoreError
from wwspec_router.handlers.kept import checked_key, encoded
from wwspec_router.stores.base import JobJournal
from wwspec_router.stores.job import Job

MOST_STEPS = 100
"""Steps of one job."""
MOST_NOTIFICATIONS = 1000
"""Notifications of one job that are made once."""
MOST_TASKS = 1000
"""Analysis tasks of one job that are kept."""
LARGEST_RESULT = 65_536
"""Bytes of JSON of a step's result."""

_STEP, _TASK, _NOTIFIED = "step:", "task:", "notified:"
_NO_TASK = "null"


class Steps:
    """The steps of one run of a job; read from the journal when the first is needed.

    Args:
        journal: Keeps them.
        owner: The name under which the job was claimed.
        job_id: The job.
    """

    def __init__(self, journal: JobJournal, owner: str, job_id: str) -> None:
        self._journal = journal
        self._owner = owner
        self._job_id = job_id
        self._kept: dict[str, str] | None = None
        self._begun: set[str] = set()
        self._notified: dict[str, str] = {}  # a name without a notify_id is being stored
        self._tasks: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, name: str, function: Callable[..., Any], type_: Any) -> "Step":
        """Return a step; its `text` is what an earlier attempt has kept.

        Raises:
            ValueError: The name is empty, too long or taken, or there are too many steps.
            TypeError: The function's annotation can't be read.
            CallError: The journal failed.
        """
        checked_key("the name of a step", name)
        result = _return_type(name, function) if type_ is None else type_
        with self._lock:
            kept = self._load()
            if name in self._begun:
                raise ValueError(f"step {name!r} runs twice in one run: give each step of a job a name of its own")
            steps = {*self._begun, *(each.removeprefix(_STEP) for each in kept if each.startswith(_STEP))}
            if name not in steps and len(steps) >= MOST_STEPS:
                raise ValueError(f"step {name!r}: a job has at most {MOST_STEPS} steps")
            self._begun.add(name)
            return Step(name, result, kept.get(_STEP + name), partial(self._keep, _STEP + name))

    def task(self, request: bytes) -> "Task":
        """Return the place of an analysis task; equal requests of one run have places of their own."""
        digest = sha256(request).hexdigest()[:32]
        with self._lock:
            kept = self._load()
            self._tasks[digest] += 1
            name = f"{_TASK}{digest}:{self._tasks[digest]}"
            is_kept = self._tasks.total() <= MOST_TASKS
            return Task(kept.get(name, _NO_TASK), partial(self._keep, name) if is_kept else _keep_nothing)

    def notify(self, name: str, notification: Job, delay: float) -> str:
        """Store a notification, or none if the job has stored one of this name; return the notify_id of the first.

        Args:
            name: That of `ctx.notify(once=...)`.
            notification: The job that notifies the app.
            delay: Seconds until it is due.

        Raises:
            ValueError: The name is too long, or there are too many of them.
            StoreError: The notification could not be stored.
            CallError: The job is not this process's any more; or its steps could not be read.
        """
        checked_key("once of a notification", name)
        with self._lock:
            self._load()
            if notify_id := self._notified.get(name):
                return notify_id
            if name not in self._notified and len(self._notified) >= MOST_NOTIFICATIONS:
                raise ValueError(f"once={name!r}: a job has at most {MOST_NOTIFICATIONS} notifications with once")
            self._notified[name] = ""
        first = self._journal.add_once(self._owner, self._job_id, _NOTIFIED + name, notification, delay=delay)
        if first is None:
            raise CallError("the job belongs to another process now, or was removed: the app is not notified")
        self._notified[name] = first
        return first

    def _load(self) -> dict[str, str]:
        if self._kept is None:
            try:
                self._kept = self._journal.steps(self._job_id)
            except StoreError as error:
                raise CallError("the steps of the job could not be read", detail=str(error)) from error
            notified = {name: text for name, text in self._kept.items() if name.startswith(_NOTIFIED)}
            self._notified = {name.removeprefix(_NOTIFIED): text for name, text in notified.items()}
        return self._kept

    def _keep(self, name: str, text: str) -> None:
        try:
            is_kept = self._journal.keep_step(self._owner, self._job_id, name, text)
        except StoreError as error:
            raise CallError("the result of a step could not be stored", detail=str(error)) from error
        if not is_kept:
            raise CallError("the job belongs to another process now, or was removed: its step is not kept")


class Step:
    """One step.

    Args:
        name: Its name.
        type_: What its result is read as; Any when nothing says so.
        text: The result that is kept; None when there is none.
        keep: Keeps one.
    """

    def __init__(self, name: str, type_: Any, text: str | None, keep: Callable[[str], None]) -> None:
        self.text = text
        self._name = name
        self._type = type_
        self._keep = keep

    def keep(self, value: object) -> Any:
        """Keep a result; return it as a later attempt will read it.

        Raises:
            TypeError: It can't be written as JSON, or is not what its type says.
            ValueError: It is too large.
            CallError: It could not be stored.
        """
        what = f"the result of step {self._name!r}"
        text = encoded(what, value)
        if len(text.encode()) > LARGEST_RESULT:
            raise ValueError(f"{what}: it has more than {LARGEST_RESULT} bytes of JSON")
        try:
            result = decode_json(text, self._type)
        except JsonError as error:
            raise TypeError(f"{what}: it is not of the type that the step has: {error}") from None
        if self._type is Any and result != value:
            raise TypeError(f"{what} is no plain JSON: annotate what the function returns, or pass it as type=")
        self._keep(text)
        return result

    def result(self) -> Any:
        """Return the result that is kept.

        Raises:
            KeptValueError: It does not fit the type.
        """
        try:
            return decode_json(self.text or "", self._type)
        except JsonError as error:
            raise KeptValueError(self._name, str(error)) from None


class Task:
    """The place of one analysis task.

    Args:
        text: The jobid that is kept, as JSON.
        keep: Keeps one.
    """

    def __init__(self, text: str, keep: Callable[[str], None]) -> None:
        self._text = text
        self._keep = keep

    def jobid(self, create: Callable[[], str]) -> str:
        """Return the jobid of the task that an earlier attempt has created; else create one."""
        if self._text != _NO_TASK:
            return decode_json(self._text, str)
        jobid = create()
        self._keep(encoded("the jobid", jobid))
        return jobid

    def drop(self) -> None:
        """Let a later attempt create another task: this one failed."""
        self._keep(_NO_TASK)


def _keep_nothing(text: str) -> None:
    """Do nothing: the job has too many tasks."""


def _return_type(name: str, function: Callable[..., Any]) -> Any:
    while isinstance(function, partial):
        function = function.func
    try:
        return get_type_hints(function).get("return", Any)
    except NameError as error:
        raise TypeError(
            f"step {name!r}: {error}; the annotation must be importable at run time, or pass type="
        ) from None
    except TypeError:  # an object that has no annotations
        return Any

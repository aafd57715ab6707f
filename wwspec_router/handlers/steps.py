"""Parts of a job whose results are kept at once, so that a later attempt does not do them again.

An application's steps and the analysis tasks of `ctx.finish` are kept beside each other, under different names.
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

MOST_STEPS = 100
"""Steps of one job."""
MOST_TASKS = 1000
"""Analysis tasks of one job that are kept."""
LARGEST_RESULT = 65_536
"""Bytes of JSON of a step's result."""

_STEP, _TASK = "step:", "task:"
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

    def _load(self) -> dict[str, str]:
        if self._kept is None:
            try:
                self._kept = self._journal.steps(self._job_id)
            except StoreError as error:
                raise CallError("the steps of the job could not be read", detail=str(error)) from error
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

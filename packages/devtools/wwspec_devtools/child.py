"""A `wwspec` verb in a process of its own: started, waited for, and ended with the process that started it."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Protocol

from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.support import lifeline
from wwspec_devtools import prestart
from wwspec_devtools.direct import direct

START_LIMIT = 30.0
"""Seconds within which a child must be ready, unless `START_LIMIT_VARIABLE` sets another number."""
START_LIMIT_VARIABLE = "WWSPEC_START_LIMIT"
STOP_LIMIT = 15.0
"""Seconds within which a child must end after SIGTERM."""
TICK = 0.01
"""Seconds between two checks of a child."""
_ANNOUNCED = re.compile(r"(?:listening|running) on (http://[\d.]+:\d+)")


class ChildError(WWSpecError):
    """A child process ended too early or never got ready."""


class Process(Protocol):
    """A process that runs or has ended: the part of `subprocess.Popen` that `Child` uses."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def returncode(self) -> int | None:
        """Its exit code, once `poll` or `wait` has returned it; -9 when signal 9 has ended it."""

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code; raises `subprocess.TimeoutExpired` after so many seconds."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


_NO_FILE = "WWSPEC_CONFIG"
"""The variable that names the settings file. That of a child names one without settings."""


class StartProcess(Protocol):
    """Starts the process of a verb."""

    def __call__(
        self, arguments: Sequence[str], environment: Mapping[str, str], stdin: int | None, output: int | None, /
    ) -> Process:
        """Start `wwspec` in this process's folder.

        Args:
            arguments: Behind `wwspec`.
            environment: All of it.
            stdin: Standard input, as for `subprocess.Popen`: `DEVNULL`, or this process's own when None.
            output: The file descriptor of standard output and error; this process's own when None.
        """


def new_interpreter(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stdin: int | None,
    output: int | None,
    /,
    module: str = "wwspec_router",
    pass_fds: Sequence[int] = (),
) -> Process:
    """Start a verb in a new Python, which imports all that it needs, and ends within 2 s when this process is gone."""
    command = [sys.executable, "-m", module, *arguments]
    end = lifeline.reading_end()
    return subprocess.Popen(  # noqa: S603 - the verbs of our own packages
        command,
        env={**environment, lifeline.VARIABLE: str(end)},
        stdin=stdin,
        stdout=output,
        stderr=output,
        pass_fds=[*pass_fds, end],
    )


def is_child() -> bool:
    """Return whether this process is a verb that another one, or a test, has started as a `Child`."""
    return os.environ.get(_NO_FILE) == os.devnull


class Child:
    """One `wwspec` verb in a process of its own.

    It reads no settings file: its settings are those that it is given.

    Args:
        arguments: The verb and its options.
        environment: Added to this process's own.
        output: A file for its standard output and error; this process's own when None.
        in_terminal: Whether it reads this process's standard input.
        held: What the child does before it waits for `release`; see `prestart.order`. It ends if this process ends. It
            is always a new interpreter.
        start_process: Starts the process; None means `new_interpreter`.
        start_limit: Seconds within which it must be ready, or have succeeded; None means `WWSPEC_START_LIMIT`, or 30.

    Raises:
        ConfigurationError: The limit is no number of seconds.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        output: Path | None = None,
        *,
        in_terminal: bool = False,
        held: Sequence[str] = (),
        start_process: StartProcess | None = None,
        start_limit: float | None = None,
    ) -> None:
        self._limit = _limit_of_start(start_limit)
        self.arguments: tuple[str, ...] = tuple(arguments)
        self._output = output
        self._url: str | None = None
        self._read = len(output.read_text(errors="replace")) if output is not None and output.exists() else 0
        whole = {**os.environ, _NO_FILE: os.devnull, **(environment or {})}
        start = start_process or new_interpreter
        with ExitStack() as stack:
            written = None if output is None else stack.enter_context(output.open("ab")).fileno()
            stack.enter_context(prestart.without_interrupts())  # until its `__main__` or its word lets them in
            if held:
                word, self._word = os.pipe()
                stack.callback(os.close, word)
                whole[prestart.VARIABLE] = prestart.order(word, held)
                start = partial(new_interpreter, module=prestart.__name__, pass_fds=[word])
            stdin = None if in_terminal else subprocess.DEVNULL
            self.process: Process = start(self.arguments, whole, stdin, written)

    def release(self) -> None:
        """Let a child go on that is held."""
        with suppress(BrokenPipeError):  # it has ended
            os.write(self._word, prestart.GO)
        os.close(self._word)

    def discard(self) -> None:
        """End a child that is held, at once."""
        os.close(self._word)
        self.process.kill()
        self.process.wait()

    def wait_ready(self, url: str, limit: float | None = None) -> None:
        """Wait until a URL answers with status 200.

        Args:
            url: What is asked for.
            limit: Seconds; None means the limit of its start.

        Raises:
            ChildError: The child ended, or the time is over.
        """
        begun, limit = monotonic(), limit or self._limit
        while not _answers(url):
            self._check_alive(begun, limit)
        self._check_alive(begun, limit)  # else it is a stranger that answers

    def wait_success(self) -> None:
        """Wait until the child has ended.

        Raises:
            ChildError: Its exit code is not 0, or the time is over.
        """
        is_late = not self._ends_within(self._limit)
        if is_late:
            self.kill()
        if (code := self.process.returncode) != 0:
            how = f"had not ended {_within(self._limit)}" if is_late else f"ended with exit code {code}"
            raise ChildError(f"wwspec {self.arguments[0]} {how}{self._said()}")

    def announced_url(self) -> str:
        """Return the URL at which the child listens; wait for its line at first, see `wait_for`."""
        if self._url is None:
            self._url = self.wait_for(_ANNOUNCED)[1]
        return self._url

    def wait_for(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Wait until the child has printed something that was not waited for before; needs an output file.

        Raises:
            ChildError: The child ended, or the time is over.
        """
        if self._output is None:
            raise ValueError("a child without an output file can't be read")
        begun = monotonic()
        while (found := pattern.search(self._output.read_text(errors="replace"), self._read)) is None:
            self._check_alive(begun, self._limit)
        self._read = found.end()
        return found

    def stop(self, limit: float = STOP_LIMIT) -> None:
        """End the child: SIGTERM, and SIGKILL when it takes longer than so many seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            if not self._ends_within(limit):
                self.kill()

    def kill(self) -> None:
        """End the child and its own children at once, as a crash of their machine would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        children = _children(self.process.pid)
        self.process.kill()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(map(_runs, children)):  # until the system has closed what they had open
            Event().wait(TICK)

    def _ends_within(self, limit: float) -> bool:
        """Wait until it has ended; `subprocess` itself looks only every 50 ms after a while."""
        deadline = monotonic() + limit
        while self.process.poll() is None and monotonic() < deadline:
            Event().wait(TICK)
        return self.process.returncode is not None

    def _check_alive(self, begun: float, limit: float) -> None:
        """Wait a moment; raise when the child is gone or so many seconds have passed."""
        verb = f"wwspec {self.arguments[0]}"
        if self.process.poll() is not None:
            raise ChildError(f"{verb} ended with exit code {self.process.returncode}{self._said()}")
        if monotonic() - begun > limit:
            raise ChildError(f"{verb} was not ready {_within(limit)}{self._said()}")
        Event().wait(TICK)

    def _said(self) -> str:
        if self._output is None:
            return ""
        return ": " + self._output.read_text(errors="replace").strip()[-2000:]


def _limit_of_start(given: float | None) -> float:
    """Return the seconds within which a child must be ready.

    Raises:
        ConfigurationError: They are no number above 0.
    """
    name: str = "start_limit"
    value: float | str | None = given
    if value is None:
        name, value = START_LIMIT_VARIABLE, os.environ.get(START_LIMIT_VARIABLE) or START_LIMIT
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise ConfigurationError(f"{name} must be a number of seconds above 0, not {value!r}")
    return seconds


def _within(limit: float) -> str:
    return f"within {limit:g} seconds ({START_LIMIT_VARIABLE})"


def _answers(url: str) -> bool:
    try:
        with direct().open(url, timeout=2.0) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _children(pid: int) -> list[int]:
    """Return the process ids of a process's children; none where the system does not say."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _runs(pid: int) -> bool:
    """Return whether a process still runs; one that ended and was not waited for does not.

    Its first thread may have ended before others, which keep its files open: then a port is still taken.
    """
    process = Path("/proc", str(pid))
    try:
        is_first_running = (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        return is_first_running or len(list((process / "task").iterdir())) > 1
    except OSError:
        return False

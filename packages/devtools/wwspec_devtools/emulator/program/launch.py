"""A zone program that the emulator starts: any command line, with the stand-in first on its PYTHONPATH.

The program may have any language and framework. It is one process group, and ends with the emulator, also when that is
killed.
"""

import logging
import os
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from typing import Self
from urllib.parse import urlsplit

from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.support.lifeline import Guard
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY
from wwspec_devtools.emulator.standin.wwspec_standin.link import MACHINE_VARIABLE

START_SECONDS = 30.0
"""Seconds after which a warning says that the program does not listen yet."""
STOP_SECONDS = 10.0
"""Seconds between SIGTERM and SIGKILL."""
PORT = "{port}"
"""In a command for several machines: the port of each."""
TICK = 0.05
"""Seconds between two checks of the program."""

_log = logging.getLogger("uvicorn.error")


class ProgramEndedError(WWSpecError):
    """The program ended before the emulator did."""


class Launch:
    """A program that runs within a `with` block.

    Args:
        command: Its command line, split as a shell does; run in the current folder.
        emulator_url: Where the emulator listens.
        program_url: Where the program must listen.
        on_end: Called when the program ends by itself.
        machine: The number of its machine among several; `{port}` in the command is then its port.

    Raises:
        ConfigurationError: The command can't be started.
    """

    def __init__(
        self, command: str, emulator_url: str, program_url: str, on_end: Callable[[], None], machine: int = 0
    ) -> None:
        if machine and PORT not in command:
            raise ConfigurationError(
                f"each machine needs a port of its own: write {PORT} for it in --program {command!r}"
            )
        parts = urlsplit(program_url)
        self._address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        self._command = command.replace(PORT, str(self._address[1])) if machine else command
        self._environment = {MACHINE_VARIABLE: str(machine)} if machine else {}
        self._program_url = program_url
        self._on_end = on_end
        self._stopping = threading.Event()
        self._ended: int | None = None
        with ExitStack() as stack:
            self._group = stack.enter_context(Guard()).group
            self._process = self._start(emulator_url)
            self._guard = stack.pop_all()
        self._watcher = threading.Thread(target=self._watch, name="emulator-program")

    def check(self) -> None:
        """Raise ProgramEndedError when the program ended by itself."""
        if self._ended is not None:
            raise ProgramEndedError(f"the program ended with exit code {self._ended}: {self._command}")

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning("the program did not end within %g seconds of SIGTERM: killing it", STOP_SECONDS)
        self._signal(signal.SIGKILL)  # with all that the program left in its group
        self._process.wait()
        self._guard.close()
        self._watcher.join()

    def _start(self, emulator_url: str) -> "subprocess.Popen[bytes]":
        path = [str(STANDIN_DIRECTORY), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "WWSPEC_EMULATOR_URL": emulator_url,
            **self._environment,
        }
        try:
            arguments = shlex.split(self._command)
            return subprocess.Popen(  # noqa: S603 - the command of the user of the emulator
                arguments, env=environment, stdin=subprocess.DEVNULL, process_group=self._group
            )
        except (OSError, ValueError, IndexError) as error:
            raise ConfigurationError(f"the program can't be started: {self._command}: {error}") from None

    def _watch(self) -> None:
        """Log when the program listens, and when it ends by itself."""
        deadline = monotonic() + START_SECONDS
        listening = False
        while self._process.poll() is None and not self._stopping.is_set():
            if not listening and self._listens():
                listening = True
                _log.info("the program accepts connections at %s", self._program_url)
            if not listening and monotonic() > deadline:
                deadline = float("inf")
                _log.warning("nothing listens at %s yet: is it the program's port?", self._program_url)
            self._stopping.wait(TICK)
        if not self._stopping.is_set():
            self._ended = self._process.returncode
            _log.error("the program ended with exit code %d", self._ended)
            self._on_end()

    def _listens(self) -> bool:
        try:
            socket.create_connection(self._address, TICK).close()
        except OSError:
            return False
        return True

    def _signal(self, number: int) -> None:
        os.killpg(self._group, number)

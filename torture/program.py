"""The program under torture: real processes in a group of their own, that can be killed one by one or all at once.

Also starts the emulator and writes the registry file. Reads /proc, so it needs Linux. Knows no run.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from tests.support.sdk import standin_as_vendor
from wwspec_devtools.child import Child

T = TypeVar("T")

__all__ = ["ROOT", "TIMEOUT", "ServeProcess", "emulator", "until", "write_registry"]

ROOT = Path(__file__).parents[1]
"""The application folder of the tortured program: the handlers are in `torture/`, the contracts in `schemas/`."""

TIMEOUT = 3.0
"""Seconds within which each ability answers, by the registry file."""
READING = 60.0
"""Seconds for code that reads all that is new: what a run reads counts only once it ends, so it must end on a busy
machine, too."""
START_LIMIT = 30.0
"""Seconds within which a process must be up."""
STOP_LIMIT = 20.0
"""Seconds within which the program must end after SIGTERM."""

_POLL = 0.01
_ANNOUNCED = re.compile(r"listening on (http://[\d.]+:(\d+))/")
_REGISTRY = f"""\
[program]
name = "tortured-program"
notify_ttl = {{notify_ttl}}
timeout = {TIMEOUT}

[passthrough]
prefix = "invoke_"
apis = ["get_group_chat"]

[abilities.get_callback_data]
kind = "callback_data"

[events.conversation_new_message]
handler = "torture.handlers:on_new_message"
notify = "after"
retries = 1000
timeout = {READING}

[notifications.handled]
contract = "torture.handlers:Handled"

[abilities.reading]
handler = "torture.handlers:reading"

[abilities.double]
handler = "torture.handlers:double"

[abilities.job]
handler = "torture.handlers:job"

[abilities.double_async]
handler = "torture.handlers:double_async"

[abilities.wait]
handler = "torture.handlers:wait"
"""


def write_registry(folder: Path, notify_ttl: float) -> Path:
    """Write the registry file of the tortured program and return its path.

    Args:
        folder: Where to.
        notify_ttl: Seconds for which events are kept.
    """
    path = folder / "registry.toml"
    path.write_text(_REGISTRY.format(notify_ttl=notify_ttl))
    return path


@contextmanager
def emulator(folder: Path, registry: Path) -> Iterator[str]:
    """Run an emulator that has the program's contracts and whose clock stands still; yield its URL.

    With its clock standing, its notify_ids and tokens are valid for as long as a run takes. Pulls without a token, as
    code makes them on an event that is older than its token, are not limited: the minute of the limit would not end.
    """
    application = ["--app", str(ROOT), "--registry", str(registry)]
    contracts = Child(["contracts", *application, "--out", str(folder / "contracts")], output=folder / "contracts.log")
    contracts.wait_success()
    options = [
        "--port",
        "0",
        "--call-timeout",
        "30",
        "--clock-start",
        str(int(time.time())),
        "--tokenless-pulls",
        "1000000",
    ]
    child = Child(
        ["emulate", *options, "--contracts", str(folder / "contracts")],
        {"PYTHONWARNINGS": "ignore"},
        output=folder / "emulator.log",
    )
    try:
        yield child.announced_url()
    finally:
        child.stop()


def until(condition: Callable[[], bool], seconds: float, poll: float = _POLL) -> bool:
    """Wait until a condition holds, for so many seconds at most; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll)
    return True


def _sdk_in(folder: Path) -> Path:
    """Return a folder with a copy of the stand-in, which is then served as the vendor's module: as in production."""
    sdk = folder / "sdk"
    return sdk if sdk.exists() else standin_as_vendor(sdk)


class ServeProcess:
    """`wwspec serve`, in a process group of its own. A context manager: killed at its end if it still runs.

    Args:
        folder: For its log, `program.log`.
        registry: Its registry file.
        environment_url: Where its SDK finds the zone: the emulator's URL, or `local:DIRECTORY`.
        options: Further options of `serve`.

    Attributes:
        url: Where it listens; the same after a restart.
        port: The URL's port.
    """

    def __init__(self, folder: Path, registry: Path, environment_url: str, options: Sequence[str]) -> None:
        self._log = folder / "program.log"
        self._command = [sys.executable, "-m", "wwspec_router", "serve", "--sdk", "vendor", "--app", str(ROOT)]
        self._command += ["--registry", str(registry), *options]
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(_sdk_in(folder)), str(ROOT))),
            "TMPDIR": str(folder),  # what a killed parent leaves behind is gone with the run
            "WWSPEC_EMULATOR_URL": environment_url,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs of it."""
        if self._process is not None:
            self.kill()

    @property
    def pid(self) -> int:
        """The process that was started: the parent of the workers."""
        return self._running().pid

    def start(self) -> float:
        """Start it, at the same port if it ran before, and return how many seconds it took until it answered.

        Raises:
            RuntimeError: It did not.
        """
        began = time.monotonic()
        read = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - this project's own command
                [*self._command, "--port", str(self.port)],
                cwd=self._log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        found = self._wait(lambda: _ANNOUNCED.search(self.said(read)), read)
        self.url, self.port = found[1], int(found[2])
        self._wait(self._accepts, read)
        return time.monotonic() - began

    def workers(self) -> list[int]:
        """Return the process ids of the workers; empty while they are being started."""
        return children(self.pid)

    def processes(self) -> list[int]:
        """Return the process ids of all that serve: parent and workers."""
        return [self.pid, *self.workers()]

    def kill_worker(self, pid: int) -> None:
        """End one worker as a crash does."""
        if pid in self.workers():  # nothing else is ever killed by its number
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_parent(self, seconds: float) -> bool:
        """End the parent alone as a crash does; return whether its workers end within so many seconds by themselves."""
        process = self._running()
        process.kill()
        process.wait()
        return until(lambda: not _group_lives(process.pid), seconds)

    def lives(self) -> bool:
        """Tell whether the process that was started still runs."""
        return self._running().poll() is None

    def kill(self) -> None:
        """End parent and workers as a crash of their machine does."""
        process = self._running()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        until(lambda: not _group_lives(process.pid), STOP_LIMIT)
        self._process = None

    def stop(self) -> bool:
        """End it as the platform does, with SIGTERM, and return whether it ended in time and by itself."""
        process = self._running()
        process.terminate()
        ended = until(lambda: process.poll() is not None, STOP_LIMIT)
        self.kill()
        return ended

    def said(self, since: int = 0) -> str:
        """Return what it has logged after so many bytes."""
        with self._log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise RuntimeError("the program was not started")
        return self._process

    def _wait(self, find: Callable[[], T | None], read: int) -> T:
        """Wait until `find` finds something while the program starts, and return that."""
        found: list[T] = []

        def is_found() -> bool:
            if not self.lives():
                raise RuntimeError(f"the program ended with exit code {self._running().returncode}: {self.said(read)}")
            result = find()
            if result:
                found.append(result)
            return bool(result)

        if not until(is_found, START_LIMIT):
            raise RuntimeError(f"the program did not get ready: {self.said(read)}")
        return found[-1]

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has, in bytes; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def open_files(pid: int) -> int:
    """Return how many file descriptors a process has open; 0 when it is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

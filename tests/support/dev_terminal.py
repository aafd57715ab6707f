"""`wwspec dev` in a terminal of its own, at which a test types what a person would."""

import os
import pty
import re
import termios
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.support.command import Running
from tests.support.forks import fork
from tests.support.waiting import DEADLINE, wait_until

PROMPT = "(Pdb)"
"""Without the space behind it, which readline writes apart: a line of another process may come between."""
CTRL_C = "\x03"


class DevTerminal:
    """A terminal in which `wwspec dev` runs for an application folder."""

    def __init__(self, folder: Path, port: int, emulator_port: int, *options: str) -> None:
        self._screen, terminal = pty.openpty()
        self._printed = b""
        self._read = 0
        self.folder = folder
        self.modes = self._modes()
        self._verbs = ExitStack()
        ports = ["--port", str(port), "--emulator-port", str(emulator_port), "--store", "memory:"]
        self.process = fork(
            ["dev", "--app", str(folder), *ports, *options],
            {**os.environ, "TERM": "dumb", "NO_COLOR": "1"},
            [terminal] * 3,
            folder=folder,
            is_session=True,
        )
        os.close(terminal)
        self._reader = threading.Thread(target=self._keep_reading)
        self._reader.start()

    @property
    def printed(self) -> str:
        return self._printed.decode("utf-8", "replace").replace("\r", "")

    def expect(self, pattern: str) -> str:
        """Wait until something is printed after what was expected before, and return it."""
        found: list[re.Match[str]] = []

        def is_there() -> bool:
            is_over = not self._reader.is_alive()  # asked first: then all that was printed has been read
            found.extend(re.finditer(pattern, self.printed[self._read :]))
            return bool(found) or is_over

        wait_until(is_there)
        assert found, self.printed
        self._read += found[0].end()
        return found[0][0]

    def answer(self, text: str) -> None:
        self.expect(re.escape(PROMPT))
        self.type(f"{text}\n")

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def wwspec(self, *arguments: str) -> Running:
        return self._verbs.enter_context(Running(arguments, self.folder, os.environ))

    @property
    def is_restored(self) -> bool:
        return self._modes() == self.modes

    def end(self) -> int:
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code

    def close(self) -> None:
        self._verbs.close()
        if self.process.poll() is None:
            self.type(CTRL_C)
        self.end()
        os.close(self._screen)

    def _modes(self) -> list[Any]:
        return termios.tcgetattr(self._screen)[:4]

    def _keep_reading(self) -> None:
        with suppress(OSError):  # the last process of the terminal has ended
            while piece := os.read(self._screen, 65_536):
                self._printed += piece

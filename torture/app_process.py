"""An example of an enterprise app as a process that is killed and started again, as its README starts it.

Knows neither when it is killed nor what it stores.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

import httpx

from torture.program import ROOT, until

__all__ = ["AppProcess", "page_of"]

UP_LIMIT = 60.0
"""Seconds within which an app must show its page."""


class AppProcess:
    """A uvicorn in a process group of its own.

    Args:
        example: The folder of the example.
        served: Its application, as uvicorn names it.
        folder: For its log, `app.log`.
        port: Where it listens.
        settings: Environment variables.
        options: Further options of uvicorn.
    """

    def __init__(
        self,
        example: Path,
        served: str,
        folder: Path,
        port: int,
        settings: Mapping[str, str],
        options: Sequence[str] = (),
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "app.log"
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self._environment = {**os.environ, **settings, "PYTHONPATH": path}
        self._command = [sys.executable, "-m", "uvicorn", "--factory", "--app-dir", str(example), served]
        self._command += ["--port", str(port), "--no-access-log", *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and do not wait for it."""
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - this project's own example
                self._command,
                cwd=self._log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def lives(self) -> bool:
        """Tell whether it runs."""
        return self.process is not None and self.process.poll() is None

    def wait_up(self) -> float:
        """Wait until it shows its page, and return how many seconds that took.

        Raises:
            RuntimeError: It does not.
        """
        began = monotonic()
        if not until(lambda: not self.lives() or bool(self.page()), UP_LIMIT) or not self.lives():
            raise RuntimeError(f"the app shows no page: {self.said()[-1000:]}")
        return monotonic() - began

    def page(self) -> str:
        """Return its page; empty when it shows none."""
        return page_of(self.url)

    def said(self) -> str:
        """Return what it has printed."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def traceback(self) -> list[str]:
        """Return a failure when it has printed a traceback."""
        said = self.said()
        if (found := said.find("Traceback")) < 0:
            return []
        return [f"the app printed a traceback: {said[found : found + 1500]}"]


def page_of(url: str) -> str:
    """Return the page of an app; empty when it shows none."""
    try:
        answer = httpx.get(url, timeout=5.0, trust_env=False)
    except httpx.HTTPError:
        return ""
    return answer.text if answer.status_code == httpx.codes.OK else ""

"""A person at terminals: types the commands of pages, compares what they print, and leaves servers running."""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.pages import Block
from tests.support.waiting import DEADLINE, wait_until
from wwspec_devtools.cli.watching import State, watched_files
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.config import registry_path

__all__ = ["INSTALLED", "Output", "Terminals", "terminals_in", "variables_of_ports"]

BASH = "/bin/bash"

COMMAND = 600
"""Seconds that one block of commands may take."""

SERVERS = ("wwspec dev", "wwspec emulate", "uvicorn ")
"""Commands that do not end; each block with one has a terminal of its own."""

INSTALLED = {
    "scripts/package --build": "",
    ".venv/bin/wwspec new ../shop --minimal --wheels dist": "wwspec new ../shop --minimal --wheels dist",
    "python3 -m venv .venv": "",
    "source .venv/bin/activate": "",
    "pip install -r requirements-dev.txt": "",
}
"""Commands of pages that build and install -> what is run in their place, where all is installed already."""

VARYING = r"\b(?:notify_|job_)?[0-9a-f]{32,}\b|\b1[0-9]{9}\b"
"""What each run prints otherwise: notify_ids, jobids, Unix times. One on a page stands for the one that was printed."""


_DOTS = {"...": r"[^\n]*", "...\n": r"(?:.*\n)?", "\n...": r"(?:\n.*)?"}


def variables_of_ports(ports: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which `wwspec` has other ports than those of the pages: 8080 and 8090."""
    return {
        "LANG": "C.UTF-8",
        "WWSPEC_START_LIMIT": os.environ["WWSPEC_START_LIMIT"],
        "WWSPEC_PORT": ports["8080"],
        "WWSPEC_EMULATOR_PORT": ports["8090"],
        "WWSPEC_EMULATOR_URL": f"http://127.0.0.1:{ports['8090']}",
    }


class Output:
    """The output on a page: what it looks like in any run.

    Three dots stand for anything: for any lines when they have a line of their own, else for what a line has there.

    Args:
        text: The output on the page.
        known: What was printed in place of a varying value of the pages.
    """

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self._values: list[str] = []  # one for each group
        parts = re.split(rf"(^ *\.\.\.\n|\n\.\.\.\Z|\.\.\.|{VARYING})", text.strip(), flags=re.MULTILINE)
        self._pattern = re.compile("".join(self._part(each, known) for each in parts), re.DOTALL)

    def _part(self, part: str, known: Mapping[str, str]) -> str:
        if (dots := part.lstrip(" ")) in _DOTS:
            return _DOTS[dots]
        if part in known or not re.fullmatch(VARYING, part):
            return re.escape(known.get(part, part))
        if part in self._values:
            return f"\\{self._values.index(part) + 1}"
        self._values.append(part)
        return f"({VARYING})"

    def values_of(self, printed: str, *, whole: bool) -> dict[str, str] | None:
        """Return what stands for the varying values of the page; None when the output is another one."""
        found = self._pattern.fullmatch(printed.strip()) if whole else self._pattern.search(printed)
        return None if found is None else dict(zip(self._values, found.groups(), strict=True))


class Server:
    """A command that runs until Ctrl-C, in a process group of its own, as a shell starts it."""

    def __init__(self, command: str, log: Path, cwd: Path, environment: Mapping[str, str]) -> None:
        self.is_dev = "wwspec dev" in command
        self._log = log
        self.command = command
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [BASH, "-euc", command],
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=environment,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", errors="replace")

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self.runs:
            os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait(DEADLINE)


class Terminals:
    """Runs the commands of one page after another.

    Args:
        cwd: Where the first page begins.
        environment: Of each terminal.
        ports: Ports of the pages -> free ones, which are used in their place.
        logs: A folder for what servers print.
    """

    def __init__(self, cwd: Path, environment: Mapping[str, str], ports: Mapping[str, str], logs: Path) -> None:
        self.cwd = cwd
        self._fresh, self._environment = dict(environment), dict(environment)
        self._ports, self._logs = ports, logs
        self._servers: list[Server] = []
        self._begins: list[int] = []
        """Where the output of each server begins that came after the latest command."""
        self._known: dict[str, str] = {}
        """Varying value of the pages -> what was printed in its place."""
        self._printed, self._failed = "", False
        self._files: State = {}
        self._restarts = 0
        """Where the output of `wwspec dev` begins that came after its latest restart."""

    def begin_page(self) -> None:
        self._environment = dict(self._fresh)

    @property
    def dev_runs(self) -> bool:
        """Whether `wwspec dev` was started."""
        return any(each.is_dev for each in self._servers)

    def restart_dev(self) -> None:
        for dev in [each for each in self._servers if each.is_dev]:
            self._wait_for_restart()
            self._start(dev.command)
            self.expect("watching ...")

    def follow(self, block: Block, instead: Mapping[str, str]) -> None:
        """Do what a block of a page says.

        Args:
            block: A file, commands, or what the latest of them prints.
            instead: Lines of commands -> what is run in their place.
        """
        if block.is_file:
            block.write(self.cwd)
        elif block.language == "text":
            self.expect(block.text)
        elif commands := [command for line in block.text.splitlines() if (command := instead.get(line, line))]:
            self.run("\n".join(commands))

    def follow_all(self, blocks: Iterable[Block], instead: Mapping[str, str]) -> None:
        """Do what blocks say, the last of which has to succeed as well."""
        for block in blocks:
            self.follow(block, instead)
        self.check_success()

    def run(self, command: str) -> None:
        """Run the commands of a block as a shell does, with the ports and values of this run."""
        self.check_success()
        self._wait_for_restart()
        for value, actual in (*self._ports.items(), *self._known.items()):
            command = re.sub(rf"\b{value}\b", actual, command)
        self._begins = [len(self._output_of(each)) for each in self._servers]
        self._printed = ""
        if any(line.startswith(SERVERS) for line in command.splitlines()):
            self._start(command)
            return
        after = self._logs / "after"
        script = f"trap '{{ pwd; env -0; }} > {shlex.quote(str(after))}' EXIT\n{command}"
        done = subprocess.run(
            [BASH, "-euc", script],
            cwd=self.cwd,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND,
            check=False,
        )
        self._printed, self._failed = self._as_on_pages(done.stdout), done.returncode != 0
        place, _, variables = after.read_text("utf-8").partition("\n")
        self.cwd = Path(place)
        self._environment = dict(each.split("=", 1) for each in variables.split("\0") if each)

    def expect(self, text: str) -> None:
        """Compare the output on a page with that of the latest command, or with what servers print after it."""
        output = Output(text, self._known)
        values = output.values_of(self._printed, whole=True)
        if values is None:
            self.check_success()
            values = self._wait_for_servers(output) if self._servers else None
        assert values is not None, f"the page has\n{text}\nprinted was\n{self._everything()}"
        self._failed = False
        self._known |= values

    def check_success(self) -> None:
        assert not self._failed, self._printed

    def stop(self) -> None:
        """End what still runs."""
        for each in self._servers:
            each.stop()

    def _start(self, command: str) -> None:
        is_dev = "wwspec dev" in command
        for each in [each for each in self._servers if is_dev and each.is_dev]:
            each.stop()
            self._servers.remove(each)
        if is_dev:
            self._files, self._restarts = self._watched_files(), 0
        active = {"PATH": self._environment["PATH"]}  # of a virtual environment
        environment = {**self._fresh, **active} if is_dev else self._environment
        log = self._logs / f"{len(list(self._logs.iterdir()))}.log"
        self._servers.append(Server(command, log, self.cwd, environment))
        self._begins = [*(len(self._output_of(each)) for each in self._servers[:-1]), 0]

    def _wait_for_servers(self, output: Output) -> dict[str, str] | None:
        found: list[dict[str, str]] = []

        def printed() -> bool:
            is_over = not all(each.runs for each in self._servers)  # asked first: then all is there that was printed
            for server, begin in zip(self._servers, self._begins, strict=True):
                values = output.values_of(self._output_of(server)[begin:], whole=False)
                found.extend([] if values is None else [values])
            return bool(found) or is_over

        with suppress(AssertionError):  # the caller says more
            wait_until(printed)
        return found[0] if found else None

    def _wait_for_restart(self) -> None:
        """Wait until `wwspec dev` has seen each file that was written, and its program is up again."""
        dev = next((each for each in self._servers if each.is_dev), None)
        if dev is None:
            return
        files = self._watched_files()
        changed = [path for path in files.keys() | self._files.keys() if files.get(path) != self._files.get(path)]

        def restarted() -> bool:
            log = dev.output[self._restarts :]
            named = re.findall(r"^(.+?)(?: and (\d+) more files)? changed: restarting", log, re.MULTILINE)
            seen = sum(len(names.split(", ")) + int(more or 0) for names, more in named)
            return seen >= len(changed) and "the program is up again" in log.rpartition("changed: restarting")[2]

        if changed:
            with suppress(AssertionError):
                wait_until(restarted)
            assert restarted(), dev.output
            self._files, self._restarts = files, len(dev.output)

    def _watched_files(self) -> State:
        return watched_files(self.cwd, registry_path(self.cwd))[0]

    def _output_of(self, server: Server) -> str:
        return self._as_on_pages(server.output)

    def _as_on_pages(self, output: str) -> str:
        for port, actual in self._ports.items():
            output = re.sub(rf"\b{actual}\b", port, output)
        return output

    def _everything(self) -> str:
        return "\n".join([self._printed, *map(self._output_of, self._servers)])


BARE = {"PATH", "HOME", "TMPDIR", "PYENV_ROOT", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_INDEX_URL"}
"""Variables of a person who has no more than a clone, on a machine that may have an index of its own."""


@contextmanager
def terminals_in(
    cwd: Path, logs: Path, ports: Sequence[str] = ("8080", "8090"), variables: Mapping[str, str] | None = None
) -> Iterator[Terminals]:
    """Terminals of a person who has no more than a clone, with free ports in place of those of the pages.

    Args:
        cwd: Where the first page begins.
        logs: A folder for what servers print.
        ports: Of the pages; 8080 and 8090 are among them.
        variables: Of the environment, besides those of such a person.
    """
    with held_ports(len(ports)) as held:
        free = dict(zip(ports, map(str, held), strict=True))
        environment = {
            **{name: value for name, value in os.environ.items() if name in BARE},
            "PIP_NO_COMPILE": "no",  # this "no" is pip's for "don't": most modules are imported by nothing
            **variables_of_ports(free),
            **(variables or {}),
        }
        del environment["WWSPEC_EMULATOR_URL"]  # verbs find that of the folder; the tutorial's last page has a base URL
        terminals = Terminals(cwd, environment, free, logs)
        try:
            yield terminals
        finally:
            terminals.stop()

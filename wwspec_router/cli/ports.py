"""Finds out who uses a port of this machine, before a verb starts something there. It changes nothing."""

import errno
import json
import shlex
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path

from wwspec_contracts.support.printable import printable
from wwspec_router.findings import Finding, State

HOST = "127.0.0.1"
ANSWER = 1.0
"""Seconds to wait for an answer on a port."""
LONGEST_COMMAND = 100
"""Characters of a command line that are shown."""
_LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp."""
_MAX_ANSWER = 65_536


class Listener(StrEnum):
    """What listens on a port, as far as its answer shows."""

    PROGRAM = "a zone program"
    EMULATOR = "an emulator"
    OTHER = "something other than a zone program or an emulator"


def port_finding(expected: Listener, port: int, option: str) -> Finding:
    """Return whether a port of 127.0.0.1 is free, or the expected server listens there; `option` chooses another."""
    error = refusal(port)
    if error is None:
        return Finding(State.OK, "port", f"{port} is free for {expected}")
    if error.errno != errno.EADDRINUSE:
        return Finding(State.FIX, "port", f"{port} can't be opened ({error.strerror}): choose another {option}")
    listener, description = occupant(port)
    if listener is expected:
        return Finding(State.OK, "port", f"{port} has {expected} already")
    return Finding(State.FIX, "port", f"{port} is taken: {description}; end it, or choose another {option}")


def refusal(port: int) -> OSError | None:
    """Return why a port can't be opened; None when it is free."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def occupant(port: int) -> tuple[Listener, str]:
    """Return what listens on a port, judged by its answer, and a description of it and of its process."""
    description, listener = _identify(port)
    pid = min(_listeners(port), default=None)
    if pid is None:
        return listener, description
    pid = _outermost(pid)
    folder = _link(f"/proc/{pid}/cwd")
    return listener, f"{description}, as process {pid}{f' in {folder}' if folder else ''} ({_command(pid)})"


def _identify(port: int) -> tuple[str, Listener]:
    answer = _get(port, "/emulator/info")
    with suppress(ValueError):
        info = json.loads(answer or b"")
        if isinstance(info, dict) and "program_url" in info:
            return f"{Listener.EMULATOR} listens there, whose program is at {info['program_url']}", Listener.EMULATOR
    is_program = answer is not None and _get(port, "/healthz") == b"ok\n"
    found = Listener.PROGRAM if is_program else Listener.OTHER
    return f"{found} listens there", found


def _get(port: int, path: str) -> bytes | None:
    """Return the beginning of a port's answer; empty when it is not HTTP, None when there is none in time."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{HOST}:{port}{path}", timeout=ANSWER) as response:
            return bytes(response.read(_MAX_ANSWER))
    except TimeoutError:
        return None
    except Exception:  # not HTTP, so it is not ours
        return b""


def _listeners(port: int) -> Iterator[int]:
    """Yield the processes that listen on a port and that this user can see; none without /proc."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{fields[9]}]")
    if not sockets:
        return
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if any(_link(file) in sockets for file in (process / "fd").iterdir()):
                yield int(process.name)


def _outermost(pid: int) -> int:
    """Return the process to end: the `wwspec` process that started the given one, or else the given one."""
    parent = pid
    with suppress(OSError, ValueError, IndexError):
        while parent > 1:
            parent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
            if _command(parent).startswith("wwspec "):
                pid = parent
    return pid


def _command(pid: int) -> str:
    """Return a process's command line for people."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return ""
    if len(words) > 2 and words[1] == "-m" and words[2].startswith("wwspec_"):  # the command line, or a held start
        words = ["wwspec", *words[3:]]
    elif len(words) > 1 and Path(words[1]).name == "wwspec":
        words = ["wwspec", *words[2:]]
    line = printable(shlex.join(words))
    return line if len(line) <= LONGEST_COMMAND else f"{line[:LONGEST_COMMAND]}…"


def _link(path: Path | str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""

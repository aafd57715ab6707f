"""Whose a port of this machine is, before a verb starts something there. Looks only: nothing is changed."""

import errno
import json
import shlex
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from wwspec_router.errors import ConfigurationError

__all__ = ["require_free_ports"]

HOST = "127.0.0.1"
ANSWER = 1.0
"""Seconds to wait for the answer of what listens on a port."""
LONGEST_COMMAND = 100
"""Characters of a command line that are shown."""
HIGHEST = 65_535
_LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp."""
_MAX_ANSWER = 65_536


def require_free_ports(ports: Mapping[str, int]) -> None:
    """Make sure that nothing listens on some ports.

    Args:
        ports: From the option that chooses a port to that port.

    Raises:
        ConfigurationError: Something does; a line for each says what and whose, and the last one has the fix.
    """
    if len(set(ports.values())) < len(ports):
        raise ConfigurationError(f"{' and '.join(ports)} are the same port: give each its own")
    taken = {option: port for option, port in ports.items() if not _is_free(port)}
    if not taken:
        return
    lines = [f"port {port} is taken: {_occupant(port)}" for port in taken.values()]
    others = [f"{option} {_next_free(port, set(ports.values()))}" for option, port in taken.items()]
    lines.append(f"nothing was started or changed: end it, or choose other ports, such as {' '.join(others)}")
    raise ConfigurationError("\n".join(lines))


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            return error.errno != errno.EADDRINUSE  # a port that may not be opened is refused by the verb that opens it
    return True


def _next_free(port: int, but: set[int]) -> int:
    """Return a port near another one that nothing listens on at this moment."""
    return next((each for each in range(port + 1, HIGHEST) if each not in but and _is_free(each)), HIGHEST)


def _occupant(port: int) -> str:
    """Describe what listens on a port, and the process that it is of."""
    pid = min(_listeners(port), default=None)
    if pid is None:
        return _kind(port)
    pid = _outermost(pid)
    folder = _link(f"/proc/{pid}/cwd")
    return f"{_kind(port)}, of process {pid}{f' in {folder}' if folder else ''}: {_command(pid)}"


def _kind(port: int) -> str:
    """Tell what listens on a port by what it answers."""
    with suppress(ValueError):
        info = json.loads(_get(port, "/emulator/info"))
        if isinstance(info, dict) and "program_url" in info:
            return f"an emulator listens there, whose program is at {info['program_url']}"
    if _get(port, "/healthz") == b"ok\n":
        return "a zone program listens there"
    return "something else than a zone program or an emulator listens there"


def _get(port: int, path: str) -> bytes:
    """Return the beginning of what a port answers; nothing when it does not speak HTTP."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{HOST}:{port}{path}", timeout=ANSWER) as response:
            return bytes(response.read(_MAX_ANSWER))
    except Exception:  # whatever it says, it is a stranger
        return b""


def _listeners(port: int) -> Iterator[int]:
    """Yield the processes that listen on a port, as far as this user may know; none where there is no /proc."""
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
    """Return the `wwspec` process that started a process, if one did: it is the one to end."""
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
    if words[1:3] == ["-m", "wwspec_router"]:
        words = ["wwspec", *words[3:]]
    elif len(words) > 1 and Path(words[1]).name == "wwspec":
        words = ["wwspec", *words[2:]]
    line = shlex.join(words)
    line = "".join(each if each.isprintable() else "?" for each in line)
    return line if len(line) <= LONGEST_COMMAND else f"{line[:LONGEST_COMMAND]}…"


def _link(path: Path | str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""

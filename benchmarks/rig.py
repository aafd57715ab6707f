"""Starts programs as they are served, makes sure that they answer right, and loads them with `wrk`.

Loopback only, bounded in time. The load comes from `wrk` (Debian's package of that name), since a client in Python
would be slower than what it measures. It knows nothing of what is compared with what.
"""

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.zones import HOMES, PASSTHROUGH, ROOT, BenchmarkZone
from tests.support.tools import tool

__all__ = [
    "CORES",
    "Round",
    "Server",
    "ask",
    "exchange",
    "family",
    "installed_program",
    "load",
    "peer_environment",
    "post",
    "processor_time",
    "resident",
    "serve",
]

CORES = sorted(os.sched_getaffinity(0))
START_LIMIT = 120.0
"""Seconds within which a server must answer."""
LONGEST_TURN = 16
"""Seconds after which a server is said to give no answer."""

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_CALLS = re.compile(r"(\d+) requests in ")
_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+) \S+ \d+\s*(.*)")
"""A mapping's line in /proc/PID/smaps: its place in the file, and the file."""
_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


class Round(NamedTuple):
    """One measured turn."""

    rate: float
    """Calls a second."""
    p50: float
    """Microseconds."""
    p99: float
    """Microseconds."""
    processor: float
    """Seconds of processor time that the server and all that it started took for 1,000 calls."""


class Server(NamedTuple):
    """A server that runs."""

    port: int
    pid: int
    core: int | None
    """The core that it is pinned to; None when it may use all of them."""
    seconds: float
    """From its exec to its first answer."""


@contextmanager
def serve(
    command: Sequence[str], port: int, environment: Mapping[str, str], zone: BenchmarkZone, core: int | None = None
) -> Iterator[Server]:
    """Run a server until the block ends.

    Args:
        command: The program and its arguments.
        port: Where it will listen.
        environment: All of its environment but what the SDK needs.
        zone: What it serves.
        core: The core to pin it to; None for no pinning.

    Raises:
        RuntimeError: It ended, did not answer in time, or answered something else than the SDK's reply.
    """
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, **zone.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=None if core is None else partial(os.sched_setaffinity, 0, {core}),
        )
        try:
            _wait_for_answer(port, process, zone)
            yield Server(port, process.pid, core, time.perf_counter() - begun)
        except Exception as error:
            output.seek(0)
            error.add_note(output.read()[-2000:].decode(errors="replace"))
            raise
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


@contextmanager
def installed_program(zone: BenchmarkZone) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Arrange the program as in the image and yield how to start it: `run.sh`, and the environment around it."""
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-app-") as name:
        folder = Path(name)
        _copy_program(folder)
        for package in ("abilities", "schemas"):
            shutil.copytree(ROOT / package, folder / package)
        (folder / "sdk").mkdir()
        source = "emulator"
        if zone.sdk == "light":
            source = "vendor"
            shutil.copy2(zone.module, folder / "sdk")
        (folder / ".venv").symlink_to(sys.prefix)
        options = ["--host", "127.0.0.1", "--sdk", source, "--log-level", "WARNING"]
        yield ["/bin/bash", str(folder / "run.sh"), *options], dict(os.environ)


@lru_cache(maxsize=1)
def run_sh_environment() -> dict[str, str]:
    """Return the environment that run.sh gives the program, by letting it start `env` instead."""
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-env-") as name:
        python = Path(name) / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\nexec env -0\n")
        python.chmod(0o755)
        _copy_program(Path(name))
        done = subprocess.run(["/bin/bash", f"{name}/run.sh"], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def peer_environment(zone: BenchmarkZone) -> dict[str, str]:
    """Return the environment of a peer: what run.sh sets, the allocator's bounds included, with the SDK's path."""
    environment = {**os.environ, **run_sh_environment()}
    del environment["PYTHONSAFEPATH"]
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*HOMES, zone.module.parent)))
    return environment


def load(
    server: Server,
    zone: BenchmarkZone,
    *,
    connections: int,
    seconds: int,
    calls: Sequence[tuple[dict[str, str], str]] = (),
) -> Round:
    """Load one server with sealed calls in turn, from the last core if the server is pinned to another one.

    Args:
        server: Whom.
        zone: What it serves.
        connections: Callers, each with one call at a time.
        seconds: For how long; longer when a busy machine gives no answer in that time.
        calls: From `BenchmarkZone.seal`, all with the same headers; without any it is one of `invoke_sync_msg`.

    Raises:
        MissingToolError: `wrk` is not here.
        RuntimeError: The server answered with anything but status 200.
    """
    core = CORES[-1] if server.core is not None and len(CORES) > 1 else None
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(calls or [zone.seal(PASSTHROUGH)]))
        script.flush()
        begun = processor_time(server.pid)
        done = subprocess.run(
            [tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency"]
            + ["-s", script.name, f"http://127.0.0.1:{server.port}/"],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=None if core is None else partial(os.sched_setaffinity, 0, {core}),
        )
    if bad := _BAD.search(done.stdout):
        raise RuntimeError(f"port {server.port}: {bad[0]}")
    used = processor_time(server.pid) - begun
    _wait_until_idle(server.pid)
    rate, calls_made = _RATE.search(done.stdout), _CALLS.search(done.stdout)
    latency = {name: float(value) * _UNITS[unit] for name, value, unit in _LATENCY.findall(done.stdout)}
    if rate is None or calls_made is None or float(rate[1]) == 0:
        if seconds >= LONGEST_TURN:
            raise RuntimeError(f"wrk got no answer within {seconds} s")
        return load(server, zone, connections=connections, seconds=2 * seconds, calls=calls)
    return Round(float(rate[1]), latency["50"], latency["99"], used / int(calls_made[1]) * 1000)


def ask(port: int, zone: BenchmarkZone, ability_id: str = PASSTHROUGH, **call: str | int) -> object:
    """Make one call and return the decoded reply.

    Raises:
        OSError: Nothing listens there.
        RuntimeError: The status is not 200.
    """
    return zone.open(*post(port, *zone.seal(ability_id, **call)))  # type: ignore[arg-type]  # as the caller names them


def post(port: int, headers: Mapping[str, str], body: str) -> tuple[dict[str, str], str]:
    """Send one sealed call and return the sealed reply.

    Raises:
        OSError: Nothing listens there.
        RuntimeError: The status is not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        return exchange(connection, headers, body)
    finally:
        connection.close()


def exchange(
    connection: http.client.HTTPConnection, headers: Mapping[str, str], body: str
) -> tuple[dict[str, str], str]:
    """Send one sealed call on a connection and return the sealed reply.

    Raises:
        OSError: Nothing listens there.
        RuntimeError: The status is not 200.
    """
    connection.request("POST", "/", body, dict(headers))
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != http.client.OK:
        raise RuntimeError(f"port {connection.port}: HTTP status {answer.status}: {text[:200]}")
    return {name.lower(): value for name, value in answer.getheaders()}, text


def resident(pid: int) -> float:
    """Return the resident memory of a process and its children, in MiB; pages that they share count once.

    A process that forks shares what it had with its child, and all that run Python share its code.
    """
    files: dict[str, int] = {}
    own = 0
    for index, each in enumerate(family(pid)):
        for path, kib in _mappings(each):
            files[path] = max(files.get(path, 0), kib["Rss"] - kib["Anonymous"])
            # A child's other anonymous pages are still its parent's.
            own += min(kib["Anonymous"], kib["Private_Clean"] + kib["Private_Dirty"]) if index else kib["Anonymous"]
    return (sum(files.values()) + own) / 1024


def processor_time(pid: int) -> float:
    """Return the seconds of a processor that a process and its children have used, those that ended included."""
    stats = (Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in family(pid))
    return sum(sum(map(int, fields[11:15])) for fields in stats) / os.sysconf("SC_CLK_TCK")


def _wait_until_idle(pid: int) -> None:
    """Wait until a server has done with calls whose callers are gone: a slow one takes the next one's time else."""
    deadline, begun = time.monotonic() + START_LIMIT, processor_time(pid)
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if (used := processor_time(pid)) - begun <= 0.01:
            return
        begun = used


def family(pid: int) -> list[int]:
    """Return the ids of a process and of all that it started, the eldest first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def _mappings(pid: int) -> list[tuple[str, dict[str, int]]]:
    """Return the file and place, and the sizes in KiB, of each mapping of a process."""
    found: list[tuple[str, dict[str, int]]] = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, _, value = line.partition(":")
        if mapping := _MAPPING.match(line):
            found.append((f"{mapping[2]} at {mapping[1]}", {}))
        elif value.endswith(" kB"):
            found[-1][1][name] = int(value.split()[0])
    return found


def _copy_program(folder: Path) -> None:
    shutil.copy2(ROOT / "run.sh", folder)
    for package in (package for home in HOMES for package in home.glob("wwspec_*/")):
        (folder / package.name).symlink_to(package)


def _script(calls: Sequence[tuple[Mapping[str, str], str]]) -> str:
    headers, body = calls[0]
    lines = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in headers.items())
    lines = f'wrk.method = "POST"\nwrk.body = [=[{body}]=]\n{lines}'
    if len(calls) == 1:
        return lines
    bodies = ",".join(f"[=[{body}]=]" for _, body in calls)
    return f"""{lines}
local requests, next_one = {{}}, 0
init = function(args)
    for _, body in ipairs({{{bodies}}}) do requests[#requests + 1] = wrk.format(nil, nil, nil, body) end
end
request = function()
    next_one = next_one % #requests + 1
    return requests[next_one]
end
"""


def _wait_for_answer(port: int, process: "subprocess.Popen[bytes]", zone: BenchmarkZone) -> None:
    deadline = time.monotonic() + START_LIMIT
    expected = zone.reply()
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        try:
            reply = ask(port, zone)
        except OSError:
            time.sleep(0.002)
            continue
        if reply != expected:
            raise RuntimeError(f"{process.args!r} answered something else than the SDK")
        return
    raise RuntimeError("the server did not answer in time")

"""Starts servers on one core, loads them from the other, and compares medians of interleaved rounds.

Loopback only, bounded in time. The load comes from `wrk` (Debian's package of that name), since a client in Python
would be slower than what it measures.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from wwspec_router.emulator import seal

ROOT = Path(__file__).parents[1]

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", re.MULTILINE)
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


class Round(NamedTuple):
    """One measured round."""

    rate: float
    """Requests a second."""
    p50: float
    """Microseconds."""
    p99: float
    """Microseconds."""


@contextmanager
def zone_folder(messages: int) -> Iterator[Path]:
    """A folder for the stand-in's local mode: a key, and a reply of `sync_msg` with so many messages."""
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-") as name:
        folder = Path(name)
        (folder / "zone.key").write_bytes(os.urandom(seal.KEY_BYTES))
        message = msgspec.json.decode((ROOT / "tests" / "payloads" / "api" / "sync_msg.response.json").read_bytes())
        one = message["msg_list"][0]
        reply = {**message, "msg_list": [{**one, "msgid": f"{number:032d}"} for number in range(messages)]}
        (folder / "sync_msg.json").write_bytes(msgspec.json.encode(reply))
        yield folder


@contextmanager
def server(command: Sequence[str], port: int, zone: Path, core: int | None) -> Iterator[int]:
    """Run a server on one core (on all of them when `core` is None) and yield its process id."""
    environment = {**os.environ, "WWSPEC_EMULATOR_URL": f"local:{zone}"}
    pin = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, preexec_fn=pin
    )
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def load(port: int, zone: Path, connections: int, seconds: float, core: int | None) -> Round:
    """Load one server with sealed calls of `invoke_sync_msg`.

    Raises:
        RuntimeError: `wrk` is missing, or the server answered with anything but status 200.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is not installed; it is in Debian's package wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script((zone / "zone.key").read_bytes()))
        script.flush()
        pin = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
        done = subprocess.run(
            [wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script.name]
            + [f"http://127.0.0.1:{port}/"],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=pin,
        )
    if bad := _BAD.search(done.stdout):
        raise RuntimeError(f"port {port}: {bad[0]}")
    rate = _RATE.search(done.stdout)
    latency = {name: float(value) * _UNITS[unit] for name, value, unit in _LATENCY.findall(done.stdout)}
    if rate is None:
        raise RuntimeError("wrk printed no rate")
    return Round(float(rate[1]), latency["50"], latency["99"])


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def ratios(rounds: Mapping[str, list[Round]], reference: str) -> dict[str, dict[str, object]]:
    """Compare medians with those of a reference."""
    base = statistics.median(each.rate for each in rounds[reference])
    return {
        name: {
            "ratio": round(statistics.median(each.rate for each in measured) / base, 3),
            "rates": [round(each.rate) for each in measured],
            "p50_us": round(statistics.median(each.p50 for each in measured)),
            "p99_us": round(statistics.median(each.p99 for each in measured)),
        }
        for name, measured in rounds.items()
    }


def _script(key: bytes) -> str:
    content = seal.CallContent(
        corpid="wwbench",
        agentid=1,
        call_type=1,
        ability_id="invoke_sync_msg",
        data='{"limit":200}',
        request_id="1_1",
        timestamp=int(time.time()),
    )
    sealed = seal.seal_call(key, content)
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in dict(sealed.headers).items())
    return f'wrk.method = "POST"\nwrk.body = [=[{sealed.body}]=]\n{headers}'


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not open its port")

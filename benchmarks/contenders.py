"""Who is measured: the program as run.sh starts it, the references, and frameworks that a team may pick instead.

All answer the same sealed call with the same reply, with the same SDK module and the same environment variables.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import rig
from benchmarks.zones import BenchmarkZone
from wwspec_devtools.testing.ports import held_ports

__all__ = [
    "ASGI",
    "BY_OTHERS",
    "FRAMEWORKS",
    "HARD_LIMIT",
    "INLINE",
    "LIMIT",
    "OWN_CORES",
    "PEERS",
    "PROGRAM",
    "PURE",
    "REDIS_GET",
    "THREADED",
    "THREAD_LIMIT",
    "TWO_LIMITS",
    "TWO_THREAD_LIMITS",
    "Peer",
    "asgi_programs",
    "missing",
    "peer",
    "program",
]

HARD_LIMIT = "limit-0"
LIMIT = "limit-1"
TWO_LIMITS = "limit-1 --workers 2"
THREAD_LIMIT = "limit-T"
TWO_THREAD_LIMITS = "limit-T --workers 2"
INLINE = "inline"
PROGRAM = "program"
OWN_CORES = ("--pin-workers", "on")
"""The options with which each worker process of the program has a core of its own."""
ASGI = f"{PROGRAM}, ASGI"
"""The program by `wwspec serve --wrap`: uvicorn's own HTTP serves its ASGI application."""
BY_OTHERS = {
    f"{PROGRAM}, uvicorn": "-m uvicorn --factory --no-access-log --host 127.0.0.1 --port PORT",
    f"{PROGRAM}, granian": "-m granian --interface asgi --factory --workers 1 --no-ws --host 127.0.0.1 --port PORT",
}
"""The program's ASGI application by other servers, with nothing that `wwspec serve` sets for its process."""
PURE = "program, WWSPEC_PURE"
"""The program without its compiled check: msgspec checks all requests and replies."""
REDIS_GET = "redis-py GET, inline"

THREADS = 16
"""Of a peer that runs on threads: as many as there are callers in the cases without waiting."""


class Peer(NamedTuple):
    """A program in `benchmarks/peers/`."""

    command: Sequence[str]
    """Arguments of Python; PORT stands for the port, and THREADS for the number of threads."""
    needs: str = ""
    """The package without which it can't run."""


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return ("-m", f"benchmarks.peers.{name}", "PORT", *arguments)


_GUNICORN = tuple(
    "-m gunicorn --no-control-socket --worker-class gthread --threads THREADS --bind 127.0.0.1:PORT".split()
)
_GRANIAN = tuple("-m granian --workers 1 --no-ws --host 127.0.0.1 --port PORT".split())

FRAMEWORKS = {
    "granian RSGI": Peer((*_GRANIAN, "--interface", "rsgi", "benchmarks.peers.granian_rsgi:app"), "granian"),
    "Litestar": Peer(_module("litestar_app"), "litestar"),
    "BlackSheep": Peer(_module("blacksheep_app"), "blacksheep"),
    "FastAPI async": Peer(_module("fastapi_app"), "fastapi"),
    "FastAPI sync": Peer(_module("fastapi_app", "THREADS"), "fastapi"),
    "Flask, gunicorn gthread": Peer((*_GUNICORN, "benchmarks.peers.flask_app:app"), "gunicorn"),
    "http.server threads": Peer(_module("http_server")),
}
"""What a team may pick instead of the program."""
THREADED = {
    "granian WSGI, Flask": Peer(
        (*_GRANIAN, "--interface", "wsgi", "--blocking-threads", "THREADS", "benchmarks.peers.flask_app:app"), "flask"
    ),
    "Litestar sync": Peer(_module("litestar_app", "THREADS"), "litestar"),
    "BlackSheep, to_thread": Peer(_module("blacksheep_app", "THREADS"), "blacksheep"),
    **{name: FRAMEWORKS[name] for name in ("FastAPI sync", "Flask, gunicorn gthread", "http.server threads")},
}
"""Those of them that can wait on threads, and others that only have their place where calls wait."""
PEERS = {
    HARD_LIMIT: Peer(_module("limit_0")),
    LIMIT: Peer(_module("limit_1")),
    TWO_LIMITS: Peer(_module("limit_1", "2")),
    THREAD_LIMIT: Peer(_module("limit_t", "THREADS")),
    TWO_THREAD_LIMITS: Peer(_module("limit_t", "THREADS", "2")),
    INLINE: Peer(_module("inline")),
    **FRAMEWORKS,
    **THREADED,
    "bare": Peer(_module("bare")),
    REDIS_GET: Peer(_module("redis_get"), "redis"),
}


def missing(name: str) -> str:
    """Return the package that a peer lacks here, or an empty string."""
    needs = PEERS[name].needs
    return needs if needs and importlib.util.find_spec(needs) is None else ""


@contextmanager
def peer(
    name: str, zone: BenchmarkZone, *arguments: str, core: int | None = None, threads: int = THREADS
) -> Iterator[rig.Server]:
    """Run a peer, with so many threads if it has any, and with more arguments if it takes any."""
    with held_ports(1) as [port]:
        named = [each.replace("PORT", str(port)).replace("THREADS", str(threads)) for each in PEERS[name].command]
        command = [sys.executable, *named, *arguments]
        with rig.serve(command, port, rig.peer_environment(zone), zone, core) as server:
            yield server


@contextmanager
def program(
    zone: BenchmarkZone, *options: str, core: int | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[rig.Server]:
    """Run the program as run.sh starts it, with more options of `wwspec serve` and more environment variables."""
    with held_ports(1) as [port], rig.installed_program(zone) as (command, environment):
        command += ["--port", str(port), *options]
        with rig.serve(command, port, {**environment, **(variables or {})}, zone, core) as server:
            yield server


def asgi_programs(
    zone: BenchmarkZone, core: int, threads: int = 0
) -> dict[str, Callable[[], AbstractContextManager[rig.Server]]]:
    """Return what starts the program as an ASGI application, with so many threads or as many as by default."""
    found = {name: command for name, command in BY_OTHERS.items() if importlib.util.find_spec(command.split()[1])}
    return {
        ASGI: partial(_wrapped, zone, core, threads),
        **{name: partial(_by_another, command, zone, core, threads) for name, command in found.items()},
    }


@contextmanager
def _wrapped(zone: BenchmarkZone, core: int, threads: int) -> Iterator[rig.Server]:
    options = ["--threads", str(threads)] if threads else []
    with held_ports(1) as [port], rig.installed_program(zone) as (command, environment):
        Path(command[1]).with_name("wrapping.py").write_text("def wrap(app):\n    return app\n")
        command += ["--port", str(port), "--wrap", "wrapping:wrap", *options]
        with rig.serve(command, port, environment, zone, core) as server:
            yield server


@contextmanager
def _by_another(command: str, zone: BenchmarkZone, core: int, threads: int) -> Iterator[rig.Server]:
    with held_ports(1) as [port], rig.installed_program(zone) as (run, _):
        settings = {"APP": str(Path(run[1]).parent), "SDK": "vendor", "WORKERS": "1", "LOG_LEVEL": "WARNING"}
        if threads:
            settings["THREADS"] = str(threads)
        environment = rig.peer_environment(zone) | {f"WWSPEC_{name}": value for name, value in settings.items()}
        named = [sys.executable, *command.replace("PORT", str(port)).split(), "wwspec_router.asgi:create_app"]
        with rig.serve(named, port, environment, zone, core) as server:
            yield server

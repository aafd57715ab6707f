"""The program as a service: one port, and the processes that serve it.

The process that is started opens the port and becomes the parent of the workers; see `supervisor`. It loads neither the
application nor what serves it: a worker does, and reports what is wrong. The port is bound first and refuses
connections until a worker can serve, so that a program that can't answer does not look alive.
"""

import gc
import logging
import os
import resource
import socket
import sys
from dataclasses import replace
from functools import partial

from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.support.lifeline import given_end, watch
from wwspec_contracts.support.loopback import is_loopback
from wwspec_contracts.support.printable import counted
from wwspec_contracts.support.stacks import describe
from wwspec_router.config import AUTO, MOST_WORKERS, PIN_ON, SdkSource, Settings
from wwspec_router.logs.lines import setup_logging
from wwspec_router.process.cores import usable_cores
from wwspec_router.serving.accepting import ConnectionCounts
from wwspec_router.serving.own_cores import plan_cores
from wwspec_router.serving.supervisor import Supervisor

log = logging.getLogger(__name__)

FAILURE = 3
"""Exit code of a worker process that can't serve; only the parent sees it."""
OTHER_FILES = 512
"""Open files of a process besides its connections and what its threads open: connections beyond the limit, which get
a status 503, the store, the logs, modules, the event loop."""


def serve(settings: Settings) -> None:
    """Serve until a signal. It returns in the parent and in each worker process, when that process ends.

    Raises:
        ConfigurationError: The program can't start as configured; nothing was opened.
    """
    lifeline = given_end()
    setup_logging(settings.log_level, as_json=settings.log_json, development=settings.sdk is SdkSource.EMULATOR)
    if settings.debug_fault:
        raise ConfigurationError(settings.debug_fault)
    _refuse_strangers(settings)
    if settings.debug:
        if settings.sdk is not SdkSource.EMULATOR:
            raise ConfigurationError(
                "--debug goes with --sdk emulator: without time limits no program may answer WeCom"
            )
        settings = settings.for_debugger()
    _allow_files(settings)
    if settings.workers == AUTO:
        cores = usable_cores()
        settings = replace(settings, workers=min(cores.number, MOST_WORKERS))  # the same for all processes
        log.info("--workers auto: %s, %s", _worker_processes(settings), cores.reason)
    plan = plan_cores(settings.pin_workers, settings.processes)
    if plan.cores:
        log.info("--pin-workers %s: each worker process has a core of its own (%s)", settings.pin_workers, plan.reason)
    elif settings.pin_workers == PIN_ON:
        log.warning("--pin-workers on has no effect: %s", plan.reason)
    listening = _bind(settings)
    if settings.workers == 0:
        gc.disable()  # see `_serve_in_workers`
        from wwspec_router.serving.server import serve_here

        watch(lifeline)
        serve_here(settings, listening, partial(_announce, settings, listening))
        return
    _serve_in_workers(settings, listening, plan.cores, lifeline)


def _serve_in_workers(
    settings: Settings, listening: socket.socket, cores: tuple[int, ...], lifeline: int | None
) -> None:
    """Keep worker processes, and be one in each of them, which reports to the parent why it can't serve, if so."""
    shared = _shared_memory()
    counts = ConnectionCounts(2 * settings.processes)
    announce = partial(_announce, settings, listening)
    supervisor = Supervisor(
        listening, settings.processes, settings.grace, settings.hang_after, announce, counts.clear, lifeline
    )
    heartbeat = supervisor.run()
    if heartbeat is None:
        return
    gc.disable()  # until the program is there: modules stay, and a search for garbage among them takes longer
    try:
        heartbeat.start()
        from wwspec_router.serving.server import work

        work(settings, listening, heartbeat, shared, counts, cores[heartbeat.place] if cores else None)
    except WWSpecError as error:
        reason = str(error)
    except Exception as error:
        reason = f"the program can't start: {describe(error)}"
    else:
        return
    heartbeat.report_failure(reason)
    sys.exit(FAILURE)


def _shared_memory() -> int | None:
    """Make the file in which workers show each other their figures: in memory, where the system has such files."""
    try:
        if sys.platform == "linux" and hasattr(os, "memfd_create"):
            return os.memfd_create("wwspec-figures", os.MFD_CLOEXEC)
        import tempfile  # takes memory, which the parent on Linux does without

        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    except OSError as error:
        log.warning("figures are of one worker process each: they can't share any (%s)", error)
        return None


def _allow_files(settings: Settings) -> None:
    """Let the process open the files that its settings need, as far as the system allows."""
    wanted = settings.connections + 2 * settings.threads + settings.job_threads + OTHER_FILES  # each sleeps at a file
    granted, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if granted == resource.RLIM_INFINITY or granted >= wanted:
        return
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if allowed < wanted:
        log.warning(
            "this system lets a process open %d files, but --connections %d and --threads %d may need %d: "
            "raise its limit (ulimit -n), or lower these",
            allowed,
            settings.connections,
            settings.threads,
            wanted,
        )


def _refuse_strangers(settings: Settings) -> None:
    """Raise ConfigurationError if other machines could reach a program that uses the emulator's key."""
    if settings.sdk is SdkSource.EMULATOR and not (settings.allow_remote or is_loopback(settings.host)):
        raise ConfigurationError(
            f"--sdk emulator listens on loopback only, not on {settings.host!r}: give --host 127.0.0.1, "
            "or add --allow-remote to let other machines call the program"
        )


def _bind(settings: Settings) -> socket.socket:
    """Open the port, with an error that names the fix."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"{settings.host}:{settings.port} can't be opened ({error.strerror}): "
            "end what listens there, or take another --port"
        ) from None
    return bound


def _worker_processes(settings: Settings) -> str:
    return counted(settings.processes, "worker process", "worker processes")


def _announce(settings: Settings, listening: socket.socket) -> None:
    """Log where the program listens, in a line that scripts can wait for."""
    host, port = listening.getsockname()[:2]
    log.info(
        "listening on http://%s:%d/ with %s of %s, store %s",
        host,
        port,
        _worker_processes(settings),
        counted(settings.threads, "thread"),
        settings.store.partition("?")[0].rpartition("@")[2],
    )

"""Options of the verbs that start an emulator or talk to one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from wwspec_router.config import DEFAULT_PORT, variable
from wwspec_router.emulator.http.client import DEFAULT_URL
from wwspec_router.emulator.settings import EmulatorSettings

__all__ = ["DEFAULTS", "allow_host_option", "port_options", "seed_option", "url_option"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

DEFAULTS = EmulatorSettings()


def url_option(function: FunctionT) -> FunctionT:
    """Add `--url`, of the emulator to talk to."""
    return click.option(
        "--url",
        default=DEFAULT_URL,
        show_default=True,
        envvar="WWSPEC_EMULATOR_URL",
        show_envvar=True,
        help="The emulator.",
    )(function)


def port_options(function: FunctionT) -> FunctionT:
    """Add `--port` and `--emulator-port`, for verbs that start a program and an emulator."""
    port = click.IntRange(1, 65535)
    program = click.option(
        "--port",
        type=port,
        default=DEFAULT_PORT,
        envvar=variable("port"),
        show_default=True,
        help="The program's port.",
    )
    emulator = click.option(
        "--emulator-port",
        type=port,
        default=DEFAULTS.port,
        envvar=variable("emulator-port"),
        show_default=True,
        help="The emulator's port.",
    )
    return program(emulator(function))


def allow_host_option(function: FunctionT) -> FunctionT:
    """Add `--allow-host`, which may be given several times."""
    return click.option(
        "--allow-host",
        "allowed_hosts",
        multiple=True,
        metavar="NAME",
        help="A name by which clients call this machine, such as host.docker.internal; may be repeated.  "
        "[default: localhost and loopback addresses]",
    )(function)


def seed_option(function: FunctionT) -> FunctionT:
    """Add `--seed`."""
    return click.option(
        "--seed", type=int, default=DEFAULTS.seed, show_default=True, help="The same seed gives the same data."
    )(function)

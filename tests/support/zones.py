"""Served zones and verbs that run beside a test, in forked processes: each costs half of what a new interpreter costs.

What a start imports, its memory and its command line as `ps` shows it are the matter of tests with `Zone.serve` and
`Child`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.support.apps import ROOT
from tests.support.forks import start_forked
from wwspec_devtools.child import Child
from wwspec_devtools.testing.zone import ServedZone, Zone

forked_child = partial(Child, start_process=start_forked)
"""Starts a `Child`."""


@contextmanager
def running_child(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None, output: Path | None = None
) -> Iterator[Child]:
    """Run a forked child until the end of the block, which stops it."""
    child = forked_child(arguments, environment, output)
    try:
        yield child
    finally:
        child.stop()


serve_zone = partial(Zone.serve, start_process=start_forked)
"""Makes a zone as `Zone.serve` does."""


def another_program(stack: ExitStack, zone: ServedZone, log: Path, *options: str, app: Path = ROOT) -> Child:
    """Start another program beside that of a zone, and wait until it is ready; the stack ends it."""
    command = ["serve", "--sdk", "emulator", "--app", str(app), "--port", "0", *options]
    program = forked_child(command, {"WWSPEC_EMULATOR_URL": zone.client.url}, log)
    stack.callback(program.stop)
    program.wait_ready(f"{program.announced_url()}/readyz")
    return program


def app_of(zone: Zone) -> dict[str, str]:
    """Return the environment of an enterprise app that calls the program of a zone."""
    info = zone.client.info()
    return {
        "WWSPEC_BASE_URL": zone.client.url,
        "WWSPEC_CORPID": info["corpid"],
        "WWSPEC_CORPSECRET": info["secret"],
        "WWSPEC_PROGRAM_ID": info["program_id"],
    }

"""`wwspec zone machine` and `deploy`: the machines that the program runs on."""

import click

from wwspec_devtools.cli.emulator_options import with_emulator
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_router.cli.options import print_json


@click.command()
@click.argument("order", type=click.Choice(("stop", "start", "wipe")))
@click.argument("number", type=click.IntRange(1))
@with_emulator
def machine(emulator: EmulatorClient, order: str, number: int) -> None:
    """Stop, start or wipe machine NUMBER of a program that runs on several. Prints all machines.

    While it is stopped, calls and events go to the others; without any, calls get 710674. It keeps its disk. Wipe is a
    new deployment: the machine loses its store and its files, as WeCom's disk is temporary, and starts.

    The processes are those of `wwspec dev --machines` or of a test. An emulator that did not start them only sends
    nothing to a machine that is stopped, and refuses to wipe one.
    """
    {"stop": emulator.machines.stop, "start": emulator.machines.start, "wipe": emulator.machines.wipe}[order](number)
    print_json(emulator.machines.states())


@click.command()
@with_emulator
def deploy(emulator: EmulatorClient) -> None:
    """Deploy the program anew: each machine with an empty disk, one after the other. Prints all machines."""
    emulator.machines.deploy()
    print_json(emulator.machines.states())

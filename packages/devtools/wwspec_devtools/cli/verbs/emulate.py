"""`wwspec emulate`: the platform on this machine."""

from pathlib import Path
from typing import Any

import click

from wwspec_contracts.files import read_console_contracts
from wwspec_devtools.cli.browser import open_in_browser, open_option
from wwspec_devtools.cli.emulator_options import DEFAULTS, emulator_options
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.cli.option_types import FOLDER
from wwspec_devtools.emulator.settings import EmulatorSettings


@click.command(context_settings={"auto_envvar_prefix": "WWSPEC_EMULATOR"})  # --seed is WWSPEC_EMULATOR_SEED
@click.option("--host", default=DEFAULTS.host, show_default=True, help="A loopback address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULTS.port, show_default=True, help="0 lets the system choose."
)
@click.option("--program-url", default=DEFAULTS.program_url, show_default=True, help="Where the program listens.")
@click.option(
    "--program",
    default="",
    metavar="COMMAND",
    help="Start a zone program, such as 'python app.py', and end it with the emulator. Any Python from 3.6 on that "
    "has pycryptodome will do. With --machines it is started for each, with the port in place of {port}.",
)
@click.option(
    "--contracts",
    type=FOLDER,
    help="Folder of console contracts, as `wwspec contracts --out` writes them.  [default: let everything through]",
)
@open_option
@emulator_options
def command(
    host: str,
    port: int,
    program_url: str,
    program: str,
    contracts: Path | None,
    opens: bool,
    scene: Path | None,
    proxy_port: int | None,
    state: Path | None,
    **options: Any,
) -> None:
    """Run the emulator of the platform, on a loopback address only.

    It plays WeCom for a program started with `wwspec serve --sdk emulator` (or any other zone program with the
    stand-in on its PYTHONPATH), and for an enterprise app that calls it instead of WeCom. With --program it puts the
    stand-in there itself. With the same --seed and --clock-start, the same requests get the same answers. Only the
    ids that the emulator issues differ: each start has its own, and refuses those of an earlier start.
    """
    if port and host in ("127.0.0.1", "localhost"):
        require_free_ports({"--port": port})
    from wwspec_devtools.emulator.http.server import serve  # here, since it needs the extra
    from wwspec_devtools.emulator.scene import load_scene
    from wwspec_router.logs.lines import setup_logging

    setup_logging(development=True)
    serve(
        EmulatorSettings(
            host=host,
            port=port,
            program_url=program_url,
            contracts=None if contracts is None else read_console_contracts(contracts),
            scene=None if scene is None else load_scene(scene),
            **options,
        ),
        program,
        proxy_port,
        state,
        open_in_browser if opens else None,
    )

"""`wwspec emulate`: the platform on this machine."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from wwspec_contracts.files import read_console_contracts
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.child import is_child
from wwspec_devtools.cli.browser import open_in_browser, open_option
from wwspec_devtools.cli.dev_note import DevNote, application_folder, noted
from wwspec_devtools.cli.emulator_options import DEFAULTS, emulator_options
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.cli.option_types import FOLDER
from wwspec_devtools.emulator.settings import read_settings
from wwspec_router.config import variable


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
    help="Start a zone program in any language, such as 'python app.py' or 'java -cp build Program', and end it with "
    "the emulator. Any Python from 3.6 on that has pycryptodome will do; for Java see `wwspec standin`. With "
    "--machines it is started for each, with the port in place of {port}.",
)
@click.option(
    "--contracts",
    type=FOLDER,
    help="Folder of console contracts, as `wwspec contracts --out` writes them.  [default: let everything through]",
)
@open_option
@emulator_options
def command(
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

    A table [emulator] of the scene file has what the options say, such as app_type = "third", and [[faults]] what
    `wwspec zone fault` sets. An option goes before its variable, WWSPEC_EMULATOR_APP_TYPE, and that before the file.
    """
    source = click.get_current_context().get_parameter_source
    if contracts is not None:
        options["contracts"] = read_console_contracts(contracts)
    given = {name: value for name, value in options.items() if source(name) is not ParameterSource.DEFAULT}
    has_note = not is_child()  # else who has started it leaves one
    folder = str(application_folder().resolve()) if has_note or os.environ.get(variable("app")) else ""
    settings = read_settings(scene, folder=folder, **given)
    if settings.port and settings.host in ("127.0.0.1", "localhost"):
        require_free_ports({"--port": settings.port})
    with until_interrupted(), ExitStack() as stack:  # so that the note goes at the end
        from wwspec_devtools.emulator.http.server import serve  # here, since it needs the extra
        from wwspec_router.logs.lines import setup_logging

        setup_logging(development=True)

        def start(url: str) -> None:
            if has_note:
                stack.enter_context(noted(Path(folder), DevNote(url.rstrip("/"), settings.program_url)))
            if opens:
                open_in_browser(url)

        serve(settings, program, proxy_port, state, start)

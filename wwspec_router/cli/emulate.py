"""`wwspec emulate`: the platform on this machine."""

from pathlib import Path

import click

from wwspec_router.cli.emulator_options import DEFAULTS, allow_host_option, seed_option
from wwspec_router.cli.options import needs, secret_option
from wwspec_router.contracts.files import read_console_contracts
from wwspec_router.emulator.settings import EmulatorSettings


@click.command(context_settings={"auto_envvar_prefix": "WWSPEC_EMULATOR"})  # --seed is WWSPEC_EMULATOR_SEED
@needs("emulator")
@click.option("--host", default=DEFAULTS.host, show_default=True, help="A loopback address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULTS.port, show_default=True, help="0 lets the system choose."
)
@allow_host_option
@click.option("--program-url", default=DEFAULTS.program_url, show_default=True, help="Where the program listens.")
@click.option(
    "--program",
    default="",
    metavar="COMMAND",
    help="Start a zone program, such as 'python app.py', and end it with the emulator. Any Python from 3.6 on that "
    "has pycryptodome will do.",
)
@click.option(
    "--contracts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of console contracts, as `wwspec contracts --out` writes them.  [default: let everything through]",
)
@seed_option
@click.option(
    "--messages",
    type=click.IntRange(0, 100_000),
    default=DEFAULTS.messages,
    show_default=True,
    help="Messages that the seed makes.",
)
@click.option(
    "--scene",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file: who exists and what was said; --messages come on top.  [default: left to the seed]",
)
@click.option(
    "--clock-start",
    type=click.IntRange(0),
    metavar="SECONDS",
    help="Unix time of a clock that moves only when it is put forward.  [default: the real time]",
)
@click.option(
    "--call-timeout",
    type=click.FloatRange(0.1),
    default=DEFAULTS.call_timeout,
    show_default=True,
    help="Seconds to wait for the program.",
)
@click.option("--debug-url", default="", help="Where the program listens in debug mode.  [default: --program-url]")
@click.option("--callback-url", default="", help="The app's data callback URL, for program_notify.")
@secret_option("callback-token", "the token of the callback")
@secret_option("encoding-aes-key", "the EncodingAESKey of the callback, 43 characters")
@click.option(
    "--proxy-port",
    type=click.IntRange(0, 65535),
    help="Also be a proxy, for clients whose base URL is hard-coded (extra 'proxy').",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the proxy's certificate authority.  [default: ~/.local/state/wwspec]",
)
def command(
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
    program_url: str,
    program: str,
    contracts: Path | None,
    seed: int,
    messages: int,
    scene: Path | None,
    clock_start: int | None,
    call_timeout: float,
    debug_url: str,
    callback_url: str,
    callback_token: str,
    encoding_aes_key: str,
    proxy_port: int | None,
    state: Path | None,
) -> None:
    """Run the emulator of the platform, on a loopback address only.

    It plays WeCom for a program started with `wwspec serve --sdk emulator` (or any other zone program with the
    stand-in on its PYTHONPATH), and for an enterprise app that calls it instead of WeCom. With --program it puts the
    stand-in there itself. The same --seed and --clock-start make the same requests meet the same answers.
    """
    from wwspec_router.emulator.http.server import serve  # here, since it needs the extra
    from wwspec_router.emulator.scene import load_scene

    serve(
        EmulatorSettings(
            host=host,
            port=port,
            allowed_hosts=allowed_hosts,
            program_url=program_url,
            contracts=None if contracts is None else read_console_contracts(contracts),
            seed=seed,
            messages=messages,
            scene=None if scene is None else load_scene(scene),
            clock_start=clock_start,
            call_timeout=call_timeout,
            debug_url=debug_url,
            callback_url=callback_url,
            callback_token=callback_token,
            encoding_aes_key=encoding_aes_key,
        ),
        program,
        proxy_port,
        state,
    )

"""`wwspec serve`: the program as the zone runs it."""

from pathlib import Path
from typing import Any

import click

from wwspec_router.cli.options import app_options, secret_option, store_option
from wwspec_router.config import SdkSource, Settings
from wwspec_router.serving.service import serve


@click.command()
@app_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; the image uses 0.0.0.0.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 lets the system choose."
)
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=1,
    show_default=True,
    help="Worker processes; 0 serves in this process, for debuggers.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 4096),
    default=256,
    show_default=True,
    help="Threads of each worker process.",
)
@click.option(
    "--queue",
    type=click.IntRange(0),
    default=1024,
    show_default=True,
    help="Calls that may wait for a thread; more are refused.",
)
@click.option(
    "--queue-timeout",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Seconds that a call may wait for a thread.",
)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=4096,
    show_default=True,
    help="Connections of each worker process; more are refused.",
)
@click.option(
    "--max-body",
    type=click.IntRange(1),
    default=16 << 20,
    show_default=True,
    help="Bytes of the largest request body that is read.",
)
@click.option(
    "--job-threads",
    type=click.IntRange(0, 1024),
    default=8,
    show_default=True,
    help="Asynchronous calls that run at once, apart from the threads; 0 refuses them.",
)
@click.option(
    "--job-lease",
    type=click.FloatRange(1.0),
    default=30.0,
    show_default=True,
    help="Seconds after which an asynchronous call is begun again whose process gave no sign of life.",
)
@click.option(
    "--job-orphan",
    type=click.FloatRange(1.0),
    default=600.0,
    show_default=True,
    help="Seconds after which an asynchronous call is reported as unknown that no program on this store can run.",
)
@store_option("sqlite:var/notify.db", "Where events and asynchronous calls wait: sqlite:PATH, redis://HOST or memory:")
@click.option(
    "--sdk",
    type=click.Choice([each.value for each in SdkSource]),
    default=SdkSource.VENDOR.value,
    show_default=True,
    help="The vendor's module, or the emulator's stand-in for development.",
)
@secret_option("debug-token", "the debug credential of the admin page")
@secret_option("access-token", "the app's access_token, for debug mode")
@click.option(
    "--hang-after",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds after which a call that still runs is logged with its stack and its thread replaced.",
)
@click.option(
    "--monitor-interval",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds between two lines of figures in the log; 0 for none.",
)
@click.option(
    "--lean-http/--no-lean-http",
    default=True,
    show_default=True,
    help="Take calls the short way from the HTTP parser to the threads, past ASGI.",
)
@click.option(
    "--freeze-gc/--no-freeze-gc",
    default=True,
    show_default=True,
    help="Spare the garbage collector what start-up made.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="Seconds for running calls to end on SIGTERM.",
)
@click.option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO", show_default=True
)
@click.option("--log-json", is_flag=True, help="Log one JSON object a line instead of text.")
def command(app: Path, registry: Path | None, sdk: str, **options: Any) -> None:
    """Serve the program to the channel.

    A parent process watches over the workers. The application, the registry file, the SDK and the store are checked
    before the port accepts connections.
    """
    serve(Settings(app=app, registry=registry, sdk=SdkSource(sdk), **options))

"""`wwspec metrics`: the program's figures for Prometheus."""

import click

from wwspec_contracts.extras import require
from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.cli.option_types import Address, Seconds
from wwspec_devtools.cli.wecom import WeCom, WeComCommand, wecom_options

LISTEN = "127.0.0.1:9464"
"""Exporters of OpenTelemetry use this port."""


# --listen is WWSPEC_METRICS_LISTEN
@click.command(cls=WeComCommand, context_settings={"auto_envvar_prefix": "WWSPEC_METRICS"})
@click.option(
    "--listen", type=Address(LISTEN), default=LISTEN, show_default=True, help="Where Prometheus scrapes /metrics."
)
@click.option("--allow-remote", is_flag=True, help="Let other machines reach the metrics: --listen may be any address.")
@click.option(
    "--ability",
    default="status",
    show_default=True,
    metavar="ID",
    help='The ability of kind = "status" in the program\'s registry file.',
)
@click.option(
    "--interval",
    type=Seconds(1.0),
    default=30.0,
    show_default=True,
    help="Seconds between two polls of the program; each is a call.",
)
@wecom_options
def command(listen: tuple[str, int], allow_remote: bool, ability: str, interval: float, wecom: WeCom) -> None:
    """Serve the figures of the program in the zone for Prometheus, at http://HOST:PORT/metrics.

    Nothing can scrape the zone, so this runs beside your app and asks the program through the channel: it calls the
    ability that the registry file declares with kind = "status". When the program does not answer, wwspec_up is 0.
    """
    require("metrics", click.get_current_context().command_path)
    host, port = listen
    if not (allow_remote or is_loopback(host)):
        raise click.UsageError(f"--listen {host}: other machines could reach it; add --allow-remote if they are to")
    if port and host in ("127.0.0.1", "localhost"):
        require_free_ports({"--listen": port})
    client = wecom.client()
    from wwspec_devtools.metrics.exporter import Exporter, serve  # here, since it needs the extra

    with client:
        serve(Exporter(client, ability, interval), host, port)

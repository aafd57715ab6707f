"""`wwspec metrics`: the program's figures for Prometheus."""

from contextlib import suppress
from urllib.parse import urlsplit

import click

from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.cli.wecom import WeCom, WeComCommand, wecom_options
from wwspec_router.cli.options import Seconds, needs
from wwspec_router.cli.ports import require_free_ports

ABILITY = "status"
LISTEN = "127.0.0.1:9464"
"""Exporters of OpenTelemetry use this port."""
INTERVAL = 30.0


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT, of which HOST may be an IPv6 address in brackets."""

    name = "HOST:PORT"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return host and port."""
        if isinstance(value, tuple):
            return value
        host, port = None, None
        with suppress(ValueError):
            parts = urlsplit(f"//{value}")
            if parts.netloc == value and "@" not in value:
                host, port = parts.hostname, parts.port
        if not host or port is None:
            self.fail(f"must be HOST:PORT, such as {LISTEN}, not {value!r}", param, ctx)
        return host, port


# --listen is WWSPEC_METRICS_LISTEN
@click.command(cls=WeComCommand, context_settings={"auto_envvar_prefix": "WWSPEC_METRICS"})
@needs("metrics")
@click.option("--listen", type=Address(), default=LISTEN, show_default=True, help="Where Prometheus scrapes /metrics.")
@click.option("--allow-remote", is_flag=True, help="Let other machines reach the metrics: --listen may be any address.")
@click.option(
    "--ability",
    default=ABILITY,
    show_default=True,
    metavar="ID",
    help='The ability of kind = "status" in the program\'s registry file.',
)
@click.option(
    "--interval",
    type=Seconds(1.0),
    default=INTERVAL,
    show_default=True,
    help="Seconds between two polls of the program; each is a call.",
)
@wecom_options
def command(listen: tuple[str, int], allow_remote: bool, ability: str, interval: float, wecom: WeCom) -> None:
    """Serve the figures of the program in the zone for Prometheus, at http://HOST:PORT/metrics.

    Nothing can scrape the zone, so this runs beside your app and asks the program through the channel: it calls the
    ability that the registry file declares with kind = "status". When the program does not answer, wwspec_up is 0.
    """
    host, port = listen
    if not (allow_remote or is_loopback(host)):
        raise click.UsageError(f"--listen {host}: other machines could reach it; add --allow-remote if they are to")
    if port and host in ("127.0.0.1", "localhost"):
        require_free_ports({"--listen": port})
    client = wecom.client()
    from wwspec_devtools.metrics.exporter import Exporter  # here, since it needs the extra
    from wwspec_devtools.metrics.server import serve

    with client:
        serve(Exporter(client, ability, interval), host, port)

"""`wwspec zone page`: a page of the app in a browser that meets the emulator instead of WeCom."""

import shlex
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import click

from wwspec_contracts.support.lifeline import Guard
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.cli.emulator_candidates import people
from wwspec_devtools.cli.emulator_options import authority_option, with_emulator
from wwspec_devtools.emulator.http.client import EmulatorClient

STOP_SECONDS = 5.0
"""Seconds that the browser has to end."""


@click.command()
@click.argument("page", metavar="URL")
@click.option(
    "--user", metavar="USERID", shell_complete=people, help="The member who is logged in.  [default: chosen on a page]"
)
@click.option(
    "--browser",
    metavar="COMMAND",
    help="The browser, with further flags: 'chromium --headless=new'.  [default: a Chromium in PATH]",
)
@authority_option
@with_emulator
def page(emulator: EmulatorClient, page: str, user: str | None, browser: str | None, state: Path | None) -> None:
    """Open a page of the app, in a Chromium whose WeCom is the emulator: WeCom's own @wecom/jssdk shows messages there.

    The browser has a new profile of its own, and reaches this machine and the emulator, no other host. The command
    ends with the browser, and the browser with the command.
    """
    from wwspec_devtools.emulator.page.login import login_url  # here, since it needs the extra
    from wwspec_devtools.emulator.proxy.authority import Authority, default_folder
    from wwspec_devtools.emulator.proxy.proxy import HOSTS, find_browser, page_browser

    parts = urlsplit(page)
    if parts.scheme not in ("http", "https") or parts.hostname not in HOSTS:
        raise click.BadParameter(
            f"a page of this machine, such as http://127.0.0.1:8000/, not {page!r}: the browser reaches no other host",
            param_hint="'URL'",
        )
    emulator.info()  # fails when there is none
    command = shlex.split(browser) if browser else [find_browser()]
    authority = Authority(state or default_folder())
    with (
        tempfile.TemporaryDirectory(prefix="wwspec-page-", ignore_cleanup_errors=True) as folder,
        page_browser(emulator.url, authority, Path(folder)) as flags,
        until_interrupted(),
    ):
        _run([*command, f"--user-data-dir={folder}", *flags, login_url(user, page)])


def _run(command: list[str]) -> None:
    """Run the browser until it ends; it ends with this command, too."""
    with Guard() as guard:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's browser
                command, stdin=subprocess.DEVNULL, process_group=guard.group
            )
        except OSError as error:
            raise click.ClickException(
                f"{command[0]} can't be started ({error.strerror}): name it with --browser"
            ) from None
        try:
            code = process.wait()
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if code:
        raise click.ClickException(f"{command[0]} ended with exit code {code}")

"""The place that `wwspec call`, `task`, `job`, `forget` and `fire` call: an emulator, or WeCom as an app of it."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click
import msgspec
from click.core import ParameterSource

from wwspec_devtools.cli.emulator_options import connected_to, corp_option, url_option
from wwspec_devtools.cli.failure_report import print_why
from wwspec_devtools.cli.wecom import WeCom, credential_names, wecom_options
from wwspec_devtools.emulator.http.client import DEFAULT_URL
from wwspec_router.cli.options import FunctionT, print_json
from wwspec_router.config import variable

if TYPE_CHECKING:
    from wwspec_client import ZoneClient


RESULT_SECONDS = 30.0
"""Seconds to wait for the result of an asynchronous call, unless the emulator waits longer for each call."""


class Place(NamedTuple):
    """An emulator or WeCom, as the options of a verb name it."""

    url: str
    """URL of the emulator."""
    wecom: WeCom | None
    """None for the emulator."""
    corp: str = ""
    """The corp of the emulator; empty for the first one."""

    @contextmanager
    def client(self, call: str, *, program: bool) -> Iterator["ZoneClient"]:
        """Yield a client of the app there.

        Args:
            call: What is called, for the errors: an ability ID, or a jobid.
            program: Whether a program is called: WeCom then needs its ID.

        Raises:
            UsageError: The app is not named.
        """
        if self.wecom is not None:
            with self.wecom.client(program=program) as client:
                yield client
            return
        from wwspec_client import PlatformError, ProgramError  # here, since `--help` needs no extra
        from wwspec_devtools.testing.answer import CallRefusedError
        from wwspec_devtools.testing.app import App, IssuedToken

        with connected_to(self.url, self.corp) as emulator:
            app = App(emulator, tokens=IssuedToken(emulator))
            before = emulator.last_number() if program else 0
            try:
                yield app.client
            except (PlatformError, ProgramError) as error:
                if program:
                    print_why(emulator, before, call)
                raise CallRefusedError(app.refusal(call, error)) from None

    def result_seconds(self) -> float:
        """Return for how long to wait for the result of an asynchronous call: as long as for that of any call."""
        if self.wecom is not None:
            return RESULT_SECONDS
        with connected_to(self.url) as emulator:
            return max(RESULT_SECONDS, float(emulator.info()["call_timeout"]))

    def task_line(self, jobid: str) -> str:
        """Return the command that fetches the result of an asynchronous call."""
        if self.wecom is not None:
            where = f" --base-url {shlex.quote(self.wecom.base_url)}"
        else:
            where = "" if self.url.rstrip("/") == DEFAULT_URL else f" --url {shlex.quote(self.url.rstrip('/'))}"
            where += f" --corp {shlex.quote(self.corp)}" if self.corp else ""
        return f"wwspec task {shlex.quote(jobid)}{where}"


def caller_options(function: FunctionT) -> FunctionT:
    """Add the options that name an emulator or WeCom, and give them as the argument `place`: a `Place`."""

    @wraps(function)
    def placed(*arguments: Any, url: str, of_corp: str, wecom: WeCom, **options: Any) -> Any:
        context = click.get_current_context()
        at_wecom = is_wecom(context)
        for name in credential_names():
            if not at_wecom and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                option = name.replace("_", "-")
                raise click.UsageError(f"--{option} goes with --base-url: the app of an emulator needs no credentials")
        return function(*arguments, place=Place(url, wecom if at_wecom else None, of_corp), **options)

    return url_option(corp_option(wecom_options(cast(FunctionT, placed))))


def is_wecom(context: click.Context) -> bool:
    """Return whether a verb with `--url` and `--base-url` calls WeCom. The command line goes before the environment.

    Raises:
        UsageError: Both are given.
    """
    emulator, wecom = (context.get_parameter_source(name) for name in ("url", "base_url"))
    if emulator is wecom is ParameterSource.COMMANDLINE:
        raise click.UsageError("give one of --url (an emulator) and --base-url (WeCom)")
    if emulator is wecom is ParameterSource.ENVIRONMENT:
        raise click.UsageError(
            f"WWSPEC_EMULATOR_URL and {variable('base_url')} are both set: unset one, or give --url or --base-url"
        )
    return ParameterSource.COMMANDLINE is wecom or (
        ParameterSource.ENVIRONMENT is wecom and emulator is not ParameterSource.COMMANDLINE
    )


def show_reply(ask: Callable[[], msgspec.Raw], late: str = "") -> None:
    """Print the program's reply, also one that refuses the call.

    Args:
        ask: Returns the reply's JSON.
        late: The message when there is no result in time.

    Raises:
        ZoneClientError: The call was refused, so the exit code is 1.
        ClickException: There is no result in time.
    """
    from wwspec_client import ProgramError, StillRunningError

    try:
        print_json(ask())
    except ProgramError as error:
        if error.raw:
            print_json(msgspec.Raw(error.raw.encode()))
        raise
    except StillRunningError:
        raise click.ClickException(late) from None

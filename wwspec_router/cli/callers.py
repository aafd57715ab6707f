"""Who `wwspec call`, `job` and `fire` talk to: an emulator, or WeCom with the credentials of an app."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

import click
import msgspec
from click.core import ParameterSource

from wwspec_router.cli.emulator_options import url_option
from wwspec_router.cli.options import print_json
from wwspec_router.cli.wecom import WeCom, credential_names, wecom_options
from wwspec_router.config import variable
from wwspec_router.emulator.http.answer import Answer, CallRefusedError, NoResultError, SubmittedCall
from wwspec_router.emulator.http.client import DEFAULT_URL, EmulatorClient
from wwspec_router.errors import WWSpecError
from wwspec_router.extras import require

if TYPE_CHECKING:
    from wwspec_router.client import ZoneClient

__all__ = ["Caller", "Place", "Reply", "caller_options", "is_wecom"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Reply(NamedTuple):
    """What a call was answered."""

    raw: str
    """The program's reply as JSON text, also of a refusal; empty when there is none."""
    refusal: WWSpecError | None
    """Who refused the call, and why."""

    def show(self) -> None:
        """Print the program's reply, also one that refuses the call.

        Raises:
            WWSpecError: The call was refused, so the exit code is 1.
        """
        if self.raw:
            print_json(msgspec.Raw(self.raw.encode()))
        if self.refusal is not None:
            raise self.refusal


class Caller(Protocol):
    """Calls abilities as an enterprise app."""

    def call(self, ability_id: str, request: str, notify_id: str) -> Reply:
        """Call an ability; the request is JSON text."""
        ...

    def submit(self, ability_id: str, request: str) -> str:
        """Call an ability asynchronously, and return the jobid."""
        ...

    def result(self, jobid: str, wait: float) -> Reply | None:
        """Return the result of an asynchronous call; None when there is none within `wait` seconds."""
        ...


class Place(NamedTuple):
    """An emulator or WeCom, as the options of a verb name it."""

    url: str
    """Of the emulator."""
    wecom: WeCom | None
    """None for the emulator."""

    @contextmanager
    def caller(self, *, program: bool) -> Iterator[Caller]:
        """Return what calls abilities there.

        Args:
            program: A program is called, so that WeCom has to be told which one.

        Raises:
            UsageError: The app is not named.
            ExtraMissingError: The extra is not installed.
        """
        if self.wecom is not None:
            with self.wecom.client(program=program) as client:
                yield _WeComCaller(client)
            return
        require("emulator", click.get_current_context().command_path)
        with EmulatorClient(self.url) as emulator:
            yield _EmulatorCaller(emulator)

    def job_line(self, jobid: str) -> str:
        """Return the command that fetches the result of an asynchronous call."""
        if self.wecom is not None:
            where = f" --base-url {shlex.quote(self.wecom.base_url)}"
        else:
            where = "" if self.url.rstrip("/") == DEFAULT_URL else f" --url {shlex.quote(self.url.rstrip('/'))}"
        return f"wwspec job {shlex.quote(jobid)}{where}"


def caller_options(function: FunctionT) -> FunctionT:
    """Add the options that name an emulator or WeCom, and give them as the argument `place`: a `Place`."""

    @wraps(function)
    def placed(*arguments: Any, url: str, wecom: WeCom, **options: Any) -> Any:
        context = click.get_current_context()
        at_wecom = is_wecom(context)
        for name in credential_names():
            if not at_wecom and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                option = name.replace("_", "-")
                raise click.UsageError(f"--{option} goes with --base-url: the app of an emulator needs no credentials")
        return function(*arguments, place=Place(url, wecom if at_wecom else None), **options)

    return url_option(wecom_options(cast(FunctionT, placed)))


def is_wecom(context: click.Context) -> bool:
    """Tell whether a verb with `--url` and `--base-url` is to talk to WeCom: what is on the command line goes first.

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


class _EmulatorCaller:
    def __init__(self, emulator: EmulatorClient) -> None:
        self._emulator = emulator
        self._abilities: dict[str, str] = {}  # by jobid, for the errors

    def call(self, ability_id: str, request: str, notify_id: str) -> Reply:
        return _reply(self._emulator.call(ability_id, request, notify_id))

    def submit(self, ability_id: str, request: str) -> str:
        jobid = self._emulator.submit(ability_id, request).jobid
        self._abilities[jobid] = ability_id
        return jobid

    def result(self, jobid: str, wait: float) -> Reply | None:
        ability_id = self._abilities.get(jobid, "")
        try:
            return _reply(
                SubmittedCall(jobid, lambda: self._emulator.result(jobid, ability_id=ability_id)).result(wait)
            )
        except NoResultError:
            return None


def _reply(answer: Answer[object]) -> Reply:
    return Reply(answer.raw, None if answer.refused_by is None else CallRefusedError(answer))


class _WeComCaller:
    def __init__(self, client: "ZoneClient") -> None:
        self._client = client

    def call(self, ability_id: str, request: str, notify_id: str) -> Reply:
        return _checked(lambda: self._client.call(ability_id, request, reply=msgspec.Raw, notify_id=notify_id))

    def submit(self, ability_id: str, request: str) -> str:
        return self._client.submit(ability_id, request).jobid

    def result(self, jobid: str, wait: float) -> Reply | None:
        from wwspec_router.client import StillRunningError

        try:
            return _checked(lambda: self._client.task(jobid, reply=msgspec.Raw).result(wait))
        except StillRunningError:
            return None


def _checked(ask: Callable[[], msgspec.Raw]) -> Reply:
    from wwspec_router.client import ProgramError

    try:
        return Reply(bytes(ask()).decode(), None)
    except ProgramError as error:
        return Reply(error.raw, error)

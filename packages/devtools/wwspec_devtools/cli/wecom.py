"""Options of the verbs that talk to WeCom as an enterprise app: which app it is, and where WeCom is."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.cli.option_types import options
from wwspec_router.cli.help import SectionedCommand
from wwspec_router.cli.options import FunctionT, secret_option
from wwspec_router.config import variable

if TYPE_CHECKING:
    from wwspec_client import AsyncZoneClient, ZoneClient
    from wwspec_client.stores import TokenProvider


WECOM_URL = "https://qyapi.weixin.qq.com"
SUITE = ("suite_id", "suite_secret", "suite_ticket", "permanent_code")
"""What a suite's app has in place of a secret."""


@dataclass(frozen=True, kw_only=True)
class WeCom:
    """Where WeCom is, and which app calls it. A field that was not given is empty."""

    base_url: str = ""
    corpid: str = ""
    corpsecret: str = field(default="", repr=False)
    program_id: str = ""
    suite_id: str = ""
    suite_secret: str = field(default="", repr=False)
    suite_ticket: str = field(default="", repr=False)
    permanent_code: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Where WeCom is."""
        return self.base_url or WECOM_URL

    @property
    def missing(self) -> list[str]:
        """The environment variables that are not set and without which there is no access token."""
        needed = ("corpid", *(SUITE if self._is_suite else ("corpsecret",)))
        return [variable(name) for name in needed if not getattr(self, name)]

    @property
    def _is_suite(self) -> bool:
        return any(getattr(self, name) for name in SUITE)

    def client(self, *, program: bool = True) -> "ZoneClient":
        """Return a client of the app; close it, or use it with `with`.

        Args:
            program: Whether the verb calls a program: `program_id` is then needed.

        Raises:
            UsageError: Something is not given.
            ConfigurationError: The values contradict each other.
        """
        from wwspec_client import ZoneClient  # here, since `--help` needs none of it

        return ZoneClient(**self._arguments(program))

    def async_client(self) -> "AsyncZoneClient":
        """Return a client for an event loop, of an app with a program; raises as `client` does."""
        from wwspec_client import AsyncZoneClient

        return AsyncZoneClient(**self._arguments(program=True))

    def _arguments(self, program: bool) -> dict[str, Any]:
        context = click.get_current_context()
        missing = self.missing
        if program and not self.program_id:
            missing.append(variable("program_id"))
        if missing:
            secrets = ", ".join(f"{name}_FILE" for name in missing if not name.endswith("ID"))
            files = f" (a secret may be in a file: {secrets})" if secrets else ""
            raise click.UsageError(f"the app is not named: set {', '.join(missing)}{files}", context)
        if self._is_suite and self.corpsecret:
            raise ConfigurationError(
                f"{variable('corpsecret')} is of a corp's own app, {variable('suite_id')} of a third-party app: "
                "unset what belongs to the other one"
            )
        from wwspec_client import RetryPolicy

        return {
            "tokens": self._tokens(),
            "program_id": self.program_id,
            "base_url": self.url,
            "retries": RetryPolicy(attempts=3, first_pause=0.3),  # a person waits
        }

    def _tokens(self) -> "TokenProvider":
        from wwspec_client import AppSecret, SuiteApp

        if not self._is_suite:
            return AppSecret(self.corpid, self.corpsecret)
        return SuiteApp(self.suite_id, self.suite_secret, self.suite_ticket, self.corpid, self.permanent_code)


WECOM = tuple(each.name for each in fields(WeCom))
"""The parameters of `wecom_options`: a section of `help.SectionedCommand`."""


class WeComCommand(SectionedCommand):
    """A command with `wecom_options`, which its `--help` shows in a section."""

    sections: ClassVar[Mapping[str, Collection[str]]] = {"WeCom": WECOM}


def wecom_options(function: FunctionT) -> FunctionT:
    """Add the options that name WeCom and the app, and give them as the argument `wecom`: a `WeCom`."""

    @wraps(function)
    def packed(*arguments: Any, **options: Any) -> Any:
        wecom = WeCom(**{name: options.pop(name) or "" for name in WECOM})
        return function(*arguments, wecom=wecom, **options)

    return _options(cast(FunctionT, packed))


def credential_names() -> tuple[str, ...]:
    """Return the parameters that name the app, and the files that hold its secrets."""
    named = [name for name in WECOM if name != "base_url"]
    return (*named, *(f"{name}_file" for name in named))


def base_url_option(*, hidden: bool) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds only `--base-url`.

    Args:
        hidden: Leave the option out of `--help`: the verb takes it only to refuse it.
    """
    return click.option(
        "--base-url",
        default="",
        metavar="URL",
        envvar=variable("base-url"),
        show_envvar=True,
        hidden=hidden,
        help=f"WeCom is {WECOM_URL}; or an emulator, to try it out.",
    )


def _plain(name: str, help_text: str) -> Callable[[FunctionT], FunctionT]:
    return click.option(f"--{name}", default="", envvar=variable(name), show_envvar=True, help=help_text)


_options = options(
    base_url_option(hidden=False),
    _plain("corpid", "The corp."),
    secret_option("corpsecret", "the app's secret; for an app that a provider develops for a corp its permanent_code"),
    _plain("program-id", "The program that is linked with the app."),
    _plain("suite-id", "The suite of a third-party app, in place of the secret."),
    secret_option("suite-secret", "the suite's secret"),
    secret_option("suite-ticket", "the latest suite_ticket that WeCom has pushed"),
    secret_option("permanent-code", "the permanent_code of the corp's installation of the suite"),
)

"""Options that several verbs share, and how all of them read secrets."""

import os
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from wwspec_router.config import REGISTRY, Secret, Setting, settings, variable
from wwspec_router.errors import ConfigurationError
from wwspec_router.extras import require

__all__ = [
    "app_options",
    "needs",
    "print_json",
    "secret_option",
    "setting_options",
    "store_option",
]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

LONGEST_SECRET = 65_536
"""Characters that are read of a file with a secret."""


def app_options(function: FunctionT) -> FunctionT:
    """Add `--app` and `--registry`."""
    app = click.option(
        "--app",
        type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
        default=Path(),
        help="Application folder: abilities/ and, for contracts of its own, schemas/.  [default: this folder]",
    )
    registry = click.option(
        "--registry",
        type=click.Path(path_type=Path, dir_okay=False, resolve_path=True),
        help=f"Registry file.  [default: {REGISTRY} in the application folder]",
    )
    return app(registry(function))


def needs(extra: str) -> Callable[[FunctionT], FunctionT]:
    """Let a verb begin only when an extra is installed; `--help` works without it.

    The decorator of the verb stands directly above this one. What the extra installs is imported in the verb's body.
    """

    def decorate(function: FunctionT) -> FunctionT:
        @wraps(function)
        def checked(*arguments: Any, **options: Any) -> Any:
            require(extra, click.get_current_context().command_path)
            return function(*arguments, **options)

        return cast(FunctionT, checked)

    return decorate


def setting_options(function: FunctionT, *, but: Collection[str] = ()) -> FunctionT:
    """Add an option for each setting of `config.Settings`, but for those that a verb decides itself."""
    for setting in reversed(settings().values()):
        if setting.name not in but:
            function = _option(setting)(function)
    return function


def _option(setting: Setting) -> Callable[[FunctionT], FunctionT]:
    """Return what adds the option of one setting."""
    if setting.secret is Secret.ALWAYS:
        return secret_option(setting.option, setting.text[0].lower() + setting.text[1:].rstrip("."))
    if setting.secret is Secret.WITH_PASSWORD:
        return store_option(setting.default, setting.text)
    name = f"--{setting.option}"
    if isinstance(setting.default, bool):
        name = f"{name}/--no-{setting.option}" if setting.default else name
        return click.option(
            name, is_flag=True, default=setting.default, show_default=setting.default, help=setting.text
        )
    default = str(setting.default) if setting.choices else setting.default
    return click.option(name, type=_type(setting), default=default, show_default=True, help=setting.text)


def _type(setting: Setting) -> click.ParamType[Any] | None:
    if setting.choices:
        return click.Choice(setting.choices)
    if isinstance(setting.default, int):
        return click.IntRange(_whole(setting.least), _whole(setting.most))
    if isinstance(setting.default, float):
        least = setting.least if setting.above is None else setting.above
        return click.FloatRange(least, setting.most, min_open=setting.above is not None)
    return None


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)


def store_option(default: str, help_text: str) -> Callable[[FunctionT], FunctionT]:
    """Add `--store`, which takes URLs without a password, and `--store-file`."""

    def add(function: FunctionT) -> FunctionT:
        store = click.option(
            "--store",
            cls=_Secret,
            is_secret=_may_hold_password,
            default=default,
            show_default=True,
            envvar=variable("store"),
            show_envvar=True,
            metavar="URL",
            help=help_text,
        )
        return store(_file_option("store", "File that holds the URL: for one with a password.", function))

    return add


def secret_option(name: str, help_text: str) -> Callable[[FunctionT], FunctionT]:
    """Add `--NAME-file`, for a secret that comes from a file or from the environment variable `WWSPEC_NAME`.

    Args:
        name: Such as `debug-token`; the command's argument is then `debug_token`.
        help_text: What the secret is.
    """

    def add(function: FunctionT) -> FunctionT:
        secret = click.option(f"--{name}", cls=_Secret, default="", envvar=variable(name), hidden=True)
        return secret(_file_option(name, f"File that holds {help_text}; or set {variable(name)} to it.", function))

    return add


def print_json(value: Any) -> None:
    """Print a value as indented JSON, with Chinese text as it is."""
    import msgspec  # here, since `--help` needs none of it

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


class _Secret(click.Option):
    """An option whose value may be a secret, and then comes from a file or from the environment.

    The command line of a process is shown to every user of its machine, and stays in the history of the shell, so a
    secret in it is refused. What is given on the command line goes before the environment. Of the environment either
    the variable itself is set, or the one that names a file.
    """

    def __init__(self, *names: Any, is_secret: Callable[[str], bool] = lambda value: True, **options: Any) -> None:
        super().__init__(*names, **options)
        self._is_secret = is_secret

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return the value and where it comes from."""
        name, variable = self.opts[0], str(self.envvar)
        file = opts.get(f"{self.name}_file")
        if self.name in opts:
            if file is not None:
                raise click.UsageError(f"give one of {name} and {name}-file", ctx)
            if self._is_secret(opts[self.name]):
                raise click.UsageError(
                    f"{name} would show a secret to every user of this machine: "
                    f"set {variable}, or name a file that holds it with {name}-file or {variable}_FILE",
                    ctx,
                )
        elif file is not None:
            return _read(f"{name}-file", file), ParameterSource.COMMANDLINE
        elif file := os.environ.get(f"{variable}_FILE"):
            if os.environ.get(variable):
                raise ConfigurationError(f"{variable} and {variable}_FILE are both set: unset one of them")
            return _read(f"{variable}_FILE", file), ParameterSource.ENVIRONMENT
        return super().consume_value(ctx, opts)


def _file_option(name: str, help_text: str, function: FunctionT) -> FunctionT:
    """Add `--NAME-file`, which `_Secret` reads."""
    return click.option(
        f"--{name}-file",
        metavar="FILE",
        envvar=f"{variable(name)}_FILE",
        show_envvar=True,
        expose_value=False,
        help=help_text,
    )(function)


def _read(source: str, path: str) -> str:
    """Return the line that a file holds.

    Args:
        source: The option or variable that names the file.
        path: The file.

    Raises:
        ConfigurationError: There is no such line; the text names source and path, and nothing of what the file holds.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(LONGEST_SECRET).removesuffix("\n")
    except OSError as error:
        raise ConfigurationError(f"{source}: {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{source}: {path} is not text in UTF-8") from None
    if not text:
        raise ConfigurationError(f"{source}: {path} is empty")
    if "\n" in text:
        raise ConfigurationError(f"{source}: {path} has more than one line")
    return text


def _may_hold_password(url: str) -> bool:
    scheme, _, rest = url.partition(":")
    return scheme not in ("sqlite", "memory") and ("@" in rest or "password" in rest)

"""Options that several verbs share, where their values come from, and how verbs read secrets.

A setting comes from wwspec.toml, the environment or an option. An option goes before the environment, and the
environment before the file.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from wwspec_contracts.support.printable import printable_json
from wwspec_router.cli.environment import take_env_file
from wwspec_router.config import (
    PROGRAM,
    REGISTRY,
    SETTINGS_FILE,
    Secrecy,
    Setting,
    may_hold_password,
    settings,
    variable,
)
from wwspec_router.config.file import SettingsFile
from wwspec_router.config.reading import find_secret, find_settings_file, own_settings_path
from wwspec_router.process.secret_files import read_secret

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_TAKE_ENV_FILE = ("check", "doctor")
"""Verbs with `--app` that have the variables of `.env`; `wwspec dev` gives them to the program alone."""
_FROM_FILES = f"{__name__}.from_files"
"""Key in a context's `meta`: the arguments that name a file from which a secret was read."""


def app_options(function: FunctionT) -> FunctionT:
    """Add `--app`, `--registry` and `--config`."""
    app = click.option(
        "--app",
        type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
        default=Path(),
        envvar=variable("app"),
        is_eager=True,  # the settings file is in it
        callback=_take_env_file,
        help="Application folder.  [default: this folder]",
    )
    registry = click.option(
        "--registry",
        type=click.Path(path_type=Path, dir_okay=False, resolve_path=True),
        envvar=variable("registry"),
        help=f"Registry file.  [default: {REGISTRY} of the folder, else {PROGRAM}]",
    )
    config = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False, resolve_path=True),
        envvar=variable("config"),
        is_eager=True,  # the defaults of all others are in it
        expose_value=False,
        callback=_read_settings_file,
        help=f"Settings file.  [default: {SETTINGS_FILE} of the folder]",
    )
    return app(registry(config(function)))


def _take_env_file(ctx: click.Context, param: click.Parameter, app: Path) -> Path:
    if ctx.info_name in _TAKE_ENV_FILE:
        take_env_file(ctx, app)
    return app


def _read_settings_file(ctx: click.Context, param: click.Parameter, named: Path | None) -> None:
    if ctx.resilient_parsing:
        return
    app = ctx.params.get("app", Path())  # which is read later where the command line has --config before it
    file = ctx.meta[SETTINGS_FILE] = find_settings_file(app, named)
    if file is not None:
        ctx.default_map = file.defaults(ctx.info_name or "")


def settings_file(ctx: click.Context) -> SettingsFile | None:
    """Return the settings file that a verb took, if there is one."""
    file: SettingsFile | None = ctx.meta.get(SETTINGS_FILE)
    return file


def own_settings_file(ctx: click.Context) -> Path | None:
    """Return the file whose table `[app]` has the application's own settings, if there is one."""
    return own_settings_path(settings_file(ctx))


def origin(ctx: click.Context, name: str) -> str:
    """Return where the value of an argument comes from: `default`, `wwspec.toml:4`, `WWSPEC_PORT` or `--port`."""
    option = name.replace("_", "-")
    file, from_file = settings_file(ctx), f"{name}_file" in ctx.meta.get(_FROM_FILES, ())
    match ctx.get_parameter_source(name):
        case ParameterSource.COMMANDLINE:
            return f"--{option}-file" if from_file else f"--{option}"
        case ParameterSource.ENVIRONMENT:
            return f"{variable(option)}_FILE" if from_file else variable(option)
        case ParameterSource.DEFAULT_MAP if file is not None:
            return file.place(ctx.info_name or "", f"{name}_file" if from_file else name)
    return "default"


def setting_options(function: FunctionT, *, but: Collection[str] = ()) -> FunctionT:
    """Add an option for each setting of `config.Settings`, except those that the verb decides itself.

    `help.SettingsCommand` shows them by topic.
    """
    for setting in reversed(tuple(settings().values())):
        if setting.name not in but:
            function = _option(setting)(function)
    return function


def _option(setting: Setting) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds the option of one setting."""
    if setting.secret is Secrecy.ALWAYS:
        return secret_option(setting.option, setting.text[0].lower() + setting.text[1:].rstrip("."))
    if setting.secret is Secrecy.WITH_PASSWORD:
        return store_option(setting.default, setting.text)
    name, is_switch = f"--{setting.option}", isinstance(setting.default, bool)
    default = str(setting.default) if setting.choices else setting.default
    return click.option(
        f"{name}/--no-{setting.option}" if is_switch else name,
        cls=_SettingOption,
        type=_type(setting),
        is_flag=is_switch,
        default=default,
        show_default=default != "",
        envvar=variable(setting.option),
        help=setting.text,
    )


def _type(setting: Setting) -> click.ParamType[Any] | None:
    if setting.choices:
        return click.Choice(setting.choices)
    if isinstance(setting.default, bool):
        return click.BOOL
    if isinstance(setting.default, int):
        least, most = _whole(setting.least), _whole(setting.most)
        return _RangeOrWord(setting.word, least, most) if setting.word else click.IntRange(least, most)
    if isinstance(setting.default, float):
        lowest = setting.least if setting.above is None else setting.above
        return click.FloatRange(lowest, setting.most, min_open=setting.above is not None)
    return None


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)


def store_option(default: str, help_text: str) -> Callable[[FunctionT], FunctionT]:
    """Add `--store`, which takes URLs without a password, and `--store-file`."""

    def add(function: FunctionT) -> FunctionT:
        store = click.option(
            "--store",
            cls=SecretOption,
            is_secret=may_hold_password,
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
        secret = click.option(f"--{name}", cls=SecretOption, default="", envvar=variable(name), hidden=True)
        return secret(_file_option(name, f"File that holds {help_text}; or set {variable(name)} to it.", function))

    return add


def print_json(value: Any) -> None:
    """Print a value as indented JSON, with Chinese text as it is."""
    import msgspec  # here, since `--help` needs none of it

    click.echo(printable_json(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()))


class _RangeOrWord(click.IntRange):
    """A whole number within limits, or a word that stands for one."""

    def __init__(self, word: str, least: int | None, most: int | None) -> None:
        super().__init__(least, most)
        self.name = f"integer or {word}"


class _SettingOption(click.Option):
    """An option whose error messages name the environment variable or the line that the value comes from."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the option's name for an error message."""
        if ctx is not None and ctx.get_parameter_source(self.name or "") is ParameterSource.ENVIRONMENT:
            return origin(ctx, self.name or "")
        return super().get_error_hint(ctx)

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value. The message for a wrong one is the same as for wwspec.toml and the ASGI application."""
        if not isinstance(value, str):  # a switch, a default, or what wwspec.toml has
            return value
        try:
            return settings()[self.name or ""].read(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, self) from None


class SecretOption(click.Option):
    """An option whose value may be a secret, and then comes from a file or from the environment.

    Every user of a machine can read the command lines of its processes, and the shell keeps them in its history. So a
    secret on the command line is refused. The command line goes before the environment. In the environment, either
    the variable itself is set or the one that names a file.
    """

    def __init__(self, *names: Any, is_secret: Callable[[str], bool] = lambda value: True, **options: Any) -> None:
        super().__init__(*names, **options)
        self._is_secret = is_secret

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return the value and its source."""
        if ctx.resilient_parsing:  # a shell completes a line: read no file, and refuse nothing
            return super().consume_value(ctx, opts)
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
            ctx.meta.setdefault(_FROM_FILES, set()).add(f"{self.name}_file")
            return read_secret(f"{name}-file", Path(file)), ParameterSource.COMMANDLINE
        elif (found := find_secret(variable, self.name or "", ctx.default_map or {})) is not None:
            if found.is_from_file:
                ctx.meta.setdefault(_FROM_FILES, set()).add(f"{self.name}_file")
            source = ParameterSource.ENVIRONMENT if found.in_environment else ParameterSource.DEFAULT_MAP
            return found.value, source
        return super().consume_value(ctx, opts)


def _file_option(name: str, help_text: str, function: FunctionT) -> FunctionT:
    """Add `--NAME-file`, which `SecretOption` reads."""
    return click.option(
        f"--{name}-file",
        metavar="FILE",
        envvar=f"{variable(name)}_FILE",
        show_envvar=True,
        expose_value=False,
        help=help_text,
    )(function)

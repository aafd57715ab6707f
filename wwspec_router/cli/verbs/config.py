"""`wwspec config`: every setting of the program, and where its value comes from."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from wwspec_contracts.errors import ConfigurationError, RegistryError, did_you_mean
from wwspec_router.cli.help import SettingsCommand
from wwspec_router.cli.options import app_options, origin, own_settings_file, print_json, setting_options, settings_file
from wwspec_router.config import SETTINGS_FILE, Secrecy, may_hold_password, registry_path, settings, variable
from wwspec_router.registry.program import declared_settings
from wwspec_router.stores import SCHEMES
from wwspec_router.stores.redis.url import parse_url

MASK = "***"
OTHER_VARIABLES = (
    *("BASE_URL", "PROGRAM_ID", "SUITE_", "PERMANENT_CODE"),  # the verbs of an app
    *("CALLBACK_TOKEN", "ENCODING_AES_KEY", "RECEIVE_ID", "KEYS", "KEY_PASSPHRASE"),
    *("EMULATOR_", "METRICS_", "LANG", "PURE", "START_LIMIT"),
    *("APP_", "CONFIG_APP"),  # the application's own
)
"""Variables that begin so after `WWSPEC_` are not settings of the program."""


class SettingRow(NamedTuple):
    """One setting."""

    name: str
    value: Any
    origin: str


@click.command(cls=SettingsCommand)
@app_options
@setting_options
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of name, value and origin.")
def command(app: Path, registry: Path | None, as_json: bool, **options: Any) -> None:
    """List every setting that `wwspec serve` would have here, with its value and where that comes from.

    \b
    default            nothing sets it
    wwspec.toml:4      line 4 of the settings file
    WWSPEC_PORT        the environment
    --port             an option of this command, which takes those of `serve`

    A later one of these goes before the others. Secrets are masked.
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    context = click.get_current_context()
    own, faults = _own_rows(context, registry_path(app, registry), app)
    rows = [*_rows(context, app, registry, options), *own]
    if as_json:
        print_json([row._asdict() for row in rows])
    else:
        texts = [(row.name, _text(row.value), row.origin) for row in rows]
        names, values = (max(len(each[column]) for each in texts) for column in (0, 1))
        for name, value, where in texts:
            click.echo(f"{name:<{names}}  {value:<{values}}  {where}")
    for fault in (*faults, *_misspelt_variables()):
        click.echo(fault, err=True)


def _rows(context: click.Context, app: Path, registry: Path | None, options: dict[str, Any]) -> Iterator[SettingRow]:
    file = settings_file(context)
    yield SettingRow("app", str(app), origin(context, "app"))
    yield SettingRow("config", None if file is None else str(file.path), _file_origin(context))
    yield SettingRow("registry", str(registry_path(app, registry)), origin(context, "registry"))
    for name, setting in settings().items():
        value = options[name]
        if value and setting.secret is not Secrecy.NEVER:
            value = MASK if setting.secret is Secrecy.ALWAYS else _without_password(str(value))
        yield SettingRow(setting.option, value, origin(context, name))


def _own_rows(context: click.Context, registry: Path, app: Path) -> tuple[list[SettingRow], list[str]]:
    """Return the application's own settings, and what is wrong with them. A secret shows as `***`."""
    try:
        declared = declared_settings(app, registry)
        if declared is None:
            return [], []
        own, faults = declared.values(own_settings_file(context), os.environ)
    except RegistryError:  # other verbs tell what is wrong with it
        return [], []
    except ConfigurationError as error:
        return [], [f"the application's own settings are not known: {error}"]
    shown = [(each, msgspec.to_builtins(each.value, enc_hook=str)) for each in own.values()]  # a secret's text is ***
    return [SettingRow(f"app.{each.key}", value, each.origin) for each, value in shown], faults


def _without_password(url: str) -> str:
    """Return the URL of a store. Where a password may be in the wrong place, return only the scheme."""
    scheme, _, rest = url.partition(":")
    if url == "memory:" or (scheme == "sqlite" and not rest.startswith("//")):
        return url
    with contextlib.suppress(ConfigurationError):
        parse_url(url)
        if not may_hold_password(url):
            return url
    return f"{scheme}:{MASK}" if scheme in SCHEMES else MASK


def _file_origin(context: click.Context) -> str:
    found = origin(context, "config")
    return f"no {SETTINGS_FILE}" if found == "default" and settings_file(context) is None else found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value or (0 if value == 0 else "-"))


def _misspelt_variables() -> Iterator[str]:
    """Yield a line for each environment variable that looks like a setting and is none."""
    known = {
        *(variable(each) for each in ("app", "config", "registry", *(each.option for each in settings().values()))),
        "WWSPEC_LOG",  # of the app's client
        *(f"{variable(each.option)}_FILE" for each in settings().values() if each.secret is not Secrecy.NEVER),
    }
    others = tuple(f"WWSPEC_{each}" for each in OTHER_VARIABLES)
    for name in sorted(os.environ):
        if name.startswith("WWSPEC_") and name not in known and not name.startswith(others):
            meant = did_you_mean(name, known)
            if meant:
                yield f"{name} is no setting; {meant}"

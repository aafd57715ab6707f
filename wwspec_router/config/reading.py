"""Reads the settings from wwspec.toml and from the environment, which goes before the file.

The options of the command line go before both; `cli.options` reads those, with what is here.
"""

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wwspec_contracts.errors import ConfigurationError
from wwspec_router.config import (
    APP_CONFIG,
    SETTINGS_FILE,
    Secrecy,
    Setting,
    Settings,
    registry_path,
    settings,
    variable,
)
from wwspec_router.config.file import SettingsFile, read_settings_file
from wwspec_router.process.secret_files import read_secret


class Found(NamedTuple):
    """A value that is set."""

    value: Any
    in_environment: bool
    """Whether the environment has it; else the settings file has."""
    is_from_file: bool = False
    """Whether it is a secret from a file of its own, which one of these names."""


def find(setting: Setting, kept: Mapping[str, Any]) -> Found | None:
    """Return the value of a setting; None when neither the environment nor the settings file has it.

    Args:
        setting: The setting.
        kept: The values of the settings file.

    Raises:
        ConfigurationError: The value is not allowed, or the file of a secret can't be read.
    """
    named = variable(setting.option)
    if setting.secret is not Secrecy.NEVER:
        return find_secret(named, setting.name, kept)
    if text := os.environ.get(named):
        try:
            return Found(setting.read(text), in_environment=True)
        except ValueError as error:
            raise ConfigurationError(f"{named}: {error}") from None
    if setting.name not in kept:
        return None
    value = kept[setting.name]
    return Found(setting.read(value) if isinstance(value, str) else value, in_environment=False)


def find_secret(named: str, name: str, kept: Mapping[str, Any]) -> Found | None:
    """Return the value of what may be secret: as it is, or from the file that `WWSPEC_NAME_FILE` or `NAME-file` names.

    Args:
        named: Its environment variable.
        name: Its name among the values of the settings file.
        kept: Those values.

    Raises:
        ConfigurationError: The variable names a file and has a value, or the file can't be read.
    """
    value, file = os.environ.get(named), os.environ.get(f"{named}_FILE")
    if value and file:
        raise ConfigurationError(f"{named} and {named}_FILE are both set: unset one of them")
    if value:
        return Found(value, in_environment=True)
    if file:
        return Found(read_secret(f"{named}_FILE", Path(file)), in_environment=True, is_from_file=True)
    if file := kept.get(f"{name}_file"):
        key = f"{name.replace('_', '-')}-file"
        return Found(read_secret(f"{SETTINGS_FILE}: {key}", Path(file)), in_environment=False, is_from_file=True)
    return Found(kept[name], in_environment=False) if name in kept else None


def find_settings_file(app: Path, named: Path | None) -> SettingsFile | None:
    """Read the settings file that is named, or the one in the application folder, if there is one.

    Raises:
        ConfigurationError: It can't be read, or has faults.
    """
    path = named or app / SETTINGS_FILE
    return read_settings_file(path) if named or path.is_file() else None


def find_registry(app: Path, named: Path | None = None, config: Path | None = None) -> Path:
    """Return where the registry file of an application is: as `wwspec serve` in its folder finds it.

    Args:
        app: The application folder.
        named: The file that an option, a variable or a caller names.
        config: The settings file; None means the one in the folder, if there is one.

    Raises:
        ConfigurationError: The settings file can't be read, or has faults.
    """
    if named is None and (file := find_settings_file(app, config)) is not None:
        named = file.registry
    return registry_path(app, named)


def own_settings_path(file: SettingsFile | None) -> Path | None:
    """Return the file whose table `[app]` has the application's own settings, if there is one."""
    if named := os.environ.get(APP_CONFIG):
        return Path(named)
    return None if file is None else file.path


def read_settings() -> tuple[Settings, Collection[str]]:
    """Return the settings that `wwspec serve` without options would have, and the names of those that are set.

    Raises:
        ConfigurationError: A value is not allowed, or a file can't be read.
    """
    app = _path("app", Path.is_file, "is a file: name the folder of the application") or Path.cwd()
    file = find_settings_file(app, _path("config", Path.is_dir, "is a folder: name the settings file"))
    kept = {} if file is None else file.defaults("serve")
    registry = _path("registry", Path.is_dir, "is a folder: name the registry file")
    if registry is None and file is not None:
        registry = file.registry
    found = {name: each for name, setting in settings().items() if (each := find(setting, kept)) is not None}
    values = {name: each.value for name, each in found.items()}
    return Settings(app=app, registry=registry, config=own_settings_path(file), **values), found.keys()


def _path(name: str, is_wrong: Callable[[Path], bool], fault: str) -> Path | None:
    named = os.environ.get(variable(name))
    if not named:
        return None
    path = Path(named).resolve()
    if is_wrong(path):
        raise ConfigurationError(f"{variable(name)}: {path} {fault}")
    return path

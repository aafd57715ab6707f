"""How the application's own settings are given to a program that is started here."""

import json
from collections.abc import Mapping
from pathlib import Path

from wwspec_router import Secret
from wwspec_router.config import APP_CONFIG, APP_PREFIX, SETTINGS_FILE


def settings_file(app: Path) -> Path | None:
    """Return the settings file of an application folder, if it has one."""
    file = app / SETTINGS_FILE
    return file if file.is_file() else None


def file_variable(file: Path | None) -> dict[str, str]:
    """Return the variable that names a settings file to a `wwspec serve` that reads only its table `[app]`."""
    return {} if file is None else {APP_CONFIG: str(file)}


def app_variables(settings: Mapping[str, object]) -> dict[str, str]:
    """Return environment variables that give these settings; none of their secrets comes from a file then.

    Args:
        settings: Values by the names of the fields.
    """
    variables = {}
    for name, value in settings.items():
        text = value.reveal() if isinstance(value, Secret) else value
        variable = APP_PREFIX + name.upper()
        variables[variable] = text if isinstance(text, str) else json.dumps(text)
        variables[f"{variable}_FILE"] = ""
    return variables

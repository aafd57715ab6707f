"""`.env` of an application folder: environment variables for its development.

`wwspec dev`, `check`, `doctor` and `call` read it. `wwspec serve` and the zones of tests do not: what they do must not
depend on a file that no repository and no image has.
"""

import os
import re
from pathlib import Path

import click

from wwspec_contracts.errors import ConfigurationError

ENV_FILE = ".env"

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file; none when there is no such file.

    A line is `KEY=VALUE`, with or without `export` before it and quotes around the value, or a comment that begins
    with `#`. Nothing in a value is replaced.

    Raises:
        ConfigurationError: The file can't be read, or a line is none of these; the text has its number, not the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not text in UTF-8") from None
    variables = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _LINE.fullmatch(stripped)
        if found is None or "\0" in stripped:
            raise ConfigurationError(f"{path}:{number}: is no KEY=VALUE: write one, or begin the line with #")
        key, value = found.groups()
        variables[key] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
    return variables


def env_variables(app: Path) -> dict[str, str]:
    """Return the variables of an application folder's `.env` that the environment does not have.

    Raises:
        ConfigurationError: As for `read_env_file`.
    """
    return {key: value for key, value in read_env_file(app / ENV_FILE).items() if key not in os.environ}


def take_env_file(ctx: click.Context, app: Path) -> None:
    """Let a verb have these variables, and its options their values; before those are read.

    Raises:
        ConfigurationError: As for `read_env_file`.
    """
    if not ctx.resilient_parsing:
        ctx.meta[ENV_FILE] = taken = env_variables(app)
        os.environ.update(taken)


def without_env_file(ctx: click.Context) -> dict[str, str]:
    """Return the environment as it was before the verb took `.env`."""
    return {key: value for key, value in os.environ.items() if key not in ctx.meta.get(ENV_FILE, ())}

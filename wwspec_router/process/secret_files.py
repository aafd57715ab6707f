"""Reads files that hold a secret."""

from pathlib import Path

from wwspec_contracts.errors import ConfigurationError

LONGEST_SECRET = 65_536
"""The most characters that are read."""


def read_secret(source: str, path: Path) -> str:
    """Return the line that a file holds.

    Args:
        source: The option, variable or key that names the file.
        path: The file.

    Raises:
        ConfigurationError: There is no such line. The text names source and path, and nothing from the file.
    """
    try:
        with path.open(encoding="utf-8") as file:
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

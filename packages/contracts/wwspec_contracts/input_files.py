"""Reads files that people name: regular files of a bounded size, so that no device and no pipe holds a verb up."""

import os
import stat
from pathlib import Path

from wwspec_contracts.errors import ConfigurationError

MOST_BYTES = 4 << 20
"""Bytes that a registry file, a settings file, or a file of JSON has at most."""


def read_file(path: Path, if_missing: str = "", kind: str = "file") -> bytes:
    """Return what a file holds.

    Args:
        path: The file.
        if_missing: What to do when there is no such file, such as `name it with --registry`.
        kind: What it should be, such as `TOML file`.

    Raises:
        ConfigurationError: It is no regular file, too large, or can't be read; one line that names it.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigurationError(f"{path}: is a folder; name a {kind}")
        if not stat.S_ISREG(mode) and str(path) != os.devnull:  # which stands for no settings at all
            raise ConfigurationError(f"{path}: is a device or a pipe; name a {kind}")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file{f'; {if_missing}' if if_missing else ''}") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{str(path)!r}: no file has such a name: take the NUL out") from None
    if len(content) > MOST_BYTES:
        raise ConfigurationError(f"{path}: has more than {MOST_BYTES >> 20} MiB; name a {kind}")
    return content

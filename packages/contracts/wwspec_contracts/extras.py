"""The extras of the package: the modules that each installs, and the check that they are there."""

from collections.abc import Mapping
from importlib.util import find_spec

from wwspec_contracts.errors import ExtraMissingError

MODULES: Mapping[str, tuple[str, ...]] = {
    "client": ("Crypto", "httpx"),
    "emulator": ("Crypto", "h11", "httpx", "pathspec", "python_multipart", "sse_starlette", "watchfiles"),
    "metrics": ("Crypto", "httpx", "prometheus_client"),
    "proxy": ("trustme",),
    "redis": ("hiredis", "redis"),
    "sql": ("Crypto", "httpx", "sqlalchemy"),
    "telemetry": ("Crypto", "httpx", "opentelemetry"),
    "testing": ("Crypto", "h11", "httpx", "hypothesis", "pytest", "python_multipart", "sse_starlette"),
    "zone": ("Crypto",),
}
"""Extra -> the modules that it installs. The extra `dev` is made of others."""


def require(extra: str, user: str, *, unused: tuple[str, ...] = ()) -> None:
    """Check that the modules of an extra are installed, without importing them.

    Args:
        extra: Its name in pyproject.toml.
        user: What needs it, for the error.
        unused: Modules of the extra that this user works without.

    Raises:
        ExtraMissingError: A module is missing; the text has the command that installs it.
    """
    missing = [name for name in MODULES[extra] if name not in unused and find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"{user} needs the extra {extra} ({', '.join(missing)} not found): pip install 'wwspec-router[{extra}]'"
        )

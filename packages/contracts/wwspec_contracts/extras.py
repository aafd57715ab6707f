"""The extras of the packages: the modules that each installs, and the check that they are there."""

from collections.abc import Mapping
from importlib.util import find_spec

from wwspec_contracts.errors import ExtraMissingError

MODULES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "wwspec-router": {"redis": ("hiredis", "redis"), "zone": ("Crypto",)},
    "wwspec-client": {"sql": ("sqlalchemy",), "telemetry": ("opentelemetry",)},
    "wwspec-devtools": {"metrics": ("prometheus_client",), "proxy": ("trustme",), "testing": ("hypothesis", "pytest")},
}
"""By package and extra, the modules that it installs. The extra `dev` of wwspec-devtools is made of others."""


def require(extra: str, user: str, *, unused: tuple[str, ...] = ()) -> None:
    """Check that the modules of an extra are installed, without importing them.

    Args:
        extra: Its name in pyproject.toml.
        user: What needs it, for the error.
        unused: Modules of the extra that this user works without.

    Raises:
        ExtraMissingError: A module is missing; the text has the command that installs it.
    """
    package = next(package for package, extras in MODULES.items() if extra in extras)
    missing = [name for name in MODULES[package][extra] if name not in unused and find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"{user} needs the extra {extra} ({', '.join(missing)} not found): pip install '{package}[{extra}]'"
        )

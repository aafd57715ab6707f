"""Checks of what an app gives to the classes of the client, so that a wrong argument is named where it is given."""

from wwspec_contracts.errors import ConfigurationError


def check_has(method: str, given: object, what: str) -> None:
    """Check that an argument has a method, and is no class.

    Args:
        method: One that only the right objects have.
        given: The argument.
        what: Its name and what it is, for the error.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(given, type):
        raise ConfigurationError(f"{what}, not the class {given.__name__}")
    if not callable(getattr(given, method, None)):
        raise ConfigurationError(f"{what}, not {type(given).__name__}")


def check_client(given: object, kind: type) -> None:
    """Check that clients are of the right kind, or come from a function.

    Args:
        given: The argument.
        kind: `ZoneClient` or `AsyncZoneClient`.

    Raises:
        ConfigurationError: It is another object, such as the client for the other driver.
    """
    if not isinstance(given, kind) and (hasattr(given, "_core") or not callable(given)):
        raise ConfigurationError(
            f"the client is a {kind.__name__}, or a function that returns one, such as client_of or corp of a suite; "
            f"not {type(given).__name__}"
        )


Timeout = float | tuple[float, float]
"""Seconds to connect, and between two parts of an answer: one number for both, or one for each."""


def both(timeout: Timeout) -> tuple[float, float]:
    """Return the seconds to connect, and those between two parts of an answer."""
    return timeout if isinstance(timeout, tuple) else (timeout, timeout)


def check_timeout(timeout: object) -> None:
    """Raise ConfigurationError for a `Timeout` that is no number above 0, or no two of them."""
    for seconds in timeout if isinstance(timeout, tuple) and len(timeout) == 2 else (timeout,):
        check_seconds("timeout", seconds)


def check_seconds(name: str, seconds: object) -> None:
    """Check a time.

    Args:
        name: Of the argument.
        seconds: The argument.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    if not isinstance(seconds, int | float) or not seconds > 0:
        raise ConfigurationError(f"{name} is more than 0 seconds, not {seconds!r}")

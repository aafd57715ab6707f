"""Makes sure that ports of this machine are free, before a verb starts something there."""

import errno
from collections.abc import Mapping

from wwspec_contracts.errors import ConfigurationError
from wwspec_router.cli.ports import occupant, refusal

HIGHEST = 65_535


def require_free_ports(ports: Mapping[str, int]) -> None:
    """Make sure that nothing listens on some ports.

    Args:
        ports: The ports, by the options that choose them.

    Raises:
        ConfigurationError: Something does. A line for each port names the process and the fix.
    """
    if len(set(ports.values())) < len(ports):
        raise ConfigurationError(f"{' and '.join(ports)} are the same port: give each its own")
    taken = {option: port for option, port in ports.items() if not _is_free(port)}
    if not taken:
        return
    used = set(ports.values())
    raise ConfigurationError(
        "\n".join(
            f"port {port} is taken, so nothing was started: {occupant(port)[1]}; "
            f"end it, or choose another port, such as {option} {_next_free(port, used)}"
            for option, port in taken.items()
        )
    )


def _is_free(port: int) -> bool:
    error = refusal(port)
    return error is None or error.errno != errno.EADDRINUSE  # a forbidden port: the verb reports that when it opens it


def _next_free(port: int, but: set[int]) -> int:
    """Return a port near another one that nothing listens on at this moment."""
    return next((each for each in range(port + 1, HIGHEST) if each not in but and _is_free(each)), HIGHEST)

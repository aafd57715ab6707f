"""Which ability ID calls an SDK API: what the application's registry file says."""

from pathlib import Path

from wwspec_contracts.errors import ConfigurationError, RegistryError
from wwspec_router.registry.file import parse_registry


def ability_id_of(api: str, registry: Path) -> str:
    """Return the ability ID that calls an SDK API: its name behind the prefix of `[passthrough]`, or its own row.

    Args:
        api: The API's name.
        registry: The registry file of the application.

    Raises:
        ConfigurationError: No ability calls the API, or several do.
    """
    read, faults = parse_registry(registry)
    if faults:
        raise RegistryError(faults)
    passthrough = read.passthrough
    if passthrough is not None and (passthrough.apis == "*" or api in passthrough.apis):
        return f"{passthrough.prefix}{api}"
    rows = [ability_id for ability_id, row in read.abilities.items() if row.api == api]
    if len(rows) == 1:
        return rows[0]
    found = f"{', '.join(rows)} all call" if rows else "no ability calls"
    raise ConfigurationError(
        f"{registry}: {found} SDK API {api}: name the ability, as in call(ABILITY, request, reply=Response)"
    )

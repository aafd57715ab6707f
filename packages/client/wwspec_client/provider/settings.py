"""What the provider console says of a suite and its program."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Self

from wwspec_client.core import BASE_URL
from wwspec_contracts.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """What the provider console says of a suite, its two callback URLs and its program."""

    suite_id: str
    """The suite's ID; of a custom-developed app, the ID of its template."""
    suite_secret: str = field(repr=False)
    """The suite's secret."""
    provider_corpid: str
    """The provider's corpid, for which WeCom verifies callback URLs."""
    command_token: str = field(repr=False)
    """The Token of the command callback URL."""
    command_encoding_aes_key: str = field(repr=False)
    """Its EncodingAESKey."""
    program_id: str
    """The program to call."""
    callback_token: str = field(repr=False)
    """The Token of the data callback URL."""
    encoding_aes_key: str = field(repr=False)
    """Its EncodingAESKey."""
    base_url: str = BASE_URL
    """WeCom's URL, or that of an emulator."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return what environment variables say: `WWSPEC_SUITE_ID` has `suite_id`, and so on.

        Args:
            environment: The variables.

        Raises:
            ConfigurationError: Variables are missing or empty; the text names all of them.
        """
        names = {each.name: f"WWSPEC_{each.name.upper()}" for each in fields(cls)}
        given = {name: value for name, variable in names.items() if (value := environment.get(variable))}
        needed = (each.name for each in fields(cls) if each.default is MISSING)
        if missing := [names[name] for name in needed if name not in given]:
            raise ConfigurationError(f"the environment lacks {', '.join(missing)}")
        return cls(**given)

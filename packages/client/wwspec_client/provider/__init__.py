"""A provider's whole app in one object: suite, archiver, receiver, stores and private keys. Needs the extra `sql`."""

from wwspec_contracts.extras import require

require("sql", "wwspec_client.provider")

from wwspec_client.provider.asynchronous import AsyncProviderApp  # noqa: E402 - after the check of the extra
from wwspec_client.provider.base import ProviderOptions  # noqa: E402
from wwspec_client.provider.blocking import ProviderApp  # noqa: E402
from wwspec_client.provider.settings import SuiteSettings  # noqa: E402

__all__ = ["AsyncProviderApp", "ProviderApp", "ProviderOptions", "SuiteSettings"]

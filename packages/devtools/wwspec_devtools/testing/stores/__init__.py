"""Tests that a store of an app's own must pass, as pytest classes: derive from one and give its fixture.

Stores may be plain or `async def`; the suites are the same for both. They need the extra `testing`.

Examples:
    A file of tests for a store of pending rows:

    >>> import pytest
    >>> from wwspec_client.stores import MemoryPendingStore
    >>> from wwspec_devtools.testing.stores import PendingStoreSuite
    >>> class TestMyStore(PendingStoreSuite):
    ...     @pytest.fixture
    ...     def open_store(self):
    ...         return MemoryPendingStore
"""

from wwspec_contracts.extras import require

require("testing", "wwspec_devtools.testing.stores")

import pytest  # noqa: E402 - after the check of the extra

_MODULES = ("cursors", "installations", "pending", "tokens")
pytest.register_assert_rewrite(*(f"{__name__}.{each}" for each in _MODULES))

from wwspec_devtools.testing.stores.cursors import CursorStoreSuite  # noqa: E402 - after the rewriting of asserts
from wwspec_devtools.testing.stores.installations import InstallationStoreSuite  # noqa: E402
from wwspec_devtools.testing.stores.pending import PendingStoreSuite, SharedPendingStoreSuite  # noqa: E402
from wwspec_devtools.testing.stores.tokens import TokenStoreSuite  # noqa: E402

__all__ = [
    "CursorStoreSuite",
    "InstallationStoreSuite",
    "PendingStoreSuite",
    "SharedPendingStoreSuite",
    "TokenStoreSuite",
]

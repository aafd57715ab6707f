"""The reference application's kernel, and stores in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import ROOT
from tests.support.kernel import Kernel, with_handler
from wwspec_router.contracts.codec import OutputPolicy
from wwspec_router.handlers.context import Portal
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.stores import NotifyStore, open_store


@pytest.fixture(scope="session")
def reference_table() -> AbilityTable:
    """What the repository's own application answers."""
    return build_table(ROOT, ROOT / "abilities" / "registry.toml")


@pytest.fixture
def store() -> Iterator[NotifyStore]:
    opened = open_store("memory:")
    yield opened
    opened.close()


@pytest.fixture
def kernel(reference_table: AbilityTable, store: NotifyStore) -> Kernel:
    """The reference application's kernel."""
    return Kernel(reference_table, store)


@pytest.fixture
def kernel_with(reference_table: AbilityTable, store: NotifyStore) -> Callable[..., Kernel]:
    """Return a kernel that has one more ability, answered by a function."""

    def build(
        function: Callable[..., Any],
        timeout: float | None = None,
        portal: Portal | None = None,
        policy: OutputPolicy = OutputPolicy.STRICT,
    ) -> Kernel:
        return Kernel(with_handler(reference_table, function, timeout, policy), store, portal)

    return build


@pytest.fixture
def kernel_of(store: NotifyStore, tmp_path: Path) -> Callable[..., Kernel]:
    """Return a kernel of the reference application under another registry file."""

    def build(text: str) -> Kernel:
        registry = tmp_path / "registry.toml"
        registry.write_text(text)
        return Kernel(build_table(ROOT, registry), store)

    return build

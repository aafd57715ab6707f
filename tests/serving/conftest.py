"""A zone program on a real socket: its server on a thread, and an SDK that seals nothing."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.serving.service import Service
from tests.serving.wire import Gate, Start, starting
from tests.support.apps import ROOT
from wwspec_router.registry.table import AbilityTable, build_table


@pytest.fixture(scope="session")
def table() -> AbilityTable:
    return build_table(ROOT, ROOT / "tests" / "serving" / "registry.toml")


@pytest.fixture
def start(table: AbilityTable) -> Iterator[Start]:
    with starting(table) as start:
        yield start


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start `wwspec serve` in a process of its own, as a `Service`; all of it is killed with the test."""
    with contextlib.ExitStack() as stack:

        def begin(*options: str, **more: Any) -> Service:
            service = Service(tmp_path, *options, **more)
            stack.callback(service.kill)
            return service

        yield begin


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool

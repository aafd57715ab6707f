"""The reference application's kernel, stores in memory, and how thoroughly the tests look."""

import gc
import os
import socket
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.apps import ROOT
from tests.support.forks import start_server
from tests.support.kernel import Kernel, with_handler
from tests.support.processes import UNMEASURED
from wwspec_router.cli.language import wants_chinese
from wwspec_router.codecs.codec import OutputPolicy
from wwspec_router.handlers.async_bridge import Portal
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.stores import Store, open_store

pytest_plugins = ["tests.support.skips", "tests.support.sql_servers"]
pytest.register_assert_rewrite("tests.stores.suites")

settings.register_profile("quick", max_examples=15, deadline=None)  # a busy machine is slow at times
settings.register_profile("thorough", max_examples=60, deadline=None)
settings.load_profile("quick")

if wants_chinese((), os.environ):  # of the developer; tests read what `wwspec` says in English
    os.environ.update(LC_ALL="C.UTF-8", WWSPEC_LANG="")

os.environ["WWSPEC_START_LIMIT"] = "300"  # seconds, for a machine that does ten other things

MEASURED = tuple(
    str(ROOT / name)
    for name in (
        "packages/devtools/tests/cli/test_contracts.py",
        "packages/devtools/tests/cli/test_doctor.py",
        "packages/devtools/tests/cli/test_verbs.py",
        "packages/devtools/tests/image/",
        "packages/devtools/tests/console_contracts/test_app_module.py",
        "packages/devtools/tests/scaffold/",
    )
)
"""Tests whose processes run much code that no other test runs: to measure a process takes it a tenth of a second."""


GC_THRESHOLD = 10_000
"""New objects after which the collector checks the young ones; Python's own number, 700, takes a tenth of the time."""

DEFAULT_PORTS = (8080, 8090)
"""Of a program and an emulator. A developer's own are there while tests run, so no test may use them."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the default ports taken for the whole run under CI, so that a test which uses one fails."""
    for port in DEFAULT_PORTS if os.environ.get("CI") == "true" else ():
        with suppress(OSError):  # they are taken already, as by the pytest that has started this one
            config.add_cleanup(socket.create_server(("127.0.0.1", port)).close)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test of scripts/nightly count as slow, so that `-m "not slow"` leaves it out everywhere."""
    if item.get_closest_marker("nightly") is not None:
        item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector off thousands of tests: while they are collected, and when tests collect garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Let the processes that run the tests share the one that verbs are forked from; see side_by_side.py."""
    if session.config.getoption("processes", 0) and not session.config.option.collectonly:
        start_server()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let only the processes that these tests start measure their coverage."""
    with pytest.MonkeyPatch.context() as patch:
        if not str(item.path).startswith(MEASURED):
            for name, value in UNMEASURED.items():
                patch.setenv(name, value)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Show what a command said that failed: its exception has no more than its exit code."""
    report = yield
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, subprocess.CalledProcessError) and (said := error.stderr or error.stdout):
        text = said if isinstance(said, str) else said.decode(errors="replace")
        report.sections.append(("What the command said", text))
    return report


@pytest.fixture(scope="session", autouse=True)
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the reference program, also where it is in no zone, keep its files in a folder of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WWSPEC_VAR", str(tmp_path_factory.mktemp("var")))
        yield


@pytest.fixture(scope="session")
def reference_table() -> AbilityTable:
    """What the repository's own application answers."""
    return build_table(ROOT, ROOT / "abilities" / "registry.toml")


@pytest.fixture
def store() -> Iterator[Store]:
    """A store that ends with the test."""
    opened = open_store("memory:")
    yield opened
    opened.close()


@pytest.fixture
def kernel(reference_table: AbilityTable, store: Store) -> Kernel:
    """The reference application's kernel."""
    return Kernel(reference_table, store)


@pytest.fixture
def kernel_with(reference_table: AbilityTable, store: Store) -> Callable[..., Kernel]:
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
def kernel_of(store: Store, tmp_path: Path) -> Callable[..., Kernel]:
    """Return a kernel of the reference application under another registry file."""

    def build(text: str) -> Kernel:
        registry = tmp_path / "registry.toml"
        registry.write_text(text)
        return Kernel(build_table(ROOT, registry), store)

    return build

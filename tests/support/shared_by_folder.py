"""What tests of one folder share that follow each other in a process, such as a browser: for the conftest.py there."""

from collections.abc import Generator
from typing import Protocol, TypeVar

import pytest


class Closable(Protocol):
    """It can be ended."""

    def close(self) -> None:
        """End all that was started."""


T = TypeVar("T", bound=Closable)
_KEPT = pytest.StashKey[dict[type[Closable], Closable]]()


def shared_by_folder(config: pytest.Config, kind: type[T]) -> T:
    kept = config.stash.setdefault(_KEPT, {})
    if kind not in kept:
        kept[kind] = kind()
    one = kept[kind]
    assert isinstance(one, kind)
    return one


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """End what is shared after the last of these tests."""
    try:
        return (yield)
    finally:
        kept = item.config.stash.get(_KEPT, {})
        while kept and (nextitem is None or nextitem.path.parent != item.path.parent):
            kept.popitem()[1].close()

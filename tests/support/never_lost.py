"""A hook for the conftest.py of a folder whose tests are marked `never_lost`."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.never_lost)

"""Notifications of an app: none is lost."""

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected

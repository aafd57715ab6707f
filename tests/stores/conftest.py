"""Stores: what they keep is never lost."""

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected

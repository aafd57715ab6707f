"""What must never be lost, while it is killed."""

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected

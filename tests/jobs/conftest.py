"""Jobs and events: what is accepted is never lost."""

from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected

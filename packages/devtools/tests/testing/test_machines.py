"""A zone within one process is one machine."""

import pytest

from tests.support.apps import ROOT
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


def test_several_machines_within_one_process_are_refused_with_the_way_to_get_them() -> None:
    with pytest.raises(
        ConfigurationError, match=r"one process is one machine: several need Zone.serve\(app, machines=3"
    ):
        Zone.in_process(ROOT, machines=3)

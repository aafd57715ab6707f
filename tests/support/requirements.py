"""What a test needs of the machine: it is skipped where that is missing, and fails under CI."""

import os

import pytest


def require(found: bool, what: str) -> None:
    """Skip the test when `what` was not found; under CI let it fail."""
    if found:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing; .ci/run has to install it")
    pytest.skip(f"{what} is missing")

import threading

import pytest

from tests.support.waiting import DEADLINE
from wwspec_contracts.errors import StoreError
from wwspec_router.stores.sqlite.removal import Housekeeping


class Failing:
    """Something to look after that fails the first time."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = error
        self.worked = threading.Event()

    def work(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        self.worked.set()


@pytest.mark.parametrize(("error", "is_logged"), [(ValueError("a secret"), True), (StoreError("known"), False)])
def test_a_failure_is_followed_by_another_try(
    error: Exception, is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Failing(error)
    housekeeping = Housekeeping(failing.work)
    assert failing.worked.wait(DEADLINE)
    housekeeping.close()
    housekeeping.close()
    assert ("housekeeping of the store failed: ValueError" in caplog.text) is is_logged
    assert "secret" not in caplog.text

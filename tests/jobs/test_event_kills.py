"""kill -9 at each write between an event, its job, its code, what that reads and keeps, and its notifications."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.event_kills import OF_ALL, OF_ONE, PAGE, ROWS
from tests.support.apps import ROOT
from tests.support.redis_server import local_redis

LIMIT = 600


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path)
    else:
        with local_redis(tmp_path) as server:
            yield server.url


@pytest.mark.slow  # 40 moments or so: after each kill, leases must be over
@pytest.mark.parametrize("tried", ROWS)
def test_a_kill_at_any_write_skips_no_message_and_repeats_nothing_that_has_ended(
    place: str, tmp_path: Path, tried: str
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    command = [sys.executable, "-m", "tests.jobs.event_kills", place, str(notes), tried]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["broken"] == []
    assert set(found["killed"]) == {*OF_ALL, *OF_ONE[tried]}
    if "://" not in place:
        del found["killed"]["begin"]  # a claim of SQLite does it
    assert all(kills >= 2 for kills in found["killed"].values()), "before each write, and after it"
    assert found["killed"][PAGE] >= 6, "of three pages"

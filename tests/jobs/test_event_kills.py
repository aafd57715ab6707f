"""kill -9 at each write between an event, its job, its handler and its notifications."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import ROOT
from tests.support.redis_server import local_redis

LIMIT = 120


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path)
    else:
        with local_redis(tmp_path) as server:
            yield server.url


@pytest.mark.slow  # 20 moments or so: after each kill, a lease must be over
@pytest.mark.parametrize("notify", ["now", "after", "never"])
def test_the_code_of_an_accepted_event_ends_at_least_once_whenever_its_process_dies(
    place: str, tmp_path: Path, notify: str
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    command = [sys.executable, "-m", "tests.jobs.event_kills", place, str(notes), notify]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["broken"] == []
    assert found["moments"] >= 14, "before and after each of seven writes at least"
    assert found["accepted"] >= found["moments"] // 2
    assert found["ended"] >= found["accepted"]

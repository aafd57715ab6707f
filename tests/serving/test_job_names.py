"""Jobs whose abilities a program lacks: its log names them at the start."""

import asyncio
import logging
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.suites.event_jobs import event_job
from tests.stores.suites.job_samples import job
from tests.stores.suites.notifications import notification
from tests.support.apps import ROOT, write_files
from wwspec_router.config import SdkSource, Settings
from wwspec_router.serving.program import create_program
from wwspec_router.stores import open_store
from wwspec_router.stores.job import Job

LINE = "jobs wait whose abilities the registry file lacks: "


def warnings(folder: Path, caplog: pytest.LogCaptureFixture, *jobs: Job) -> list[str]:
    """Start and stop a program with the ability `known`, and these jobs in its store; return what it logs of them."""
    write_files(folder, {"registry.toml": "[abilities.known]\napi='sync_msg'"})
    store = f"sqlite:{folder / 'jobs.db'}"
    with closing(open_store(store)) as opened:
        for each in jobs:
            opened.add(each)
    registry = folder / "registry.toml"
    settings = Settings(app=ROOT, registry=registry, store=store, sdk=SdkSource.EMULATOR, job_threads=0)

    async def start_and_stop() -> None:
        program = create_program(settings, is_alone=True)
        await program.start()
        await program.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(start_and_stop())
    return [each.getMessage() for each in caplog.records if each.getMessage().startswith(LINE)]


def test_the_start_names_the_abilities_that_jobs_lack(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = [job(str(number), ability_id="old report\n") for number in range(3)]
    (line,) = warnings(tmp_path, caplog, job("known", ability_id="known"), event_job("event"), *old)
    assert line == (
        f"{LINE}1 of event:hit_keyword, 3 of old report\\n; they run when a program on this store has the rows again, "
        "an older instance too; else remove them: `wwspec job list`, `wwspec job drop ID`"
    )


def test_a_start_with_no_such_jobs_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(tmp_path, caplog, job("known", ability_id="known"), notification("told")) == []

"""An app that is away for half an hour fetches what it was told meanwhile, however long a notify_id is valid."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.jobs.test_notifications import announce
from tests.kernel.test_notifications import Digest
from tests.stores.suites.rig import ManualClock
from tests.support.emulator import Emulator, free_socket, url_of
from tests.support.events import NOTIFY, running, with_kind
from tests.support.kernel import app_call, with_handler
from tests.support.sdk import MemorySdk
from tests.support.waiting import wait_until
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import open_store

START = 1_700_000_000


@pytest.fixture(params=[True, False], ids=["renewed", "not renewed"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Start an emulator of either kind of platform: WeCom does not say what a further notification does."""
    with ExitStack() as stack, free_socket() as closed:
        settings = EmulatorSettings(
            port=0, program_url=url_of(closed), clock_start=START, renew_notify_ids=request.param
        )
        yield Emulator(settings, stack)


def test_an_app_that_was_away_can_fetch_under_the_latest_notify_id(
    emulator: Emulator, reference_table: AbilityTable
) -> None:
    clock = ManualClock()
    settings = emulator.settings
    table = with_kind(with_handler(reference_table, announce), "digest", Digest)
    sdk = MemorySdk({NOTIFY: lambda request: json.dumps(emulator.sdk(NOTIFY, json.loads(request)))})
    with closing(open_store("memory:", clock=clock)) as store, running(table, store, sdk) as program:
        program.dispatcher.dispatch(app_call("announce", corpid=settings.corpid, agentid=settings.agentid))

        def latest_after(repeats: int) -> str:
            wait_until(lambda: len(emulator.notifications()) == 1 + repeats and program.jobs.running == 0)
            return str(emulator.notifications()[-1]["notify_id"])

        for repeat, pause in enumerate([10, 20, 40, 80, 160, 320, 600, 600], 1):
            emulator.advance(pause)
            clock.advance(pause)
            errcode = emulator.call_program(notify_id=latest_after(repeat))["errcode"]
            assert errcode != 710646, "WeCom knows it"
        latest = emulator.notifications()[-1]["notify_id"]
        text = store.fetch(settings.corpid, settings.agentid, latest, 1200.0)
        assert json.loads(text or "{}")["digest"] == {"messages": 3}
        assert store.job_figures().unfetched == 0

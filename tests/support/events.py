"""Programs that run own code on events, without a platform: a function of the test is the code."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from tests.support.kernel import reference_table
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.base import Contract
from wwspec_contracts.call_type import CallType
from wwspec_contracts.events import hit_keyword
from wwspec_router.codecs.codec import OutputCodec, OutputPolicy
from wwspec_router.envelope import Call
from wwspec_router.handlers.events import read_event_handler
from wwspec_router.jobs.runner import Jobs
from wwspec_router.kernel.claim_renewal import LEASE
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.monitoring.figures import Figures
from wwspec_router.registry.events import EventTarget, NotificationKind
from wwspec_router.registry.file import EventRow
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores.base import Store

HIT = '{"event_type":"hit_keyword","timestamp":5,"hit_keyword":{"token":"t"}}'
NOTIFY = "spec_notify_app"
ACCEPTED = {"errcode": 0, "errmsg": "ok"}
PAUSE = 0.01
"""Seconds before a handler runs again, so short that a test can wait for it."""
BRIEF = 3.0
"""A lease, in seconds: a process looks for jobs that are due thirty times in it."""


class Archived(Contract):
    messages: int


def no_code(event: hit_keyword.Event) -> None:
    """Do nothing."""


def with_event(
    table: AbilityTable, function: Callable[..., Any], event_type: str = "hit_keyword", **row: Any
) -> AbilityTable:
    """Return a table in which a function runs on events of one type."""
    handler = read_event_handler(function)
    made = EventRow(handler="the test", **row)
    target = EventTarget(
        event_type=event_type,
        row=made,
        handler=handler,
        input=OutputCodec(table.events[event_type].event, OutputPolicy.PRUNE),
        output=None if handler.response is None else OutputCodec(handler.response),
        timeout=made.timeout,
        place="the test",
    )
    return replace(table, event_targets={**table.event_targets, event_type: target})


def with_code(function: Callable[..., Any], event_type: str = "hit_keyword", **row: Any) -> AbilityTable:
    """Return the reference program's table, in which a function runs on events of one type."""
    return with_event(reference_table(), function, event_type, **row)


def with_kind(table: AbilityTable, name: str, contract: type[Contract]) -> AbilityTable:
    return replace(table, kinds={**table.kinds, contract: NotificationKind(name=name, output=OutputCodec(contract))})


class EventProgram:
    """The part of a program that takes events and runs code on them."""

    def __init__(
        self,
        table: AbilityTable,
        store: Any,
        sdk: MemorySdk | None = None,
        threads: int = 2,
        *,
        lease: float = BRIEF,
        once_lease: float = LEASE,
        hang_after: float = 60.0,
        **options: Any,
    ) -> None:
        wake = threading.Event()
        self.sdk = sdk or MemorySdk()
        self.store: Store = store
        self.figures = Figures(table.abilities)
        self.dispatcher = Dispatcher(table, self.sdk, store, jobs=JobIntake(store, wake.set), once_lease=once_lease)
        self.jobs = Jobs(
            store,
            self.sdk,
            self.dispatcher,
            self.figures,
            wake,
            threads,
            hang_after,
            lease,
            abilities=table.job_names,
            limits=table.job_limits,
            **{"retry_pause": PAUSE, **options},
        )

    def event(self, data: str = HIT, **more: Any) -> Any:
        call = Call(corpid="corp", agentid=7, call_type=CallType.EVENT, data=data)
        return json.loads(self.dispatcher.dispatch(replace(call, **more)).text)

    @property
    def notified(self) -> list[str]:
        return [request["notify_id"] for api, request in self.sdk.requests if api == NOTIFY]

    def stored(self, notify_id: str) -> Any:
        text = self.store.fetch("corp", 7, notify_id, 1200.0)
        return None if text is None else json.loads(text)

    def wait_done(self) -> None:
        wait_until(lambda: (figures := self.store.job_figures()).waiting + figures.claimed == 0)


@contextmanager
def running(table: AbilityTable, store: Any, sdk: MemorySdk | None = None, **options: Any) -> Iterator[EventProgram]:
    program = EventProgram(table, store, sdk, **options)
    program.jobs.start()
    try:
        yield program
    finally:
        assert program.jobs.stop(DEADLINE) == 0


def handled(
    table: AbilityTable, store: Any, sdk: MemorySdk | None = None, data: str = HIT, **options: Any
) -> EventProgram:
    """Run a program until it has handled an event, and return it."""
    with running(table, store, sdk, **options) as program:
        assert program.event(data) == ACCEPTED
        program.wait_done()
    return program

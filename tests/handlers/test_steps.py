"""`ctx.step`, and tasks of `ctx.finish`: parts of a job that a later attempt does not do again."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.handlers.contracts import Ask, Said
from tests.support.events import running, with_code
from tests.support.jobs import Platform, Wrapped, all_reported, fails, working
from tests.support.kernel import app_call, reference_table, with_handler
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from wwspec_contracts import create_summary_task
from wwspec_contracts.errors import CallError, KeptValueError, StoreError
from wwspec_contracts.events import hit_keyword
from wwspec_contracts.tasks import EncryptInfo, MessageKey
from wwspec_router import AsyncEventContext, Context, Contract, EventContext, ability
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.monitoring.figures import EventCounts
from wwspec_router.stores import Store

Act = Callable[[EventContext], Any]


class Invoice(Contract):
    number: int


class Work:
    """What is done outside of the program, and counted."""

    def __init__(self) -> None:
        self.done = 0

    def open_invoice(self) -> Invoice:
        self.done += 1
        return Invoice(number=self.done)

    async def open_invoice_later(self) -> Invoice:
        return self.open_invoice()

    def open_by_text(self):  # type: ignore[no-untyped-def]
        self.done += 1
        return {"number": self.done}


def run_event(store: Any, act: Act, sdk: Any = None, retries: int = 3) -> EventCounts:
    def handler(event: hit_keyword.Event, ctx: EventContext) -> None:
        act(ctx)

    with running(with_code(handler, retries=retries), store, sdk) as program:
        program.event()
        wait_until(lambda: program.figures.snapshot().events.ended == 1)
        return program.figures.snapshot().events


def test_a_step_that_fails_is_done_again(store: Store) -> None:
    work = Work()

    def fail_once() -> Invoice:
        invoice = work.open_invoice()
        if invoice.number == 1:
            raise ValueError
        return invoice

    assert run_event(store, lambda ctx: ctx.step("invoice", fail_once)).failed == 0
    assert work.done == 2


def test_a_step_whose_result_could_not_be_kept_is_done_again(store: Store) -> None:
    work, errors = Work(), []

    def act(ctx: EventContext) -> None:
        try:
            ctx.step("invoice", work.open_invoice)
        except CallError as error:
            errors.append(str(error))
            raise

    run_event(Wrapped(store, "keep_step", fails(StoreError("full"))), act)
    assert errors == ["the result of a step could not be stored"]
    assert work.done == 2


def test_a_job_whose_process_died_after_a_step_does_not_do_it_again(store: Store) -> None:
    work, seen = Work(), []

    @ability
    def act(request: Ask, ctx: Context) -> Said:
        seen.append((ctx.attempt, ctx.step("invoice", work.open_invoice)))
        return Said()

    sdk = Platform()
    JobIntake(store, lambda: None).accept(app_call("act", is_async=True, job_info="j"))
    [job] = store.claim("a process that died", 1, 0.01)
    assert store.begin("a process that died", job.job_id)
    assert store.keep_step("a process that died", job.job_id, "step:invoice", '{"number":9}')
    with working(store, sdk, Dispatcher(with_handler(reference_table(), act), sdk, store), lease=2.0):
        all_reported(store, sdk)
    assert seen == [(2, Invoice(number=9))]
    assert work.done == 0


def test_an_async_step_may_be_an_async_def_and_is_kept_as_well(store: Store) -> None:
    work, seen = Work(), []

    async def handler(event: hit_keyword.Event, ctx: AsyncEventContext) -> None:
        seen.append(await ctx.step("later", work.open_invoice_later))
        seen.append(await ctx.step("now", work.open_invoice))
        seen.append(await ctx.step("built", lambda: work.open_invoice_later(), type=Invoice))
        if ctx.attempt == 1:
            raise ValueError

    with running(with_code(handler), store) as program:
        program.event()
        wait_until(lambda: program.figures.snapshot().events.ended == 1)
    assert seen == [Invoice(number=1), Invoice(number=2), Invoice(number=3)] * 2


def test_the_first_attempt_gets_the_result_as_a_later_one_does(store: Store) -> None:
    work, seen = Work(), []

    def act(ctx: EventContext) -> None:
        seen.append(ctx.step("plain", work.open_by_text))
        seen.append(ctx.step("typed", work.open_by_text, type=Invoice))
        seen.append(ctx.step("partial", partial(work.open_invoice)))
        seen.append(ctx.step("nothing", lambda: None))
        if ctx.attempt == 1:
            raise ValueError

    assert run_event(store, act).failed == 0
    assert seen == [{"number": 1}, Invoice(number=2), Invoice(number=3), None] * 2


@for_each(
    [
        (lambda ctx: ctx.step("", int), ValueError, "the name of a step has 1 to 256 bytes, not 0"),
        (lambda ctx: [ctx.step("s", int) for _ in range(2)], ValueError, "step 's' runs twice in one run: give"),
        (lambda ctx: ctx.step("s", lambda: "x" * 65_535), ValueError, "the result of step 's': it has more than"),
        (lambda ctx: [ctx.step(f"s{each}", int) for each in range(101)], ValueError, "step 's100': a job has at most"),
        (lambda ctx: ctx.step("s", object), TypeError, "the result of step 's': it can't be written as JSON"),
        (lambda ctx: ctx.step("s", lambda: Invoice(number=1)), TypeError, "the result of step 's' is no plain JSON: "),
        (lambda ctx: ctx.step("s", lambda: "one", type=int), TypeError, "the result of step 's': it is not of the"),
    ]
)
def test_a_bad_step_is_refused_and_says_why(act: Act, error: type[Exception], text: str, store: Store) -> None:
    found: list[Exception] = []

    def check(ctx: EventContext) -> None:
        with pytest.raises(error) as caught:
            act(ctx)
        found.append(caught.value)

    assert run_event(store, check).failed == 0
    assert str(found[0]).startswith(text)


def test_a_result_that_does_not_fit_a_type_that_was_changed_is_a_clear_error(store: Store) -> None:
    errors: list[str] = []

    def act(ctx: EventContext) -> None:
        if ctx.attempt == 1:
            ctx.step("invoice", lambda: "one")
            raise ValueError
        with pytest.raises(KeptValueError) as caught:
            ctx.step("invoice", Work().open_invoice)
        errors.append(str(caught.value))

    assert run_event(store, act).failed == 0
    assert errors == ["the kept value 'invoice' does not fit its type: Expected `object`, got `str`"]


TASK = create_summary_task.Request(msg_list=[MessageKey(msgid="m", encrypt_info=EncryptInfo(secret_key="k"))])  # noqa: S106


class Tasks(Platform):
    def __init__(self, *results: dict[str, Any]) -> None:
        super().__init__()
        self.created = 0
        self.results = list(results)
        self.asked: list[str] = []
        self.replies["create_summary_task"] = self._create
        self.replies["get_summary_result"] = self._result

    def _create(self, request: str) -> str:
        self.created += 1
        return json.dumps({"jobid": f"task-{self.created}"})

    def _result(self, request: str) -> str:
        self.asked.append(json.loads(request)["jobid"])
        result = self.results.pop(0) if self.results else {"status": 1, "response_data": "done"}
        return json.dumps(result)


def test_a_later_attempt_asks_for_the_result_of_the_task_that_was_created(store: Store) -> None:
    platform, seen = Tasks(), []

    def act(ctx: EventContext) -> None:
        seen.append(ctx.finish(TASK).response_data)
        if ctx.attempt < 3:
            raise ValueError

    run_event(store, act, platform)
    assert seen == ["done"] * 3
    assert platform.created == 1
    assert platform.asked == ["task-1"] * 3


def test_a_task_that_failed_is_created_again_by_a_later_attempt(store: Store) -> None:
    platform = Tasks({"status": 2})
    counts = run_event(store, lambda ctx: ctx.finish(TASK), platform)
    assert counts == EventCounts(ended=1, retried=1)
    assert platform.asked == ["task-1", "task-2"]


def test_equal_requests_of_one_run_are_tasks_of_their_own(store: Store) -> None:
    platform = Tasks()

    def act(ctx: EventContext) -> None:
        ctx.finish(TASK)
        ctx.finish(TASK)
        if ctx.attempt == 1:
            raise ValueError

    run_event(store, act, platform)
    assert platform.asked == ["task-1", "task-2"] * 2


def test_a_task_that_can_not_be_kept_is_an_error(store: Store) -> None:
    """Else a later attempt would create it again."""
    platform = Tasks()
    run_event(Wrapped(store, "keep_step", fails(StoreError("full"))), lambda ctx: ctx.finish(TASK), platform)
    assert platform.asked == ["task-2"]


def test_an_asynchronous_call_continues_its_task_when_its_process_died(store: Store) -> None:
    platform = Tasks({"status": 0})

    @ability
    def act(request: Ask, ctx: Context) -> Said:
        if ctx.attempt == 1:
            ctx._wait = dying  # type: ignore[method-assign]
        return Said(said=ctx.finish(TASK).response_data)

    def dying(seconds: float) -> None:
        raise SystemExit

    kernel = Dispatcher(with_handler(reference_table(), act), platform, store)
    JobIntake(store, lambda: None).accept(app_call("act", is_async=True, job_info="j"))
    journal = Wrapped(store, "keep_outcome", fails(SystemExit()))  # the process died before
    with working(journal, platform, kernel, lease=2.0):
        [(_, report)] = all_reported(store, platform)
    assert json.loads(report["result"])["said"] == "done"
    assert platform.created == 1

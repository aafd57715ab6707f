"""`ctx.kept` in synchronous calls: what a call keeps counts when its reply does."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.handlers.contracts import Ask, Said
from tests.support.kernel import Kernel, reference_table, with_handler
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from wwspec_contracts.errors import CallError, KeptValueError
from wwspec_router import AsyncContext, Context, Contract, ability
from wwspec_router.registry.file import OnceRow
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import Store, StoreLimits, open_store
from wwspec_router.stores.kept import KeptKey, KeptWrite

pytestmark = pytest.mark.never_lost

Act = Callable[[Context], object]
ActLater = Callable[[AsyncContext], Any]


class Count(Contract):
    number: int = 0
    of: list[str] = []


class Program:
    """A program whose ability does what a test says."""

    def __init__(self, table: AbilityTable, store: Store, timeout: float | None = None, once: Any = None) -> None:
        @ability
        def act(request: Ask, ctx: Context) -> Said:
            return self.act(ctx) or Said()

        @ability
        async def act_later(request: Ask, ctx: AsyncContext) -> Said:
            return await self.act(ctx) or Said()

        for each in (act, act_later):
            table = with_handler(table, each, timeout, once=once)
        self.kernel = Kernel(table, store)
        self.act: Any = None

    def do(self, act: Act, **more: Any) -> Any:
        self.act = act
        return self.kernel.call("act", **more)

    def do_later(self, act: ActLater) -> Any:
        self.act = act
        return self.kernel.call("act_later")


@pytest.fixture
def program(store: Store) -> Program:
    return Program(reference_table(), store)


def read(program: Program, key: str = "k", **more: Any) -> Any:
    found: list[Any] = []
    assert program.do(lambda ctx: found.append(ctx.kept.get(key, object)), **more)["errcode"] == 0
    return found[0]


def test_a_later_call_reads_what_a_call_has_kept_as_its_type(program: Program) -> None:
    found: list[Any] = []
    program.do(lambda ctx: ctx.kept.set("k", Count(number=3, of=["a"])))
    program.do(lambda ctx: found.append((ctx.kept.get("k", Count), ctx.kept.get("other", Count))))
    assert found == [(Count(number=3, of=["a"]), None)]


def test_a_call_reads_its_own_changes_before_they_are_stored(program: Program, store: Store) -> None:
    found: list[Any] = []

    def act(ctx: Context) -> None:
        ctx.kept.set("k", 1)
        found.append(ctx.kept.get("k", int))
        ctx.kept.set("k", 2)
        found.append(ctx.kept.get("k", int))
        ctx.kept.delete("k")
        found.append(ctx.kept.get("k", int))
        ctx.kept.set("k", 4)
        assert read_stored(store) is None

    program.do(act)
    assert found == [1, 2, None]
    assert read(program) == 4
    program.do(lambda ctx: ctx.kept.delete("k"))
    assert read(program) is None


def test_other_corps_and_apps_have_values_of_their_own(program: Program) -> None:
    program.do(lambda ctx: ctx.kept.set("k", "corp 7"))
    program.do(lambda ctx: ctx.kept.set("k", "other 7"), corpid="other")
    program.do(lambda ctx: ctx.kept.set("k", "corp 8"), agentid=8)
    assert read(program) == "corp 7"
    assert read(program, corpid="other") == "other 7"
    assert read(program, agentid=8) == "corp 8"
    assert read(program, corpid="third") is None


def test_a_call_that_fails_keeps_nothing(store: Store) -> None:
    program = Program(reference_table(), store, timeout=0.05)
    endings: list[Act] = [
        lambda ctx: 1 / 0,
        lambda ctx: Said(errcode=7),
        lambda ctx: Said(said=3),  # type: ignore[arg-type]  # it does not fit
        lambda ctx: wait_until(lambda: ctx.remaining == 0),
    ]
    for end in endings:

        def act(ctx: Context, end: Act = end) -> object:
            ctx.kept.set("k", 1)
            return end(ctx)

        assert program.do(act)["errcode"] != 0
        assert store.forget("corp").kept == 0


def test_counts_are_added_at_the_end_of_a_call_and_lose_nothing_of_another(program: Program, store: Store) -> None:
    found: list[Any] = []

    def act(ctx: Context) -> None:
        ctx.kept.add("k", {"anna": 2, "bert": 1})
        ctx.kept.add("k", Counter("xx"), most=3)
        change(store, "k", '{"anna":5,"carl":1}')
        found.append(ctx.kept.get("k", dict[str, int]))

    assert program.do(act)["errcode"] == 0
    assert found == [{"anna": 7, "x": 2, "bert": 1}], "as it will be stored"
    assert read(program) == {"anna": 7, "x": 2, "bert": 1}


def test_counts_are_added_to_what_a_call_has_set_or_removed(program: Program, store: Store) -> None:
    change(store, "k", '{"anna":5}')
    change(store, "m", '{"anna":5}')

    def act(ctx: Context) -> None:
        ctx.kept.set("k", {"bert": 1})
        ctx.kept.delete("m")
        for key in ("k", "m"):
            ctx.kept.add(key, {"bert": 1})
        ctx.kept.add("n", {"bert": 1})
        with pytest.raises(ValueError, match="read it with get"):
            ctx.kept.set("n", {"carl": 1}, unchanged=True)
        ctx.kept.set("n", {"carl": 1})
        ctx.kept.set("o", "text")
        with pytest.raises(KeptValueError):
            ctx.kept.add("o", {"bert": 1})

    assert program.do(act)["errcode"] == 0
    assert [read(program, each) for each in "kmno"] == [{"bert": 2}, {"bert": 1}, {"carl": 1}, "text"]


def test_a_call_that_adds_to_something_else_keeps_nothing(program: Program, store: Store) -> None:
    change(store, "k", "[1]")

    def act(ctx: Context) -> None:
        ctx.kept.add("k", {"anna": 1})
        ctx.kept.set("m", 1)

    assert program.do(act)["errcode"] != 0
    assert (read(program), read(program, "m")) == ([1], None)


@pytest.mark.parametrize(
    ("counts", "more", "message"),
    [
        ({"": 1}, {}, "a name in kept value 'k' has 1 to 256 bytes, not 0"),
        ({"x" * 257: 1}, {}, "has 1 to 256 bytes"),
        ({"x": 2**53 + 1}, {}, "a count is from 0 to 2"),
        ({"x": 1}, {"most": 0}, "most is a positive number"),
        ({"x": 1}, {"expires": 0}, "expires is a positive number"),
    ],
)
def test_wrong_counts_are_refused(program: Program, counts: dict[str, int], more: dict[str, Any], message: str) -> None:
    def act(ctx: Context) -> None:
        with pytest.raises(ValueError, match=message):
            ctx.kept.add("k", counts, **more)

    assert program.do(act)["errcode"] == 0


def change(store: Store, key: str, text: str) -> None:
    store.write_kept([KeptWrite(key=KeptKey("corp", 7, "app", key), text=text, version=f"other {text}")])


@pytest.mark.parametrize("is_new", [False, True])
def test_a_value_that_changed_or_appeared_meanwhile_is_a_conflict(program: Program, store: Store, is_new: bool) -> None:
    if not is_new:
        change(store, "k", "9")

    def act(ctx: Context) -> None:
        assert ctx.kept.get("k", int) == (None if is_new else 9)
        change(store, "k", "10")
        ctx.kept.set("another", 1)
        ctx.kept.set("k", 1, unchanged=True)
        ctx.kept.set("k", 2)  # one that would not mind

    assert program.do(act)["errmsg"] == "a kept value was changed by another call meanwhile: call again"
    assert read(program) == 10
    assert read(program, "another") is None


def test_what_nobody_has_changed_is_stored_and_deleted(program: Program) -> None:
    def act(ctx: Context) -> None:
        ctx.kept.set("k", (ctx.kept.get("k", int) or 0) + 1, unchanged=True)

    program.do(act)
    program.do(act)
    assert read(program) == 2

    def remove(ctx: Context) -> None:
        ctx.kept.get("k", int)
        ctx.kept.delete("k", unchanged=True)

    program.do(remove)
    assert read(program) is None


def test_a_store_that_fails_is_an_error_of_the_call() -> None:
    with closing(open_store("memory:", StoreLimits(max_kept_bytes=4))) as small:
        program = Program(reference_table(), small)
        answer = program.do(lambda ctx: ctx.kept.set("k", "too much"))
        assert answer == {"errcode": 710660, "errmsg": "what the call keeps could not be stored: call again"}
        small.close()
        assert program.do(lambda ctx: ctx.kept.get("k", int))["errmsg"] == "a kept value could not be read"


@for_each(
    [
        (("", 1), {}, "the key of a kept value has 1 to 256 bytes, not 0"),
        (("键" * 86, 1), {}, "has 1 to 256 bytes, not 258"),
        (("\ud800", 1), {}, "lone surrogate"),
        (("k", "x" * 65_535), {}, "more than 65536 bytes of JSON"),
        (("k", 1), {"expires": 0}, "expires is a positive number of seconds"),
        (("k", 1), {"expires": float("inf")}, "expires is a positive"),
        (("k", 1), {"unchanged": True}, "read it with get"),
        (("k", "\ud800"), {}, "not valid Unicode"),
        (("k", object()), {}, "kept value 'k': it can't be written as JSON"),
    ]
)
def test_a_bad_value_is_refused_where_it_is_set(arguments: Any, more: Any, text: str, program: Program) -> None:
    def act(ctx: Context) -> None:
        with pytest.raises((ValueError, TypeError), match=text):
            ctx.kept.set(*arguments, **more)

    assert program.do(act)["errcode"] == 0


def test_a_call_changes_a_thousand_values_at_most(program: Program) -> None:
    def act(ctx: Context) -> None:
        for number in range(1000):
            ctx.kept.set(f"k{number}", number)
        ctx.kept.set("k0", 1)
        with pytest.raises(ValueError, match="at most 1000"):
            ctx.kept.set("one more", 1)

    assert program.do(act)["errcode"] == 0


def test_a_value_of_another_type_is_an_error_that_names_key_and_place(program: Program) -> None:
    program.do(lambda ctx: ctx.kept.set("k", {"number": "three"}))

    def act(ctx: Context) -> None:
        with pytest.raises(KeptValueError, match=r"'k'.*Expected `int`, got `str` - at `\$.number`"):
            ctx.kept.get("k", Count)

    assert program.do(act)["errcode"] == 0


@pytest.mark.parametrize("expires", [0.05, timedelta(seconds=0.05)])
def test_a_value_is_gone_at_its_expiry(program: Program, store: Store, expires: Any) -> None:
    program.do(lambda ctx: ctx.kept.set("k", 1, expires=expires))
    wait_until(lambda: read_stored(store) is None)
    assert read(program) is None


def test_an_async_handler_keeps_values_as_well(program: Program) -> None:
    found: list[Any] = []

    async def act(ctx: AsyncContext) -> None:
        found.append(await ctx.kept.get("k", Count))
        ctx.kept.set("k", Count(number=1), unchanged=True)
        found.append(await ctx.kept.get("k", Count))
        ctx.kept.add("counts", {"anna": 1}, expires=60)
        found.append(await ctx.kept.get("counts", dict[str, int]))

    assert program.do_later(act)["errcode"] == 0
    assert found == [None, Count(number=1), {"anna": 1}]
    assert (read(program), read(program, "counts")) == ({"number": 1, "of": []}, {"anna": 1})


def test_what_is_set_after_the_call_is_over_is_an_error(program: Program) -> None:
    found: list[Context] = []

    def act(ctx: Context) -> None:
        ctx.kept.set("k", 1)
        found.append(ctx)

    program.do(act)
    with pytest.raises(CallError, match="the call is over"):
        found[0].kept.set("k", 2)
    assert read(program) == 1


@pytest.mark.parametrize("keep_errors", [False, True])
def test_call_that_runs_once_can_be_repeated_when_what_it_keeps_was_not_stored(store: Store, keep_errors: bool) -> None:
    program = Program(reference_table(), store, once=OnceRow(key="*", keep_errors=keep_errors))

    def act(ctx: Context) -> Any:
        ctx.kept.get("k", int)
        if not runs:
            change(store, "k", "10")
        runs.append(1)
        ctx.kept.set("k", len(runs), unchanged=True)
        return Said(said="done")

    runs: list[int] = []
    assert "changed by another call" in program.do(act)["errmsg"]
    assert program.do(act)["said"] == "done"
    assert program.do(act)["said"] == "done"
    assert len(runs) == 2, "its reply is kept now"
    assert read_stored(store) == 2


def read_stored(store: Store, key: str = "k") -> Any:
    value = store.read_kept(KeptKey("corp", 7, "app", key))
    return None if value is None else json.loads(value.text)


def test_values_are_stored_before_the_reply_that_is_kept_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill in between lets a repeat run again, so that it can see what was stored."""
    program = Program(reference_table(), store, once=OnceRow(key="*"))
    seen: list[Any] = []
    keep_once = store.keep_once

    def note(*arguments: Any) -> bool:
        seen.append(read_stored(store))
        return keep_once(*arguments)

    monkeypatch.setattr(store, "keep_once", note)
    program.do(lambda ctx: ctx.kept.set("k", 1))
    assert seen == [1]

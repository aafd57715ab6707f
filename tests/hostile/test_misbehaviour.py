"""Whatever a handler returns or raises, the app gets the documented answer, and the program goes on."""

import asyncio
import json
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.hostile import misbehaviour
from tests.hostile.conftest import LIMIT, Wire
from tests.hostile.misbehaviour import DONE, GARBAGE, MARK, RAISED, SAID
from tests.support.crashes import INTERNAL
from tests.support.sdk import ScriptedSdk
from wwspec_router.contracts.codec import InputCodec, OutputCodec
from wwspec_router.envelope import Call, CallType
from wwspec_router.handlers.ability import handler_of
from wwspec_router.handlers.portal import LoopPortal, Portal, PrivateLoopPortal
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.table import AbilityTable
from wwspec_router.registry.targets import HandlerTarget
from wwspec_router.stores import open_store

HANDLERS = ["misbehave", "misbehave_later"]
GOOD = {"errcode": 0, "errmsg": "ok", "text": "good", "numbers": [], "ratio": 0.5}
EXPECTED: dict[str, dict[str, Any]] = {
    "errcode of a class of its own": {"errcode": 5, "errmsg": "a message"},
    "message of a class of its own": {"errcode": 5, "errmsg": "a message"},
    "an AbilityError whose detail has no text": {"errcode": 710660, "errmsg": "a message"},
}
"""What the app is told; an internal error where it is not named."""


def check(how: str, reply: Any) -> None:
    """The reply is the documented one, and holds nothing that the handler did not mean to say."""
    assert MARK not in json.dumps(reply)
    if how in GARBAGE:
        assert reply["errcode"] == 710660
        assert reply["errmsg"].startswith("output contract: ") or reply == INTERNAL
        assert set(reply) == {"errcode", "errmsg"}
    elif how == "an AbilityError whose detail has no text":  # the detail is the log's affair
        assert reply in (EXPECTED[how], INTERNAL)
    else:
        assert reply == EXPECTED.get(how, INTERNAL)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop on a thread of its own, as the server's is; it must outlive every handler."""
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever, name="the loop")
    thread.start()
    yield running
    assert thread.is_alive(), "a handler stopped the loop"
    running.call_soon_threadsafe(running.stop)
    thread.join(LIMIT)
    running.close()


@pytest.fixture(params=["server's loop", "private loop"])
def misbehaving(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, reference_table: AbilityTable
) -> Iterator[Dispatcher]:
    """The reference program's kernel with both handlers that misbehave."""
    portal: Portal = LoopPortal(loop) if request.param == "server's loop" else PrivateLoopPortal()
    table = reference_table
    abilities = dict(table.abilities)
    for name in HANDLERS:
        handler = handler_of(getattr(misbehaviour, name))
        assert handler is not None
        target = HandlerTarget(handler, InputCodec(misbehaviour.Way), OutputCodec(misbehaviour.Result))
        abilities[name] = replace(table.abilities["chat_digest"], ability_id=name, target=target, timeout=None)
    store = open_store("memory:")
    yield Dispatcher(replace(table, abilities=abilities), ScriptedSdk(), store, portal)
    store.close()


def ask_handler(kernel: Dispatcher, ability_id: str, how: str) -> Any:
    """Call a handler from a worker thread, as the server does."""
    answers: list[Any] = []
    call = Call(corpid="corp", agentid=7, call_type=CallType.APP, ability_id=ability_id, data=json.dumps({"name": how}))

    def work() -> None:
        try:
            answers.append(json.loads(kernel.dispatch(call).text))
        except BaseException as error:  # which pytest could not even show
            answers.append(f"the kernel raised {type(error).__mro__[-3:]}")

    thread = threading.Thread(target=work, name="worker", daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive(), "the kernel hangs"
    return answers[0]


@pytest.mark.parametrize("how", [*GARBAGE, *RAISED, *DONE, *SAID])
@pytest.mark.parametrize("ability_id", HANDLERS)
def test_the_kernel_answers_whatever_a_handler_does(
    misbehaving: Dispatcher, ability_id: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("ignore", RuntimeWarning)  # an async generator that nobody ran
        check(how, ask_handler(misbehaving, ability_id, how))
        assert ask_handler(misbehaving, ability_id, "good") == GOOD
    ours = [record for record in caplog.records if record.name.startswith("wwspec_router")]
    assert len(ours) == 1
    assert MARK not in caplog.text
    assert not any(record.exc_info for record in ours)


@pytest.mark.parametrize("how", [*GARBAGE, *RAISED, *DONE, *SAID])
@pytest.mark.parametrize("ability_id", HANDLERS)
def test_a_served_program_answers_whatever_a_handler_does(wire: Wire, ability_id: str, how: str) -> None:
    answer = wire.call(ability_id, json.dumps({"name": how}))
    assert not answer.is_exception
    check(how, answer.reply)


def test_an_async_handler_that_cancels_itself_is_answered(wire: Wire) -> None:
    reply = wire.call("misbehave_later", '{"name":"CancelledError"}').reply
    assert reply == {"errcode": 710660, "errmsg": "the ability was cancelled"}


def test_whatever_handlers_raise_is_shown_to_a_developer_and_harms_no_line_of_the_log(wire: Wire) -> None:
    """With the vendor's SDK nothing of it is shown: `test_secrets`, and the kernel above."""
    for ability_id in HANDLERS:
        for how in (*GARBAGE, *RAISED, *DONE, *SAID):
            wire.call(ability_id, json.dumps({"name": how}))
    text = wire.zone.program_log()
    assert text.count("misbehave") >= 2 * len(RAISED)
    assert MARK in text
    calls = re.findall(r"^\d\d:\d\d:\d\d\.\d{3}  INFO   #\d+ +call +misbehave\w* ", text, re.MULTILINE)
    assert len(calls) >= len(HANDLERS) * len((*GARBAGE, *RAISED, *DONE, *SAID))

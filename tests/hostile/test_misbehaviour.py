"""Whatever a handler returns or raises, the app gets the documented answer, and the program goes on."""

import asyncio
import json
import logging
import re
import threading
import warnings
from typing import Any

import pytest

from tests.hostile import misbehaviour
from tests.hostile.conftest import LIMIT, Wire
from tests.hostile.misbehaviour import DONE, GARBAGE, MARK, RAISED, SAID
from tests.support.crashes import INTERNAL
from tests.support.kernel import app_call, with_handler
from tests.support.sdk import ScriptedSdk
from wwspec_router.handlers.async_bridge import LoopPortal, Portal, PrivateLoopPortal
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import Store

HANDLERS = ["misbehave", "misbehave_later"]
WAYS = [*GARBAGE, *RAISED, *DONE, *SAID]
GOOD = {"errcode": 0, "errmsg": "ok", "text": "good", "numbers": [], "ratio": 0.5}
EXPECTED: dict[str, dict[str, Any]] = dict.fromkeys(SAID, {"errcode": 5, "errmsg": "a message"})
EXPECTED["an AbilityError whose detail has no text"] = {"errcode": 710660, "errmsg": "a message"}
"""What the app is told; an internal error where it is not named."""


def is_documented(how: str, reply: Any) -> bool:
    """Whether the reply is the documented one, and holds nothing that the handler did not mean to say."""
    if MARK in json.dumps(reply):
        return False
    if how in GARBAGE:
        is_output_error = str(reply["errmsg"]).startswith("output contract: ") and reply["errcode"] == 710660
        return set(reply) == {"errcode", "errmsg"} and (is_output_error or reply == INTERNAL)
    if how == "an AbilityError whose detail has no text":  # the detail is the log's affair
        return reply in (EXPECTED[how], INTERNAL)
    return bool(reply == EXPECTED.get(how, INTERNAL))


@pytest.fixture(scope="module")
def misbehaving(reference_table: AbilityTable) -> AbilityTable:
    """The reference program's abilities, and both handlers that misbehave."""
    return with_handler(with_handler(reference_table, misbehaviour.misbehave), misbehaviour.misbehave_later)


def ask_handler(kernel: Dispatcher, ability_id: str, how: str) -> Any:
    answers: list[Any] = []
    call = app_call(ability_id, json.dumps({"name": how}))

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


@pytest.mark.parametrize("ability_id", HANDLERS)
@pytest.mark.parametrize("is_servers", [True, False])
def test_the_kernel_answers_whatever_a_handler_does(
    running_loop: asyncio.AbstractEventLoop,
    misbehaving: AbilityTable,
    store: Store,
    is_servers: bool,
    ability_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = []
    for how in WAYS:
        portal: Portal = LoopPortal(running_loop) if is_servers else PrivateLoopPortal()
        kernel = Dispatcher(misbehaving, ScriptedSdk(), store, portal)  # anew, since it logs like errors once
        caplog.clear()
        with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
            warnings.simplefilter("ignore", RuntimeWarning)  # an async generator that nobody ran
            reply = ask_handler(kernel, ability_id, how)
            after = ask_handler(kernel, ability_id, "good")
        ours = [record for record in caplog.records if record.name.startswith("wwspec_")]
        if not is_documented(how, reply) or after != GOOD:
            faults.append(f"{how}: {reply}, then {after}")
        if len(ours) != 1 or MARK in caplog.text or ours[0].exc_info:
            faults.append(f"{how} is logged as {caplog.text}")
    assert not faults, "\n".join(faults)


@pytest.mark.slow  # processes; the kernel has the same above
def test_a_served_program_answers_whatever_a_handler_does_and_shows_it_to_a_developer(wire: Wire) -> None:
    """None of it harms a line of the log. With the vendor's SDK it is not shown: `test_secrets`, the kernel above."""
    faults = []
    for ability_id in HANDLERS:
        for how in WAYS:
            answer = wire.call(ability_id, json.dumps({"name": how}))
            if answer.is_exception or not is_documented(how, answer.reply):
                faults.append(f"{ability_id}, {how}: {answer.text}")
    assert not faults, "\n".join(faults)
    text = wire.zone.program_log()
    assert text.count("misbehave") >= 2 * len(RAISED)
    assert MARK in text
    calls = re.findall(r"^\d\d:\d\d:\d\d\.\d{3}  INFO   #\d+ +call +misbehave\w* ", text, re.MULTILINE)
    assert len(calls) >= len(HANDLERS) * len(WAYS)


def test_an_async_handler_that_cancels_itself_is_answered(wire: Wire) -> None:
    reply = wire.call("misbehave_later", '{"name":"CancelledError"}').reply
    assert reply == {"errcode": 710660, "errmsg": "the ability was cancelled"}

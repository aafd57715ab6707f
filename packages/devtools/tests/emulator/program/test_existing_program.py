"""A zone program that knows nothing of this project runs on the emulator with nothing but PYTHONPATH changed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.client.notify.stand import ServerKind, Stand
from tests.emulator.conftest import StartEmulator
from tests.support.apps import ROOT
from tests.support.emulator import Emulator
from tests.support.waiting import wait_until
from wwspec_contracts.events import hit_keyword
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY

PROGRAM = ROOT / "packages/devtools/tests/emulator/program/httpserver_program.py"


@pytest.fixture
def emulator(start: StartEmulator) -> Iterator[Emulator]:
    # The emulator first, since the program is told its URL; then the program's port is made known to the emulator.
    emulator = start()
    environment = {**os.environ, "PYTHONPATH": str(STANDIN_DIRECTORY), "WWSPEC_EMULATOR_URL": emulator.url}
    command = [sys.executable, str(PROGRAM), "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().split()[-1]
            moved = {"program_url": f"http://127.0.0.1:{port}"}
            assert emulator.http.post("/emulator/program", json=moved).json()["errcode"] == 0
            yield emulator
        finally:
            process.terminate()


def ask(emulator: Emulator, func: str, func_req: dict[str, object], **more: str) -> dict[str, object]:
    data = json.dumps({"input": {"func": func, "func_req": func_req}})
    answer = emulator.call_program(data, **more)
    assert answer["errcode"] == 0, answer
    reply: dict[str, object] = json.loads(answer["response_data"])
    return reply


def test_a_public_style_program_answers_calls_and_events_through_the_emulator(emulator: Emulator) -> None:
    reply = ask(emulator, "sync_msg", {"limit": 10})
    assert isinstance(reply["msg_list"], list)
    assert (reply["errcode"], reply["has_more"], len(reply["msg_list"])) == (0, 1, 10)
    reply = ask(emulator, "sync_msg", {"limit": 1000, "cursor": reply["next_cursor"]})
    assert isinstance(reply["msg_list"], list)
    assert (reply["has_more"], len(reply["msg_list"])) == (0, 50)
    assert ask(emulator, "get_group_chat", {"chatid": "none"})["errcode"] == 710624
    assert ask(emulator, "no_such_func", {})["errcode"] == 710660

    notify_id = ask(emulator, "spec_notify_app", {})["notify_id"]
    wait_until(lambda: [each["notify_id"] for each in emulator.notifications()] == [notify_id])
    assert isinstance(notify_id, str)
    ask(emulator, "get_group_chat", {"chatid": "none"}, notify_id=notify_id)

    emulator.receive_events()
    fired = emulator.fire("conversation_new_message")
    assert (fired["errcode"], json.loads(fired["reply"])) == (0, {"errcode": 0, "errmsg": "ok"})


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_receiver_fetches_an_event_from_a_public_style_program(emulator: Emulator, kind: ServerKind) -> None:
    settings = emulator.settings
    client = {"corpid": settings.corpid, "secret": settings.secret, "program_id": settings.program_id}
    client |= {"base_url": emulator.url, "form": "func"}
    emulator.receive_events()
    emulator.fire("hit_keyword")
    [notification] = emulator.notifications()
    with (
        httpx.HTTPTransport() as wecom,
        Stand(kind, (), client={**client, "transport": wecom}, ability_id="input_do_async_job") as stand,
    ):
        stand.notify(notification["notify_id"])
        [event] = stand.handled(1)
    assert event.event_type == "hit_keyword"
    assert isinstance(event.data, hit_keyword.Event)

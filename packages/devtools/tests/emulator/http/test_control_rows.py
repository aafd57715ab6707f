"""Each control of the emulator: the client's method, its endpoint and what does the work, and its verb."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import click
import msgspec
import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator
from tests.support.tables import for_each
from wwspec_devtools.cli.verbs.zone import command
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.http.control_rows import ControlRow, controls, read_arguments
from wwspec_devtools.emulator.http.controls import MachineControls

ROWS: list[ControlRow] = [*controls(EmulatorClient), *controls(MachineControls)]

GIVEN: dict[str, Any] = {
    "after": 3,
    "before": 5,
    "count": 2,
    "edition": 2,
    "limit": 7,
    "machine": 1,
    "msgtype": 4,
    "number": 1,
    "order": "stop",
    "permissions": ["chat"],
    "seconds": 1.5,
    "sender": "lina",
    "to": ["mahui"],
    "version": 7,
    "with_callback": False,
}
"""Arguments by name, none of them the default; all others are texts."""


def given(row: ControlRow) -> dict[str, Any]:
    return {each.name: GIVEN.get(each.name, "x") for each in row.parameters}


@for_each(ROWS)
def test_an_endpoint_gets_what_the_client_sends(row: ControlRow) -> None:
    path, body = row.sent(**given(row))
    texts = None if row.method == "POST" else dict(parse_qsl(urlsplit(path).query))
    assert read_arguments(row.request, texts, msgspec.json.encode(body or {})) == given(row)


def test_each_control_is_done_or_refused_by_what_does_the_work(start: StartEmulator) -> None:
    faults = []
    with EmulatorClient(start(app_type="custom").url) as client:
        for row in ROWS:
            name = row.function.__name__
            try:
                getattr(client if hasattr(client, name) else client.machines, name)(**given(row))
            except EmulatorError as error:
                faults += [(name, f"{error}")] if re.search("HTTP status|Expected|field `", f"{error}") else []
    assert faults == [], "there is no route, or what does the work takes other arguments"


@for_each(row for row in ROWS if row.verb)
def test_a_verb_takes_the_arguments_of_its_control(row: ControlRow) -> None:
    taken = {each.name for each in command.commands[row.verb].params}
    assert taken == {*(each.name for each in row.parameters), "url", *(["of_corp"] if row.of_corp else [])}
    assert all(each.help for each in command.commands[row.verb].params if isinstance(each, click.Option))


def test_a_request_that_a_control_does_not_take_is_refused_by_name(emulator: Emulator, client: EmulatorClient) -> None:
    for body, said in (
        (b"", "missing required field `msgid`"),
        (b'{"msgid": 5}', "Expected `str`, got `int` - at `$.msgid`"),
        (b'{"msgid": "x", "mesage": "y"}', "unknown field `mesage`"),
        (b"{", "truncated"),
    ):
        answer = emulator.http.post("/emulator/recall", content=body).json()
        assert (answer["errcode"], said in answer["errmsg"]) == (40058, True), answer
    with pytest.raises(EmulatorError, match=r"Expected `int` <= 28 - at `\$.msgtype`"):
        client.say("lina", "您好", to=("mahui",), msgtype=29)


def test_a_message_is_recalled_at_the_corp_of_the_client(start: StartEmulator) -> None:
    emulator = start(corps=2)
    second = emulator.platform.world.apps[1]
    with EmulatorClient(emulator.url, corp=second.corpid) as client:
        msgid = client.say("lina", "您好", to=("mahui",))
        client.recall(msgid)
    assert emulator.platform.world.corp(second).chats.recalled == {msgid}

"""The stand-in in Java: its envelope, where it refuses to work, and the page on it with its example."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.apps import ROOT
from tests.support.emulator import http_server
from tests.support.pages import blocks_of_page
from tests.support.tables import for_each
from tests.support.terminal import Terminals, variables_of_ports
from tests.support.tools import tool
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.testing.app import App
from wwspec_devtools.testing.ports import held_ports

pytestmark = pytest.mark.nightly  # javac and Java machines; test_seal.py tests the same envelope in Python

PAGE = ROOT / "docs/en/program/java.md"
KEY = bytes(range(32))
CALLS = [
    seal.CallContent("ww1", 1_000_002, 1, "{}", "req-1", 1_750_000_000),
    seal.CallContent(
        *("企业😀", 0, 2, '{"text": "𝄞 3:abc 😀"}', "req-😀", 1),
        ability_id="能力𝒂",
        notify_id="😀😀:3:",
        is_async=True,
        job_info="1:😀\n",
    ),
]
"""With characters that are one code point and two UTF-16 units."""


class Followed(NamedTuple):
    """Where somebody is who has followed the page."""

    client: EmulatorClient
    folder: Path


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """The page's emulator with the example, after each of its commands, and with the fault of its last one."""
    tool("javac")
    clone, logs = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("logs")
    folder = Path(shutil.copytree(ROOT / "examples/java_program", clone / "examples/java_program"))
    with held_ports(2) as held:
        ports = dict(zip(("8080", "8090"), map(str, held), strict=True))
        program = {"WWSPEC_EMULATOR_PROGRAM_URL": f"http://127.0.0.1:{ports['8080']}"}
        path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        terminals = Terminals(clone, {**os.environ, **path, **program, **variables_of_ports(ports)}, ports, logs)
        try:
            terminals.follow_all(blocks_of_page(PAGE), {'source "$(scripts/env --light)/bin/activate"': ""})
            with EmulatorClient(f"http://127.0.0.1:{ports['8090']}") as client:
                yield Followed(client, folder)
        finally:
            terminals.stop()


@pytest.fixture(scope="module")
def classes(followed: Followed) -> Path:
    """The stand-in and JavaEnvelopes, compiled."""
    build = followed.folder / "build"
    source = Path(__file__).with_name("JavaEnvelopes.java")
    subprocess.run([tool("javac"), "-cp", build, "-d", build, source], check=True)
    return build


def java(classes: Path, *arguments: str, url: str | None) -> list[list[str]]:
    """Run JavaEnvelopes, and return the lines that it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "WWSPEC_EMULATOR_URL"}
    environment |= {} if url is None else {"WWSPEC_EMULATOR_URL": url}
    command = [tool("java"), "-cp", str(classes), "JavaEnvelopes", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def opened(sealed: seal.Sealed) -> list[str] | None:
    """Return what the getters of both languages give of a call; None when it does not open."""
    try:
        call = seal.open_call(KEY, sealed.headers.items(), sealed.body)
    except seal.SealError:
        return None
    numbers = str(call.agentid), str(call.call_type)
    return [
        call.corpid,
        *numbers,
        call.ability_id,
        call.notify_id,
        str(call.is_async).lower(),
        call.job_info,
        call.data,
    ]


def test_python_and_java_open_the_same_calls_and_java_seals_replies_that_python_opens(
    classes: Path, tmp_path: Path
) -> None:
    good = [seal.seal_call(KEY, call) for call in CALLS]
    one = good[0]
    bad = [
        seal.seal_call(bytes(32), CALLS[0]),
        *(seal.Sealed(one.headers, body) for body in (good[1].body, one.body[:-4])),
        seal.Sealed(seal.reply_headers(KEY, one.body, "req-1", 1), one.body),
        *(seal.Sealed({**one.headers, name: "0"}, one.body) for name in one.headers),
        seal.Sealed({**one.headers, "ww-more": "1"}, one.body),
        seal.Sealed({name.title(): value for name, value in one.headers.items()}, one.body),
        seal.Sealed({name: value for name, value in one.headers.items() if name != "ww-kind"}, one.body),
    ]
    vectors = [*good, *bad]
    file = tmp_path / "vectors"
    lines = ["\t".join([each.body, *(text for pair in each.headers.items() for text in pair)]) for each in vectors]
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with http_server(lambda *_: (404, {}, b""), lambda _: (200, {}, KEY)) as url:
        answers = java(classes, str(file), url=url)
    assert len(answers) == len(vectors)
    for number, (sealed, (is_ok, *shown)) in enumerate(zip(vectors, answers, strict=True)):
        fields = list(map(decoded, shown[:8]))
        assert (fields if is_ok == "true" else None) == opened(sealed), number
        body, headers = shown[8], list(zip(shown[9::2], map(decoded, shown[10::2]), strict=True))
        reply = seal.open_reply(KEY, headers, body)
        assert reply == ((CALLS[number].data, CALLS[number].request_id, False) if number < 2 else ("", "", True))


@for_each(
    [
        None,
        "",
        "http://192.0.2.1:8090",
        "http://127.0.0.1.example.com:8090",
        "http://a@127.0.0.1:8090",
        "https://127.0.0.1:8090",
    ]
)
def test_without_an_emulator_on_this_machine_both_classes_throw(url: str | None, classes: Path) -> None:
    refusal = "this is the emulator's stand-in for WeCom's SDK: set WWSPEC_EMULATOR_URL to http://127.0.0.1:PORT"
    assert [line.startswith(refusal) for [line] in java(classes, url=url)] == [True, True]


def test_the_example_answers_its_abilities_an_event_asynchronous_calls_and_faults(followed: Followed) -> None:
    client = followed.client
    app = App(client)
    chat = {"chatid": "wrJ0XbHlQpxlA75nXi2cwla5ZlDdCrAC"}
    failed = app.call("group_size", chat)
    assert (failed.errcode, failed.errmsg) == (710660, "get_group_chat: return code -10002"), "the page's fault"
    assert app.call("group_size", chat).reply == {"errcode": 0, "errmsg": "ok", "members": 9}
    assert app.submit("group_size", chat).result(10.0).reply["members"] == 9
    assert app.call("group_size", {"chatid": "none"}).errcode == 710624
    assert app.call("invoke_no_api").errmsg == "no_api: return code -10006"
    assert app.call("none").errmsg == "there is no ability none"

    pages, cursor = list[int](), ""
    while not pages or cursor:
        reply = app.call("invoke_sync_msg", {"limit": 200, "cursor": cursor}).reply
        pages.append(len(reply["msg_list"]))
        cursor = reply["next_cursor"] if reply["has_more"] else ""
    assert len(pages) == 3
    assert sum(pages) == client.info()["messages"]

    fired = client.fire("hit_keyword")
    [notified] = fired["notified"]
    assert app.call("get_callback_data", notify_id=notified["notify_id"]).reply == fired["event"]
    assert app.call("get_callback_data").errmsg == "no event has this notify_id"

    client.add_fault("sdk", "errcode", "spec_notify_app", value=45009)
    assert '"errcode":45009' in client.fire("hit_keyword")["reply"], "and not that it was taken"
    client.add_fault("program", "errcode", value=710675)
    assert app.call("group_size", chat).errcode == 710675

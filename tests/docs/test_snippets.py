"""Every command and snippet of README.md and docs/ is run here, or named with the test that runs it."""

import base64
import os
import re
import runpy
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from Crypto.Cipher import PKCS1_v1_5
from Crypto.PublicKey import RSA

from tests.serving.test_servers import SERVERS
from tests.support.apps import ROOT, write_files
from tests.support.command import pytest_session, wwspec
from tests.support.pages import Block, blocks_of_page
from tests.support.rsa_keys import new_rsa_key
from tests.support.terminal import INSTALLED
from tests.support.waiting import wait_until
from tests.support.zones import app_of, serve_zone
from wwspec_client import RepeatedCursorError
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import VERBS
from wwspec_router.jobs.retry import RUNS

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "en").rglob("*.md"))]
APART = [*PAGES[:1], *(ROOT / "docs" / "en" / "tutorial").iterdir()]
"""Pages with an application of their own: tests/docs/test_readme.py and test_tutorial.py."""

ELSEWHERE = {
    **dict.fromkeys(("scripts/demo --once", "cd ../shop", "pytest -q"), "tests/docs/test_readme.py follows README.md"),
    **dict.fromkeys(INSTALLED, "the same"),
    "scripts/test": "is what runs this test",
    "pytest": "test_the_tests_of_the_pages_pass runs it",
    "scripts/torture --quick": "tests/torture and scripts/nightly run each of its runs so",
    "pip install ./wwspec_router/packages/contracts './wwspec_router[zone]' ./wwspec_router/packages/client "
    "'./wwspec_router/packages/devtools[dev]'": "tests/packaging installs them, from their wheels",
    "pip install ./wwspec_router/packages/contracts ./wwspec_router/packages/client": (
        "tests/packaging/test_rooms.py installs both, from their wheels"
    ),
    "wwspec call --base-url https://qyapi.weixin.qq.com chat_digest '{\"limit\": 10}'": (
        "packages/devtools/tests/cli/test_call_wecom.py"
    ),
    "wwspec doctor": "packages/devtools/tests/cli/test_doctor.py, since the ports may be in use here",
    "wwspec new shop": "packages/devtools/tests/scaffold; here it would bring tests of the same names",
    **dict.fromkeys(SERVERS.values(), "tests/serving/test_servers.py"),
    **dict.fromkeys(
        (
            'source "$(scripts/env --light)/bin/activate"',
            "cd examples/java_program",
            'javac -d build "$(wwspec standin java)"/com/tencent/wework/*.java src/*.java',
            "wwspec emulate --program 'java -cp build Program 8080'",
            "wwspec zone fault sdk return_code -10002 --api get_group_chat --count 1",
        ),
        "packages/devtools/tests/emulator/standin/test_java.py follows program/java.md",
    ),
    "wwspec contracts --app ../shop --json-schema --out program/contracts chat_digest get_callback_data": (
        "tests/clients/test_other_languages.py"
    ),
    "wwspec dev": "packages/devtools/tests/cli/test_verbs.py, since it does not end",
}
"""Commands that are not run here, and why."""


BLOCKS = [block for page in PAGES if page not in APART for block in blocks_of_page(page)]
FILES = [block for block in BLOCKS if block.is_file]
LINES = [line for block in BLOCKS if block.language == "bash" for line in block.text.splitlines()]
OWN_TESTS = re.compile(r"pytest(?: -q)?((?: tests/\w+\.py)+)")
"""The command of a page that runs its tests. Here one process runs those of all pages: to start takes longest."""


def is_run(command: str) -> bool:
    return command not in ELSEWHERE and OWN_TESTS.fullmatch(command) is None


COMMANDS = [
    pytest.param(
        lines,
        id=f"{block.place}: {'; '.join(lines)}",
        marks=pytest.mark.slow,
    )
    for block in BLOCKS
    if block.language == "bash" and (lines := [each for each in block.text.splitlines() if is_run(each)])
]
"""The commands of each block, in their order."""

TESTS_OF = {
    line: [
        found[1] for each in FILES if each.page == block.page and (found := re.match(r"# (tests/test_\S+)", each.text))
    ]
    for block in BLOCKS
    if block.language == "bash"
    for line in block.text.splitlines()
    if line.startswith("pytest --zone ")
}
"""The tests that the page of such a command shows: those of all pages would run once more, which takes longest."""

BEFORE = {
    "wwspec contracts --diff console": "wwspec contracts --out console",
    "wwspec contracts --client client --check": "wwspec contracts --client client",
}
"""What a command compares with, and what wrote it: on the pages in a block of its own, on an earlier day."""


MARKED = ["talkers", "price_check", "new_messages", "long_report", "count_new", "mood"]
"""Modules of the pages whose marks count. `seen` and `forecast` have a lifespan: tests/docs/test_program_pages.py."""

HURRIED = [("def talkers", "def hurried_talkers"), ("timeout=20", "timeout=5")]
"""Makes an ability of the page that has so little time that each call stops after one page."""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference program with every file that the pages show."""
    app = tmp_path_factory.mktemp("docs") / "app"
    for package in ("abilities", "schemas"):
        shutil.copytree(ROOT / package, app / package, ignore=shutil.ignore_patterns("__pycache__"))
    for block in FILES:
        block.write(app)
    hurried = (app / "abilities" / "talkers.py").read_text("utf-8")
    for text, other in HURRIED:
        assert text in hurried
        hurried = hurried.replace(text, other)
    modules = ["program", *(f"abilities.{name}" for name in (*MARKED, "hurried"))]
    registry = (app / "abilities" / "registry.toml").read_text("utf-8")
    registry = registry.replace("[program]\n", f"[program]\nmodules = {modules}\n", 1)
    return write_files(app, {"abilities/hurried.py": hurried, "abilities/registry.toml": registry})


@pytest.fixture(scope="module")
def zone(application: Path) -> Iterator[Zone]:
    with serve_zone(application) as zone:
        yield zone


def test_every_file_of_a_page_says_where_it_belongs() -> None:
    for block in FILES:
        folder = r"(abilities|app|checks|migrations|requests|schemas|store|tests|\.vscode)"
        assert re.match(rf"(#|//) ({folder}/[\w/.]+|program\.py|wwspec\.toml)\n", block.text), block.place


@pytest.mark.parametrize("lines", COMMANDS)
def test_every_command_of_a_page_works(lines: list[str], application: Path, request: pytest.FixtureRequest) -> None:
    if "wwspec zone cancel" in lines:  # after it an app gets no message from before, which other tests need
        with serve_zone(application) as own:
            run_all(lines, application, own)
    else:
        run_all(lines, application, request.getfixturevalue("zone"))


@pytest.mark.slow  # all tests of the pages
def test_the_tests_of_the_pages_pass(application: Path, zone: Zone) -> None:
    run("pytest -q", application, zone)


def test_each_page_runs_tests_that_a_page_shows() -> None:
    shown = {block.text.partition("\n")[0].removeprefix("# ") for block in FILES}
    run_by = {line: set(found[1].split()) for line in LINES if (found := OWN_TESTS.fullmatch(line)) is not None}
    assert run_by
    assert {line: missing for line, files in run_by.items() if (missing := files - shown)} == {}


def test_no_block_compares_files_with_what_it_has_just_written() -> None:
    compared = set[str]()
    for block in BLOCKS:
        lines = {*block.text.splitlines()}
        for comparison, writing in BEFORE.items():
            assert not {comparison, writing} <= lines, block.place
        compared |= lines & BEFORE.keys()
    assert compared == BEFORE.keys()


def test_faults_of_the_pages_are_on_apis_that_no_code_on_an_event_calls() -> None:
    code = "".join(text for text, _ in code_on_events(BLOCKS))
    faults = [name for block in FILES for name in re.findall(r'add_fault\("sdk", "\w+", "(\w+)"', block.text)]
    assert faults
    assert ".Request" in code
    assert [name for name in faults if f"{name}.Request" in code] == []


def test_code_on_events_gets_messages_by_following_them() -> None:
    codes = [text for page in PAGES for text, _ in code_on_events(list(blocks_of_page(page))) if "sync_msg" in text]
    assert len(codes) >= 2
    for text in codes:
        assert "ctx.follow(" in text
        assert not re.search(r"ctx\.(invoke|pages)\(sync_msg", text), "without a cursor that is the oldest page"


def test_the_retries_that_the_page_on_events_recommends_outlast_a_rate_limit() -> None:
    [number] = re.findall(
        r"`@on_event\(retries=(\d+)\)`", (ROOT / "docs" / "en" / "program" / "events.md").read_text("utf-8")
    )
    assert sum(RUNS.pause(run) for run in range(1, int(number) + 1)) > 60


def code_on_events(blocks: list[Block]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the module of each handler of events among some blocks, and its row of the registry file, if it has one."""
    yield from ((block.text, {}) for block in blocks if block.language == "python" and "\n@on_event" in block.text)
    modules = {module_of(block): block.text for block in blocks if block.language == "python"}
    for block in blocks:
        if block.language == "toml":
            for row in tomllib.loads(block.text).get("events", {}).values():
                yield modules[row["handler"].partition(":")[0]], row


def module_of(block: Block) -> str:
    return block.text.partition("\n")[0].removeprefix("# ").removesuffix(".py").replace("/", ".")


def run_all(lines: list[str], application: Path, zone: Zone) -> None:
    for line in lines:
        if line in BEFORE:
            run(BEFORE[line], application, zone)
        run(line, application, zone)


def run(line: str, application: Path, zone: Zone) -> None:
    command, _, file = line.partition(" > ")
    words = [*shlex.split(command), *TESTS_OF.get(line, [])]
    own = app_of(zone) if words[1:2] in (["app"], ["keys"]) else {"WWSPEC_EMULATOR_URL": zone.client.url}
    environment = {**os.environ, **own}
    if words[0] == "wwspec":
        done = wwspec(application, *words[1:], environment=environment)
    else:
        assert words[0] == "pytest", f"tell this test how to run {line}"
        done = pytest_session(application, *words[1:], environment=environment)
    assert done.returncode == 0, done.stderr + done.stdout
    if file:
        (application / file).write_text(done.stdout, "utf-8")


def test_the_abilities_of_the_pages_answer(zone: Zone) -> None:
    token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    assert zone.call("group_size", {"chatid": "wrJ0XbHlQpxlA75nXi2cwla5ZlDdCrAC"}).reply["members"] == 9
    assert zone.call("price_check", {"article": "tea"}).reply["offers"] == [{"shop": "tea in CNY", "cents": 1999}]
    talkers = zone.call("talkers", {"token": token}).reply
    assert talkers["messages"] == zone.client.info()["messages"]
    assert len(talkers["senders"]) > 5
    assert zone.call("talkers", {"token": token, "cursor": talkers["next_cursor"]}).reply["messages"] == 0
    counts, hurried = [], {"has_more": 1, "next_cursor": ""}
    while hurried["has_more"]:
        hurried = zone.call("hurried_talkers", {"token": token, "cursor": hurried["next_cursor"]}).reply
        counts.append(hurried["messages"])
    assert len(counts) > 2
    assert sum(counts) == talkers["messages"]
    refused = zone.call("price_check", {"article": "茶" * 22})
    assert refused.errmsg == "input contract: longer than 64 bytes at $.article"


ENDLESS = """
from wwspec_router import Contract, Output, ability

CALLS = iter(range(10))

class Request(Contract):
    token: str
    cursor: str

class Reply(Output):
    messages: int = 1
    has_more: int = 1
    next_cursor: str = ""

@ability
def talkers(request: Request) -> Reply:
    next(CALLS)  # not for ever
    return Reply(next_cursor=request.token)
"""


@pytest.mark.nightly  # a zone of its own; due when the page changes
def test_the_apps_loop_over_pages_ends_at_a_cursor_that_leads_nowhere(application: Path, tmp_path: Path) -> None:
    count_messages = runpy.run_path(str(application / "tests" / "test_paging.py"))["count_messages"]
    with serve_zone(write_files(tmp_path, {"program.py": ENDLESS})) as zone, zone.app_client() as client:
        for cursor in ("", "the same"):
            with pytest.raises(RepeatedCursorError):
                count_messages(client, cursor)


def test_the_code_on_events_of_the_pages_counts_each_message_once(zone: Zone) -> None:
    def results(after: int) -> list[dict[str, Any]]:
        zone.wait_idle()
        ids = [each["notify_id"] for each in zone.client.notifications_after(after)[0]]
        replies = [zone.call("get_callback_data", notify_id=each).reply for each in ids]
        return [each["conversation_new_message_result"] for each in replies if "conversation_new_message" in each]

    zone.fire("conversation_new_message")  # the count of the pages begins at the latest here
    zone.wait_idle()
    _, last = zone.client.notifications_after(0)
    for _ in range(3):
        zone.client.say("lina", "您好", to=["mahui"])
    found = results(last)
    assert len(found) == 3
    assert sum(each["messages"] for each in found) == 3
    assert {each["senders"] for each in found} <= {0, 1}


def test_the_analysis_of_the_pages_reads_the_messages_that_the_app_has_opened(zone: Zone) -> None:
    private = new_rsa_key()
    with zone.app_client() as client:
        client.set_public_key(private.public_key().export_key().decode(), 99)
    token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    messages = zone.call("invoke_sync_msg", {"limit": 500, "token": token}).reply["msg_list"]
    texts = [message for message in messages if message["msgtype"] == 1][:3]
    keys = [{"msgid": each["msgid"], "encrypt_info": {"secret_key": opened(private, each)}} for each in texts]
    wrong = {"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}
    reply = zone.call("mood", {"msg_list": [*keys, wrong]}).reply
    assert {each["msgid"] for each in reply["moods"]} == {key["msgid"] for key in keys}
    assert reply["failed"] == ["made-up"]


def test_the_code_of_the_pages_logs_lines_with_the_number_of_their_request(zone: Zone) -> None:
    assert zone.call("parcels", {"numbers": ["a", "b", "a"]}).reply["count"] == 2
    assert re.search(r" #\d+ +abilities\.parcels: parcels: 2 of 3 differ$", zone.program_log(), re.MULTILINE)
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = {"numbers": ["c"], "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    assert zone.call("parcels", traced).reply["count"] == 1
    [recorded] = zone.client.traffic(kind="call", text=trace_id)
    wait_until(lambda: zone.client.entry(recorded["number"])["traces"])
    assert zone.client.entry(recorded["number"])["traces"][0]["trace_id"] == trace_id


def opened(private: "RSA.RsaKey", message: dict[str, Any]) -> str:
    sealed = base64.b64decode(message["service_encrypt_info"]["encrypted_secret_key"])
    return PKCS1_v1_5.new(private).decrypt(sealed, b"").decode()


def test_the_verbs_of_the_pages_exist() -> None:
    for page in PAGES:
        for verb in re.findall(r"`wwspec (\w+)", page.read_text()):
            assert verb in VERBS, f"{page.name}: wwspec {verb}"

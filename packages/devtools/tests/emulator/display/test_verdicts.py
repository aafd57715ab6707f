"""How an exchange ended: the same in every place that says it, and `ok` only where nothing failed; and its bodies."""

from typing import Any

import pytest
from click.testing import CliRunner

from tests.emulator.conftest import record_exchanges
from tests.support.emulator import Emulator, SealedProgram
from tests.support.tables import for_each
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.cli.tail import Lines
from wwspec_devtools.emulator.display.verdicts import digest
from wwspec_devtools.emulator.display.views import whole
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.reading import StreamEvent
from wwspec_devtools.emulator.state.tickets import CallbackAttempt, Delivery
from wwspec_devtools.emulator.state.traffic.entries import MAX_BODY_BYTES
from wwspec_devtools.emulator.state.traffic.record import Traffic
from wwspec_router.cli.main import main

CRASH = '{"errcode": 710660, "errmsg": "internal error"}'


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram], monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setenv("WWSPEC_EMULATOR_URL", zone[0].url)
    monkeypatch.setenv("NO_COLOR", "1")
    return zone[0]


def said_of(emulator: Emulator) -> dict[str, tuple[Any, Any]]:
    """Return how `zone traffic`, `zone tail` and the rows of the page say that calls and events ended, by kind."""
    with EmulatorClient(emulator.url) as client:
        rows = client.traffic()
    event = StreamEvent("entries", {"rows": rows, "missed": 0}, "")
    tailed = [[part.strip() for part in line.split("  ")] for line in Lines().of(event)]
    listed = [
        [part.strip() for part in line.split("  ")]
        for line in CliRunner().invoke(main, ["zone", "traffic", "--table"]).stdout.splitlines()
    ]
    kept = ("call", "event", "app")
    said = {}
    for row, tail, traffic in zip(rows, tailed, listed, strict=True):
        if row["kind"] in kept and row["name"] != "gettoken":
            ended = ": ".join(filter(None, (row["verdict"], row["reason"][0])))
            assert ended in tail
            assert ended in traffic
            said[row["kind"]] = (row["verdict"], row["reason"][0])
    return said


def test_what_a_program_refuses_is_not_ok_anywhere(emulator: Emulator, zone: tuple[Emulator, SealedProgram]) -> None:
    zone[1].reply = lambda call: CRASH
    emulator.call_program()
    emulator.receive_events()
    emulator.fire("hit_keyword")
    refused = ("failed", "errcode 710660: internal error")
    assert said_of(emulator) == {"app": ("ok", ""), "call": refused, "event": refused}, "the last call of the app is ok"


def test_what_does_not_fit_the_contract_is_not_ok(
    emulator: Emulator, client: EmulatorClient, program: SealedProgram
) -> None:
    emulator.platform.register({"echo": ConsoleContract({}, {"errcode": 0, "errmsg": ""})})
    program.reply = lambda call: '{"more": 1}'
    emulator.call_program()
    said = said_of(emulator)
    assert said["call"] == said["app"] == ("failed", "output $.more: this key is not in the contract")
    call = client.entry(client.traffic(kind="call")[-1]["number"])
    assert (call["reason"][1], call["value"]) == ("输出 $.more：协议中没有这个键", "1")


def tried(method: str, status: int | None, body: str = "", error: tuple[str, str] = ("", "")) -> CallbackAttempt:
    return CallbackAttempt(method, "http://127.0.0.1:9000/", status, body, error, ("check it", "请检查"), 0.1)


@for_each(
    [
        ("recorded", None, "ok", "not sent: no callback URL", "未发送：没有回调 URL"),
        ("waiting", None, "waiting", "", ""),
        ("delivered", tried("POST", 200), "ok", "", ""),
        ("withheld", None, "dropped", "withheld by a fault", "被故障注入拦截"),
        (
            "failed",
            tried("POST", 403, "forbidden by gateway\n<p>"),
            "failed",
            "403 by the app: forbidden by gateway",
            "应用返回 403：forbidden by gateway",
        ),
        ("failed", tried("POST", 500), "failed", "500 by the app", "应用返回 500"),
        ("failed", tried("POST", None, error=("no answer", "没有应答")), "failed", "no answer", "没有应答"),
        ("failed", tried("GET", 403), "failed", "callback URL not verified: 403", "回调 URL 未通过验证：403"),
        (
            "failed",
            tried("GET", None, error=("no answer", "没有应答")),
            "failed",
            "callback URL not verified: no answer",
            "回调 URL 未通过验证：没有应答",
        ),
    ]
)
def test_a_callback_says_why_it_did_not_reach_the_app(
    state: str, attempt: CallbackAttempt | None, verdict: str, english: str, chinese: str, traffic: Traffic
) -> None:
    delivery = Delivery(state=state, attempt=attempt)
    entry = traffic.begin("callback", "program_notify", "{}", notification=delivery)
    traffic.end(entry, "")
    said = digest(entry)
    assert (said.verdict, *said.reason) == (verdict, english, chinese)


def test_an_errcode_of_wecoms_has_its_meaning_in_both_languages_and_one_of_the_programs_none(traffic: Traffic) -> None:
    for errcode in (45009, 1001):
        traffic.end(traffic.begin("sdk", "sync_msg", "{}"), errcode, "{}")
    known, own = (whole(entry)["causes"] for entry in traffic.kept_entries())
    assert [len(texts) for texts in known.values()] == [2]
    assert own == {}


def test_a_body_that_is_not_json_is_shown_by_its_length_and_an_empty_one_as_empty(traffic: Traffic) -> None:
    record_exchanges(traffic, "api", reply="not json")
    record_exchanges(traffic, "api", sent="x" * (MAX_BODY_BYTES + 1))
    first, second = map(whole, traffic.kept_entries())
    for form in (first, first["raw"], first["text"]):
        assert (form["request"], form["reply"]) == ("", "not JSON, 8 characters")
    for form in (second["raw"], second["text"]):
        assert (form["request"], form["reply"]) == (f"not kept, {MAX_BODY_BYTES + 1} bytes", "")

import json
import logging
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.apps import ROOT
from tests.support.crashes import INTERNAL
from tests.support.kernel import Kernel, app_call
from tests.support.sdk import OK, network_failure
from tests.support.tables import for_each
from wwspec_contracts.errors import CallError
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.stores import open_store

pytestmark = pytest.mark.never_lost

PAYLOADS = sorted((ROOT / "tests" / "payloads" / "events").glob("*.json"))
EVENT = '{"event_type":"hit_keyword","timestamp":5,"hit_keyword":{"token":"a-secret"}}'
ACCEPTED = {"errcode": 0, "errmsg": "ok"}


def refused(errmsg: str, errcode: int = 710660) -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": errmsg}


def test_an_event_is_stored_before_the_app_is_told(kernel: Kernel) -> None:
    found: list[str | None] = []

    def read_store(request: str) -> str:
        found.append(kernel.store.get("corp", 7, json.loads(request)["notify_id"]))
        return OK

    kernel.sdk.replies["spec_notify_app"] = read_store
    assert kernel.event(EVENT) == ACCEPTED
    assert found == [EVENT]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_each_event_is_notified_with_the_scene_of_its_type(kernel: Kernel, path: Path) -> None:
    scene = kernel.table.registry.notify_scenes[path.stem]
    assert scene > 0
    assert kernel.event(path.read_text(encoding="utf-8")) == ACCEPTED
    assert kernel.sdk.requests == [("spec_notify_app", {"notify_id": "notify-0", "notify_scene": scene})]


def test_the_app_is_told_in_the_event_s_own_name(kernel: Kernel) -> None:
    assert kernel.event(EVENT, corpid="corp-2", agentid=0) == ACCEPTED
    [call] = kernel.sdk.calls
    assert (call.corpid, call.agentid, call.ability_id, call.job_info) == ("corp-2", 0, "", "")
    assert kernel.store.get("corp-2", 0, "notify-0") == EVENT


def test_each_event_gets_a_notify_id_of_its_own(kernel: Kernel) -> None:
    for _ in range(3):
        assert kernel.event(EVENT) == ACCEPTED
    ids = [request["notify_id"] for _, request in kernel.sdk.requests]
    assert len(set(ids)) == 3
    assert all(kernel.store.get("corp", 7, each) == EVENT for each in ids)


@pytest.mark.parametrize("text", ['{"event_type":"brand_new","new":[1.50, {"a":null}]}', '{"event_type":""}'])
def test_an_event_of_an_unknown_type_is_kept_as_it_is_all_the_same(kernel: Kernel, text: str) -> None:
    assert kernel.event(text) == ACCEPTED
    assert kernel.store.get("corp", 7, "notify-0") == text
    assert kernel.sdk.requests == [("spec_notify_app", {"notify_id": "notify-0", "notify_scene": 0})]


@for_each(
    ["", "OK", "[]", "null", "{}", '{"event_type":null}', '{"event_type":5}', "{", '{"a":"\ud800"}', "[" * 100_000]
    + ['{"event_type":"a"}x']
)
def test_what_is_no_event_is_neither_stored_nor_notified(text: str, kernel: Kernel) -> None:
    assert kernel.event(text) == refused("input contract: an event is a JSON object with a string at $.event_type")
    assert kernel.sdk.calls == []
    assert kernel.store.figures().rows == 0


def test_an_event_that_can_not_be_stored_is_not_notified(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    kernel.store.close()
    assert kernel.event(EVENT) == refused("the event could not be stored")
    assert kernel.sdk.calls == []
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("event refused, CallError: the event could not be stored (")


UNREADABLE = "spec_notify_app: the platform's reply is not readable"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (network_failure("spec_notify_app"), refused("spec_notify_app: the SDK call failed (-10002)")),
        (RuntimeError("a-secret"), INTERNAL),
        ('{"errcode":710604,"errmsg":"no permission"}', refused("spec_notify_app: no permission", 710604)),
        ('{"errcode":-1}', refused("spec_notify_app: ", -1)),
        *((text, refused(UNREADABLE)) for text in ('{"errcode":"0"}', '{"errcode":null}', '{"errmsg":5}', "[]", "")),
        *((text, refused(UNREADABLE)) for text in ("<html>", "\ud800", "[" * 100_000)),
    ],
    ids=lambda value: ascii(value)[:40] if isinstance(value, str) else "",
)
def test_an_event_of_which_the_app_could_not_be_told_is_answered_as_failed(
    kernel: Kernel, reply: Any, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    kernel.sdk.replies["spec_notify_app"] = reply
    assert kernel.event(EVENT) == answer
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "a-secret" not in caplog.text
    assert kernel.store.get("corp", 7, "notify-0") == EVENT


@pytest.mark.parametrize("reply", ["{}", OK, '{"errcode":0,"notify_id":"notify-0","new":[1]}'])
def test_a_reply_without_errcode_counts_as_told(kernel: Kernel, reply: str) -> None:
    kernel.sdk.replies["spec_notify_app"] = reply
    assert kernel.event(EVENT) == ACCEPTED


ZoneOf = Callable[..., Kernel]

FETCH = "[abilities.fetch]\nkind='callback_data'\n"
LEFT_OUT = "left out of replies, since the contract of stored events does not list it: "
BRAND_NEW = '{"event_type":"brand_new","timestamp":5,"brand_new":{"a-secret-key":{"b":1}}}'
LATER = '{"event_type":"hit_keyword","timestamp":5,"hit_keyword":{"token":"t","new":[{"a":"a-secret"}]},"also":null}'


def test_unlisted_keys_of_events_are_logged_when_they_come(kernel_of: ZoneOf, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of(FETCH)
    for _ in range(3):
        assert kernel.event(BRAND_NEW) == ACCEPTED
        assert kernel.event(LATER) == ACCEPTED
        assert kernel.event(EVENT) == ACCEPTED
    paths = ["$.brand_new", "$.hit_keyword.new", "$.also"]
    assert caplog.messages == [LEFT_OUT + path for path in paths]
    assert kernel.call("fetch", notify_id="notify-0") == {"event_type": "brand_new", "timestamp": 5}
    assert len(caplog.records) == len(paths), "it is not logged again when the event is fetched"
    assert "a-secret" not in caplog.text


def test_the_number_of_paths_that_are_logged_is_bounded(kernel_of: ZoneOf, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of(FETCH)
    for number in range(30):
        keys = {f"key{number}_{each}": 1 for each in range(50)}
        assert kernel.event(json.dumps({"event_type": "brand_new", **keys})) == ACCEPTED
    assert len(caplog.records) == 1000


@pytest.mark.parametrize("text", ['{"x":1}', '{"event_type":5,"x":1}', '{"x":1', '{"event_type":null,"x":1}'])
def test_only_in_events_are_keys_searched_for(kernel_of: ZoneOf, text: str, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of(FETCH)
    assert kernel.event(text)["errcode"] == 710660
    assert LEFT_OUT not in caplog.text
    assert kernel.event('{"event_type":"a","x":1}') == ACCEPTED
    assert f"{LEFT_OUT}$.x" in caplog.text


@pytest.mark.parametrize("text", [BRAND_NEW, LATER, EVENT, ' { "event_type" : "a" , "n" : 1.50e3 }\n'])
def test_policy_off_gives_an_event_as_stored(kernel_of: ZoneOf, text: str, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of(f"{FETCH}output_policy='off'\n")
    assert kernel.event(text) == ACCEPTED
    assert kernel.dispatch(app_call("fetch", notify_id="notify-0")).text == text
    assert caplog.records == [], "nothing is left out of any reply"


def test_each_row_for_stored_events_has_its_own_policy(kernel_of: ZoneOf, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of(
        "[func]\nprefix='input_'\napis=[]\n"
        "[abilities.raw]\nkind='callback_data'\noutput_policy='off'\n"
        "[abilities.picky]\nkind='callback_data'\noutput_policy='strict'\n"
    )
    assert kernel.event(BRAND_NEW) == ACCEPTED
    assert caplog.messages == [f"{LEFT_OUT}$.brand_new"], "input_do_async_job leaves it out"
    pruned = {"event_type": "brand_new", "timestamp": 5}
    asking = '{"input":{"func":"do_async_job"}}'
    assert kernel.dispatch(app_call("raw", notify_id="notify-0")).text == BRAND_NEW
    assert kernel.call("input_do_async_job", asking, notify_id="notify-0") == pruned
    errmsg = kernel.call("picky", notify_id="notify-0")["errmsg"]
    assert errmsg == "output contract: unknown key at $.brand_new"


def test_nothing_of_an_event_reaches_the_log(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    notify_id = "a-long-notify-id-that-opens-the-event"
    kernel.sdk.notify_ids = repeat(notify_id)
    with caplog.at_level(logging.DEBUG):
        assert kernel.event(EVENT) == ACCEPTED
        assert kernel.event('{"event_type":"' + "e" * 1000 + '\\n"}') == ACCEPTED
    assert caplog.text.count(" stored and notified as a-long-notif…") == 2
    assert "a-secret" not in caplog.text
    assert notify_id not in caplog.text
    assert all(len(record.getMessage()) < 200 for record in caplog.records)


def test_an_sdk_that_makes_no_notify_id_fails_the_event(kernel: Kernel) -> None:
    kernel.sdk.notify_ids = iter(())
    assert kernel.event(EVENT) == INTERNAL
    assert kernel.store.figures().rows == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text())
def test_arbitrary_text_is_answered(kernel: Kernel, text: str) -> None:
    assert kernel.event(text)["errcode"] in (0, 710660)


def test_jobs_are_woken_when_an_asynchronous_call_is_stored_and_not_when_it_could_not_be() -> None:
    store = open_store("memory:")
    waiting: list[int] = []
    intake = JobIntake(store, lambda: waiting.append(store.job_figures().waiting))
    assert json.loads(intake.accept(app_call("any", is_async=True, job_info="job"))) == ACCEPTED
    store.close()
    with pytest.raises(CallError, match="could not be stored"):
        intake.accept(app_call("any", is_async=True, job_info="another"))
    assert waiting == [1]

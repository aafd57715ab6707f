"""`kind = "jobs"` and `kind = "forget"`: a corp and an app manage what is theirs, and nothing else."""

import json
import logging
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.stores.suites.event_jobs import event_job
from tests.stores.suites.job_samples import job
from tests.stores.suites.notifications import notification
from tests.support.kernel import Kernel, app_call
from tests.support.once import Orders, run_job
from tests.support.tables import for_each
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.kept import KeptKey, KeptWrite
from wwspec_router.stores.program_keys import was_forgotten

REGISTRY = """
[abilities.jobs]
kind = "jobs"

[abilities.forget]
kind = "forget"
from_corps = ["ww-provider"]
"""


@pytest.fixture
def store(shared: Store) -> Store:
    return shared


@pytest.fixture
def table(tmp_path: Path) -> AbilityTable:
    registry = tmp_path / "registry.toml"
    registry.write_text(REGISTRY)
    return build_table(tmp_path, registry)


@pytest.fixture
def kernel(table: AbilityTable, store: Store) -> Kernel:
    return Kernel(table, store)


def fail(store: Store, job_id: str, **changes: Any) -> None:
    store.add(event_job(job_id, **{"agentid": 7, "data": '{"a-secret":1}', **changes}))
    assert store.claim("owner", 9, 30)
    assert store.begin("owner", job_id)
    assert store.set_aside("owner", job_id, Failure(error="LookupError", errcode=710660))


def ask(kernel: Kernel, ability_id: str, request: Any, **more: Any) -> Any:
    return kernel.call(ability_id, json.dumps(request), **more)


def test_the_jobs_that_failed_are_listed_without_their_data_and_dropped(kernel: Kernel) -> None:
    fail(kernel.store, "a")
    fail(kernel.store, "b")
    reply = ask(kernel, "jobs", {"action": "list", "limit": 1})
    assert reply["errcode"] == 0
    (shown,) = reply["jobs"]
    assert 0 <= shown.pop("failed_s") < 60
    failure = {"error": "LookupError", "errcode": 710660}
    assert shown == {"job_id": "b", "name": "event:hit_keyword", "attempts": 1, **failure}
    assert "a-secret" not in json.dumps(reply)
    assert [each["job_id"] for each in ask(kernel, "jobs", {})["jobs"]] == ["b", "a"]
    assert ask(kernel, "jobs", {"action": "drop", "job_id": "a"})["errcode"] == 0
    assert [each["job_id"] for each in ask(kernel, "jobs", {})["jobs"]] == ["b"]
    assert (kernel.store.job_figures().failed, kernel.store.job_figures().waiting) == (1, 0)


def test_a_job_runs_again_at_once_when_it_is_asked_for(table: AbilityTable, store: Store) -> None:
    fail(store, "a")
    woken: list[int] = []
    dispatcher = Dispatcher(table, Kernel(table, store).sdk, store, jobs=JobIntake(store, lambda: woken.append(1)))
    reply = json.loads(dispatcher.dispatch(app_call("jobs", '{"action":"retry","job_id":"a"}')).text)
    assert reply["errcode"] == 0
    assert woken == [1]
    assert [each.job_id for each in store.claim("owner", 9, 30)] == ["a"]


def test_a_job_without_an_ability_is_listed_with_that_mark_and_can_be_dropped_only(kernel: Kernel) -> None:
    fail(kernel.store, "failed")
    kernel.store.add(job("waits", agentid=7, ability_id="of_yesterday", data='{"a-secret":1}'))
    kernel.store.add(job("known", agentid=7, ability_id="jobs"))
    kernel.store.add(notification("told", agentid=7))
    reply = ask(kernel, "jobs", {})
    jobs = {each["job_id"]: each for each in reply["jobs"]}
    assert set(jobs) == {"waits", "failed"}
    shown = jobs["waits"]
    assert (shown["name"], shown["attempts"], shown["error"], shown["errcode"]) == ("of_yesterday", 0, "no ability", 0)
    assert "a-secret" not in json.dumps(reply)
    assert len(ask(kernel, "jobs", {"limit": 1})["jobs"]) == 1
    assert ask(kernel, "jobs", {"action": "retry", "job_id": "waits"})["errcode"] == 710660
    assert ask(kernel, "jobs", {"action": "drop", "job_id": "waits"}, agentid=8)["errcode"] == 710660
    assert ask(kernel, "jobs", {"action": "drop", "job_id": "known"})["errcode"] == 710660
    assert ask(kernel, "jobs", {"action": "drop", "job_id": "waits"})["errcode"] == 0
    assert [each["job_id"] for each in ask(kernel, "jobs", {})["jobs"]] == ["failed"]
    assert [each.job_id for each in kernel.store.claim("owner", 9, 30)] == ["known", "told"]


@for_each(["retry", "drop"])
def test_a_job_that_is_not_here_is_an_error_that_names_the_instance(action: str, kernel: Kernel) -> None:
    name = ask(kernel, "jobs", {})["instance"]
    reply = ask(kernel, "jobs", {"action": action, "job_id": "none"})
    assert name
    expected = {"errcode": 710660, "errmsg": "no failed job of this job_id is here", "instance": name, "jobs": []}
    assert reply == expected


@pytest.mark.parametrize("other", [{"corpid": "other"}, {"agentid": 8}])
def test_another_corp_or_app_neither_sees_nor_changes_a_job(kernel: Kernel, other: dict[str, Any]) -> None:
    fail(kernel.store, "a")
    assert ask(kernel, "jobs", {}, **other)["jobs"] == []
    for action in ("retry", "drop"):
        assert ask(kernel, "jobs", {"action": action, "job_id": "a"}, **other)["errcode"] == 710660
    assert [each["job_id"] for each in ask(kernel, "jobs", {})["jobs"]] == ["a"]


@for_each(
    [
        ({"action": "retry"}, "input contract: missing value: the job to retry at $.job_id"),
        ({"action": "drop", "job_id": ""}, "input contract: missing value: the job to drop at $.job_id"),
        ({"limit": 0}, "input contract: expected int from 1 to 1000 at $.limit"),
    ]
)
def test_a_bad_request_names_what_is_missing(request_: Any, errmsg: str, kernel: Kernel) -> None:
    reply = ask(kernel, "jobs", request_)
    assert (reply["errcode"], reply["errmsg"]) == (710660, errmsg)


def test_a_job_that_finds_no_room_to_run_again_stays(table: AbilityTable) -> None:
    with closing(open_store("memory:", StoreLimits(max_jobs=1))) as store:
        fail(store, "a")
        store.add(job("b"))
        kernel = Kernel(table, store)
        reply = ask(kernel, "jobs", {"action": "retry", "job_id": "a"})
        assert reply["errmsg"] == "too many jobs wait; this one stays set aside"
        assert [each["job_id"] for each in ask(kernel, "jobs", {})["jobs"]] == ["a"]


@pytest.mark.parametrize("ability_id", ["jobs", "forget"])
def test_a_store_that_fails_is_an_error_without_its_text(kernel: Kernel, ability_id: str) -> None:
    kernel.store.close()
    reply = ask(kernel, ability_id, {"corpid": "corp"} if ability_id == "forget" else {})
    assert reply["errcode"] == 710660
    assert "the store" in reply["errmsg"]
    assert "closed" not in reply["errmsg"]


def test_the_name_of_an_instance_is_that_of_its_store(table: AbilityTable, tmp_path: Path) -> None:
    path = f"sqlite:{tmp_path / 'one.db'}"
    with closing(open_store(path)) as one, closing(open_store(path)) as two, closing(open_store("memory:")) as other:
        names = [ask(Kernel(table, each), "jobs", {})["instance"] for each in (one, two, other)]
    assert names[0] == names[1] != names[2]
    with closing(open_store(path)) as later:
        assert ask(Kernel(table, later), "jobs", {})["instance"] == names[0]


def store_something(store: Store, corpid: str) -> None:
    store.put(corpid, 7, "n", "text", 60)
    store.add(job(f"job of {corpid}", corpid=corpid))
    key = KeptKey(corpid=corpid, agentid=7, space="app", name="n")
    store.write_kept([KeptWrite(key=key, text="1", version="1")])


def test_all_of_a_corp_is_forgotten_and_counted_and_no_other(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for corpid in ("corp", "other"):
        store_something(kernel.store, corpid)
    fail(kernel.store, "a")
    reply = ask(kernel, "forget", {"corpid": "corp"})
    counts = {"events": 1, "jobs": 2, "kept": 1, "replies": 0}
    assert reply == {"errcode": 0, "errmsg": "ok", "instance": reply["instance"], **counts}
    assert ask(kernel, "forget", {"corpid": "corp"})["jobs"] == 0
    assert kernel.store.get("other", 7, "n") == "text"
    assert kernel.store.has_job("job of other")
    assert "all of corp corp is removed: 1 events, 2 jobs, 1 kept values, 0 replies" in caplog.text


def test_the_kept_reply_of_a_call_that_runs_once_is_forgotten(kernel: Kernel) -> None:
    orders = Orders()
    for corpid in ("corp", "other"):
        orders.kernel(kernel.store).dispatch(app_call("place_order", '{"order":{"id":"a"}}', corpid=corpid))
    assert ask(kernel, "forget", {"corpid": "corp"})["replies"] == 1
    orders.kernel(kernel.store).dispatch(app_call("place_order", '{"order":{"id":"a"}}'))
    assert orders.runs == 3
    assert kernel.store.forget("other").replies == 1


@pytest.mark.parametrize("caller", ["other", "ww-provider"])
def test_another_corp_is_forgotten_only_for_a_corp_that_the_row_lists(kernel: Kernel, caller: str) -> None:
    store_something(kernel.store, "corp")
    reply = ask(kernel, "forget", {"corpid": "corp"}, corpid=caller)
    if caller == "ww-provider":
        assert (reply["errcode"], reply["events"], reply["jobs"]) == (0, 1, 1)
        assert was_forgotten(kernel.store, "corp")
    else:
        refusal = "another corp than the calling one: from_corps of the ability's row does not list the caller"
        assert (reply["errcode"], reply["errmsg"]) == (710660, refusal)
        assert kernel.store.has_job("job of corp")
        assert not was_forgotten(kernel.store, "corp")


def test_a_request_without_a_corp_and_an_asynchronous_call_forget_nothing(kernel: Kernel) -> None:
    store_something(kernel.store, "corp")
    for request in ({}, {"corpid": ""}):
        assert "input contract" in ask(kernel, "forget", request)["errmsg"]
    call = app_call("forget", '{"corpid":"corp"}', is_async=True, job_info="j")
    reply = json.loads(run_job(kernel.dispatcher, call).text)
    assert reply["errmsg"].startswith("call this ability synchronously")
    assert kernel.store.has_job("job of corp")


def test_a_store_that_is_full_of_kept_values_can_still_forget(table: AbilityTable) -> None:
    with closing(open_store("memory:", StoreLimits(max_kept_bytes=120))) as store:
        kernel = Kernel(table, store)
        ask(kernel, "jobs", {})  # its instance has a name
        key = KeptKey(corpid="corp", agentid=7, space="app", name="n")
        store.write_kept([KeptWrite(key=key, text="x" * 100, version="1")])
        assert ask(kernel, "forget", {"corpid": "corp"})["kept"] == 1
        assert was_forgotten(store, "corp")

"""A corp removes the app: what is deleted, in which order, and what comes late, twice or in between."""

import time
from contextlib import ExitStack

import pytest
from msgspec.structs import replace

from tests.client.suite.conftest import Make
from tests.client.suite.stand import Corp, Data, Shared
from tests.support.provider import SUITE_ID
from wwspec_client import CancelAuth, NotInstalledError


def test_a_corp_that_removes_the_app_is_forgotten(make: Make) -> None:
    data, called = Data(), list[str]()
    stand = make(corps=2, forgets=[data, called.append])
    gone, stays = stand.corp(0), stand.corp(1)
    for corp in (gone, stays):
        corp.install()
        corp.call()
        data.rows.append(corp.corpid)
    gone.admin.cancel()
    [cancelled] = stand.seen(1, CancelAuth)
    assert cancelled.corpid == gone.corpid
    assert (data.rows, called) == ([stays.corpid], [gone.corpid])
    assert (gone.stored, list(stand.do(lambda suite: suite.corps()))) == (None, [stays.corpid])
    with pytest.raises(NotInstalledError):
        gone.call()
    assert stays.call()


def test_every_step_runs_again_until_all_have_succeeded(make: Make) -> None:
    data, other = Data(), Data()
    data.failures = 2
    stand = make(forgets=[data, other])
    corp = stand.corp()
    corp.install()
    corp.admin.cancel()
    stand.seen(1, CancelAuth)
    assert data.calls == other.calls == [corp.corpid] * 3
    assert corp.stored is None


Half = tuple[Corp, Data]


@pytest.fixture
def half_forgotten(make: Make) -> Half:
    """A corp that is forgotten but for its data, which could not be deleted."""
    data = Data()
    data.failures = 1
    corp = make(forgets=[data]).corp()
    corp.install()
    with pytest.raises(ConnectionError):
        corp.stand.forget(corp.corpid)
    return corp, data


def test_no_call_is_made_while_data_is_being_deleted_and_another_process_ends_that(half_forgotten: Half) -> None:
    corp, data = half_forgotten
    assert corp.stored is not None
    assert (corp.stored.permanent_code, corp.stored.forgetting) == ("", True)
    with pytest.raises(NotInstalledError, match="is being deleted"):
        corp.call()
    corp.stand.other_machine(forgets=[data]).forget(corp.corpid)
    assert data.calls == [corp.corpid] * 2
    assert corp.stored is None


def test_a_corp_that_comes_back_before_all_is_deleted_waits_for_it(half_forgotten: Half) -> None:
    """Its new code is stored at once, since it works only once; its old data is not mixed with new data."""
    corp, _ = half_forgotten
    found = corp.exchange(corp.code())
    assert (found.is_ready, bool(found.permanent_code)) == (False, True)
    with pytest.raises(NotInstalledError, match="is being deleted"):
        corp.call()
    assert corp.stand.send("cancel_auth", at=found.installed_at - 60, AuthCorpId=corp.corpid).text == "success"
    corp.stand.seen(1, CancelAuth)
    assert corp.stored == replace(found, forgetting=False)
    assert corp.call()


def test_a_second_cancellation_removes_the_installation_that_waits(half_forgotten: Half) -> None:
    corp, _ = half_forgotten
    corp.exchange(corp.code())
    corp.admin.cancel()
    corp.stand.seen(1, CancelAuth)
    assert corp.stored is None


def test_a_late_cancellation_does_not_remove_a_newer_installation(make: Make) -> None:
    data = Data()
    stand = make(forgets=[data])
    corp = stand.corp()
    installed = corp.install()
    corp.send("cancel_auth", installed.installed_at - 60)
    assert not any(isinstance(each, CancelAuth) for each in stand.events)
    assert corp.stored == installed
    assert data.calls == []
    assert corp.call()


def test_a_cancellation_of_the_second_of_the_installation_is_asked_about(make: Make) -> None:
    """Our clock may be ahead of WeCom's: a corp that has removed the app is forgotten, whatever the times say."""
    stand = make(clock=lambda: time.time() + 60)
    corp = stand.corp()
    corp.install()
    corp.admin.cancel()
    stand.seen(1, CancelAuth)
    assert corp.stored is None


@pytest.mark.parametrize(("seconds", "is_forgotten"), [(9, False), (10, True), (86_400, True)])
def test_a_cancellation_ten_seconds_after_the_installation_or_later_forgets_the_corp(
    make: Make, seconds: int, is_forgotten: bool
) -> None:
    """At WeCom the corp still has the app: it would be kept if WeCom were asked, as within the tolerance of clocks."""
    data, now = Data(), int(time.time())
    stand = make(clock=lambda: now, forgets=[data])
    corp = stand.corp()
    installed = corp.install()
    corp.send("cancel_auth", now + seconds)
    assert any(isinstance(each, CancelAuth) for each in stand.events) is is_forgotten
    assert (corp.stored, data.calls) == ((None, [corp.corpid]) if is_forgotten else (installed, []))


def test_a_cancellation_that_comes_twice_or_of_nobody_changes_nothing_else(make: Make) -> None:
    data = Data()
    stand = make(corps=2, forgets=[data])
    stays = stand.corp(1)
    stays.install()
    for _ in range(2):
        assert stand.send("cancel_auth", AuthCorpId="ww-of-nobody").text == "success"
    stand.seen(2, CancelAuth)
    assert set(data.calls) == {"ww-of-nobody"}
    assert stays.call()


def test_a_code_that_waits_for_the_store_is_not_stored_after_the_corp_has_gone(unstored: tuple[Corp, str]) -> None:
    corp, code = unstored
    corp.admin.cancel()
    corp.stand.seen(1, CancelAuth)
    with pytest.raises(Exception, match="40078"):
        corp.exchange(code)
    assert corp.stored is None


def test_machines_share_tokens_and_a_forgotten_corp_has_none(make: Make, stack: ExitStack) -> None:
    shared = Shared()
    stand = make(corps=2, tokens=shared)
    gone, stays = stand.corp(0), stand.corp(1)
    for corp in (gone, stays):
        corp.install()
        corp.call()
    assert Corp(stand.other_machine(tokens=shared), gone.corpid, stack).call()
    assert (stand.asked("get_suite_token"), stand.asked("get_corp_token")) == (1, 2)
    names = {f'["{SUITE_ID}"]', f'["{SUITE_ID}","{gone.corpid}"]', f'["{SUITE_ID}","{stays.corpid}"]'}
    assert set(shared.rows) == names
    stand.forget(gone.corpid)
    assert set(shared.rows) == names - {f'["{SUITE_ID}","{gone.corpid}"]'}

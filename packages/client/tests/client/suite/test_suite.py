"""A provider's app at its corps: installed, called for, changed."""

from contextlib import ExitStack
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from tests.client.suite.conftest import Make
from tests.client.suite.stand import Corp, Kind, Stand
from tests.support.provider import SUITE_ID
from wwspec_client import (
    ChangeAuth,
    CreateAuth,
    NotInstalledError,
    PlatformError,
    ResetPermanentCode,
    SuiteTicket,
    TicketMissingError,
)
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.stores.rig import together

LOG_LEVEL = 2
"""What the emulator answers to `get_log_level`."""


def test_a_corp_installs_the_app_from_the_market_and_is_called_for(stand: Stand, corp: Corp) -> None:
    corp.admin.cancel()
    corp.admin.authorize(state="from the market")
    [created] = stand.seen(1, CreateAuth)
    assert isinstance(created, CreateAuth)
    assert (created.corpid, created.state) == (corp.corpid, "from the market")
    assert corp.call() == LOG_LEVEL
    assert corp.stored is not None
    assert (corp.stored.agentid, corp.stored.corp_name) == (stand.emulator.settings.agentid, "模拟企业1")
    assert list(stand.do(lambda suite: suite.corps())) == [corp.corpid]


def test_a_corp_installs_the_app_by_the_providers_link(stand: Stand, corp: Corp) -> None:
    corp.admin.cancel()
    link = stand.do(lambda suite: suite.install_url("http://provider.example/done", state="s 1&"))
    gone = httpx.post(link, data={"corp": corp.corpid})
    back = dict(parse_qsl(urlsplit(gone.headers["location"]).query))
    assert back["state"] == "s 1&"
    found = corp.exchange(back["auth_code"])
    assert (found.corpid, found.agentid) == (corp.corpid, stand.emulator.settings.agentid)
    assert corp.call() == LOG_LEVEL


def test_an_auth_code_that_comes_again_in_any_way_gives_the_same_installation(stand: Stand, corp: Corp) -> None:
    """As when a person loads the page of the redirect again."""
    code = corp.code()
    found = corp.exchange(code)
    assert corp.exchange(code) == found
    assert stand.asked("v2/get_permanent_code") == 1
    assert stand.other_machine().do(lambda suite: suite.install(code)) == found
    assert stand.send("create_auth", AuthCode=code).text == "success"
    stand.seen(1, CreateAuth)
    assert corp.stored == found


def test_an_auth_code_of_nobody_is_refused(stand: Stand) -> None:
    stand.corp().install()
    with pytest.raises(PlatformError, match="40078") as caught:
        stand.do(lambda suite: suite.install("made-up"))
    assert "made-up" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="auth_code"):
        stand.do(lambda suite: suite.install(""))


@pytest.mark.parametrize("older", [False, True])
def test_what_a_corp_has_authorised_comes_by_the_apis_of_today_or_by_the_older_ones(make: Make, *, older: bool) -> None:
    stand = make(older=older)
    corp = stand.corp()
    assert corp.install().agentid
    info = stand.do(lambda suite: suite.auth_info(corp.corpid))
    assert (info.corp.corpid, info.corp.corp_type) == (corp.corpid, "verified")
    assert info.agent.privilege.allow_party == [1]
    apis = ("get_permanent_code", "service/get_auth_info", "v2/get_permanent_code", "v2/get_auth_info")
    assert [stand.asked(api) > 0 for api in apis] == [older, older, not older, not older]


def test_a_code_is_not_lost_when_the_store_is_down(unstored: tuple[Corp, str]) -> None:
    """WeCom accepts a code only once."""
    corp, code = unstored
    assert corp.exchange(code).permanent_code
    assert corp.call() == LOG_LEVEL
    assert corp.stand.asked("v2/get_permanent_code") == 1


def test_a_custom_developed_app_uses_its_permanent_code_as_the_secret(make: Make) -> None:
    stand = make(app_type="custom")
    corp = stand.corp()
    corp.install()
    assert corp.call() == LOG_LEVEL
    assert (stand.asked("gettoken"), stand.asked("get_corp_token")) == (1, 0)
    corp.admin.reset_permanent_code()
    [reset] = stand.seen(1, ResetPermanentCode)
    assert reset.corpid == corp.corpid
    corp.admin.expire_tokens()
    assert corp.call() == LOG_LEVEL
    with pytest.raises(ConfigurationError, match="QR code"):
        stand.do(lambda suite: suite.install_url("http://provider.example"))


def test_change_auth_brings_the_name_and_the_number_of_today(stand: Stand, corp: Corp) -> None:
    found = corp.install()
    assert stand.store.replace(found, replace(found, corp_name="before", agentid=7))
    corp.admin.change_authorisation()
    stand.seen(1, ChangeAuth)
    assert corp.stored is not None
    assert (corp.stored.corp_name, corp.stored.agentid) == ("模拟企业1", stand.emulator.settings.agentid)


def test_those_who_need_the_suites_token_at_once_fetch_one(make: Make) -> None:
    stand = make(corps=8)
    corps = [stand.corp(number) for number in range(8)]
    for corp in corps:
        corp.install()
    stand.emulator.platform.world.suite.tokens.clear()
    stand.control.expire_tokens()
    before = stand.asked("get_suite_token")
    assert together(lambda number: corps[number].call(), 8) == [LOG_LEVEL] * 8
    assert stand.asked("get_suite_token") == before + 1


def test_a_corp_without_an_installation_is_named_with_what_to_do(make: Make) -> None:
    stand = make(corps=2)
    stand.corp(0).install()
    other = stand.corp(1)
    with pytest.raises(NotInstalledError, match=other.corpid) as caught:
        other.call()
    assert "install_url()" in str(caught.value)
    assert caught.value.corpid == other.corpid
    with pytest.raises(NotInstalledError):
        stand.do(lambda suite: suite.auth_info(other.corpid))
    assert stand.do(lambda suite: suite.is_installed(stand.corp(0).corpid))
    assert not stand.do(lambda suite: suite.is_installed(other.corpid))
    other.install()
    assert other.call() == LOG_LEVEL, "the same client works after the installation"


def test_before_the_first_ticket_the_error_says_what_to_do(kind: Kind, stack: ExitStack) -> None:
    stand = Stand(kind, stack)
    with pytest.raises(TicketMissingError, match="every ten minutes") as caught:
        stand.corp().install()
    assert caught.value.retryable
    stand.listen()
    assert isinstance(stand.seen(1)[0], SuiteTicket)
    assert stand.corp().install().permanent_code


def test_a_late_ticket_does_not_replace_a_newer_one(stand: Stand) -> None:
    latest = stand.store.ticket(SUITE_ID)
    assert stand.send("suite_ticket", at=1_000_000, SuiteTicket="old").text == "success"
    stand.seen(2, SuiteTicket)
    assert stand.store.ticket(SUITE_ID) == latest
    assert stand.corp().install().permanent_code


def test_the_next_ticket_heals_a_lost_one(stand: Stand) -> None:
    stand.corp().install()
    stand.store.save_ticket(SUITE_ID, "too old", 4e9)
    stand.emulator.platform.world.suite.tokens.clear()
    with pytest.raises(PlatformError, match="40085"):
        stand.do(lambda suite: suite.auth_info(stand.corp().corpid))
    stand.store.__init__()
    stand.emulator.platform.advance(2)  # the same callback within the second would be a repeated one
    stand.control.push_ticket()
    stand.seen(2, SuiteTicket)
    assert stand.corp().install().permanent_code

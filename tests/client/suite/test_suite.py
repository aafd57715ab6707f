"""A provider's app at its corps: installed, called for, changed, and forgotten."""

from tests.client.suite.conftest import Make
from wwspec_router.client import CreateAuth


def test_a_corp_installs_the_app_from_the_market_and_is_called_for(make: Make) -> None:
    stand = make()
    corp = stand.corp()
    corp.admin.cancel()
    corp.admin.authorize(state="from the market")
    [created] = stand.seen(1, CreateAuth)
    assert isinstance(created, CreateAuth)
    assert (created.corpid, created.state) == (corp.corpid, "from the market")
    assert corp.call() == 1
    found = stand.found(corp.corpid)
    assert found.agentid == stand.emulator.settings.agentid
    assert found.corp_name == "模拟企业1"

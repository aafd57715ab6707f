"""examples/archive_service: what it does for the corps that have it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.examples.test_archive_app import check_demo
from tests.support.tools import tool
from tests.support.waiting import wait_until
from torture.service_app import EXAMPLE, Database, ServiceApp, service_stage
from torture.service_judge import judge_messages
from torture.tenants import Tenant
from wwspec_devtools.testing.zone import ServedZone

Stage = tuple[ServedZone, ServiceApp, Database, list[Tenant]]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A service that knows its ticket, and three corps with the app that it does not know yet."""
    tool("initdb")
    with ExitStack() as stack:
        zone, app, database = stack.enter_context(service_stage(1))
        corps = zone.client.info()["corps"]
        url = zone.client.url
        tenants = [stack.enter_context(Tenant(url, corpid, number, 1, 0)) for number, corpid in enumerate(corps)]
        app.start()
        app.wait_up()
        zone.client.push_ticket()
        for tenant in tenants:
            tenant.leave()
            tenant.join()
        yield zone, app, database, tenants


@pytest.mark.slow  # it starts the server, the emulator, the program and the app, one after the other
def test_each_corp_s_messages_are_stored_for_it_with_their_keys_and_deleted_when_it_leaves(stage: Stage) -> None:
    zone, app, database, tenants = stage
    for tenant in tenants:
        tenant.sayer.allow(0.0)
        tenant.sayer.said += [tenant.client.say("zhangwei", "您好", to=["helan"]) for _ in range(2)]
    keys = {tenant.corpid: tenant.secret_key for tenant in tenants}

    def failures() -> list[str]:
        claims = {tenant.corpid: tenant.claim() for tenant in tenants}
        return judge_messages(database.rows(), claims, lambda corpid, msgid: keys[corpid](msgid))

    wait_until(lambda: not failures())
    assert "6 messages of 3 corps" in app.page()
    gone = tenants[1]
    gone.leave()
    wait_until(lambda: gone.corpid not in database.permanent_codes() and database.count() == 4)
    assert set(database.tokens()) == {tenants[0].corpid, tenants[2].corpid} == set(database.cursors())
    assert gone.corpid not in app.page()
    gone.join()
    gone.sayer.said.append(gone.client.say("zhangwei", "又来了", to=["helan"]))
    wait_until(lambda: not failures() and database.count() == 5)


@pytest.mark.slow  # it needs the same stage
def test_a_key_that_does_not_open_stops_no_message_and_is_opened_later(stage: Stage) -> None:
    _, _, database, tenants = stage
    tenant = tenants[0]

    def keys_of(*msgids: str) -> list[str | None]:
        return [row.secret_key for row in sorted(database.rows()) if row.msgid in msgids]

    with database.key_lost(tenant.corpid):
        sealed = tenant.client.say("zhangwei", "您好", to=["helan"])
        wait_until(lambda: keys_of(sealed) == [None])
    later = tenant.client.say("zhangwei", "您好", to=["helan"])
    wait_until(lambda: keys_of(sealed, later) == [tenant.secret_key(each) for each in sorted((sealed, later))])
    tenant.leave()
    wait_until(lambda: keys_of(sealed, later) == [])
    tenant.join()


@pytest.mark.nightly  # it starts the server, the emulator, the program and the app, one after the other
def test_the_demo_shows_messages_of_three_corps_and_ends_all_that_it_has_started(tmp_path: Path) -> None:
    tool("initdb")
    check_demo(EXAMPLE, "3 messages of 3 corps", tmp_path)

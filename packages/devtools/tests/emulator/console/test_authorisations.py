"""The view that plays the admins of corps."""

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.console.conftest import opened_console
from tests.support.apps import ROOT
from tests.support.zones import serve_zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole

SECOND = "wwemulator00000002"


def test_a_corp_cancels_authorises_again_ends_and_renews(browser: Browser) -> None:
    with (
        serve_zone(ROOT, emulate=("--app-type", "third", "--corps", "2")) as corps,
        opened_console(browser, corps.client.url, "/#/authorisations") as shown,
    ):
        card = shown.get_by_role("region", name="Permissions")
        card.get_by_role("button", name=f"Cancel {SECOND}").click()
        expect(card.get_by_text("The app is not authorised.")).to_be_visible()
        expect(card.get_by_text(f"wwspec zone cancel --corp {SECOND}")).to_be_visible()
        assert [each["is_installed"] for each in corps.client.authorisations()] == [True, False]
        card.get_by_role("button", name=f"Authorise {SECOND}").click()
        card.get_by_role("button", name=f"End the permissions {SECOND}").click()
        expect(card.get_by_text("chats: ended")).to_be_visible()
        card.get_by_role("button", name=f"Renew {SECOND}").click()
        expect(card.get_by_text("chats: until")).to_have_count(2)

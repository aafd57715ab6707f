"""The page as a whole: what is in it, and who may use it."""

import httpx
from playwright.sync_api import Page, expect

from wwspec_router.testing.zone import Zone


def test_every_view_opens_by_its_link_and_by_its_number(page: Page) -> None:
    views = ["Timeline", "Abilities", "Events", "Faults & clock", "Program", "Share"]
    for name in views:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(f"{name} · wwspec")
    for number, name in enumerate(views, start=1):
        page.keyboard.press(str(number))
        expect(page).to_have_title(f"{name} · wwspec")


def test_a_page_of_another_server_on_this_machine_changes_nothing(served: Zone) -> None:
    refused = httpx.post(f"{served.client.url}/emulator/reset", headers={"Origin": "http://localhost:3000"})
    assert refused.status_code == 403
    assert "not the console" in refused.json()["errmsg"]
    assert httpx.post(f"{served.client.url}/emulator/reset").status_code == 200


def test_the_page_may_not_be_in_a_frame_and_runs_no_script_but_its_own(served: Zone) -> None:
    for path in ("/", "/console/app.js", "/console/console.css"):
        answer = httpx.get(f"{served.client.url}{path}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["x-frame-options"] == "DENY"

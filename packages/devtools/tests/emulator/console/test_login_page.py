"""The page that plays WeCom's login, as a person at an app's page meets it."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.support.emulator import http_server
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser, on a served zone: 8 s

HTML = {"content-type": "text/html"}


def test_a_person_is_chosen_by_keyboard_and_the_app_learns_who_it_is(page: Page, served: Zone, axe: str) -> None:
    link = f"{served.client.url}/connect/oauth2/authorize?" + urlencode(
        {"appid": served.client.info()["corpid"], "response_type": "code", "scope": "snsapi_base", "state": "7"}
    )

    def app(path: str) -> tuple[int, dict[str, str], bytes]:
        target = f"{link}&{urlencode({'redirect_uri': f'{app_url}/back'})}#wechat_redirect"
        text = "you are back" if path.startswith("/back?") else f"<a href='{target}'>log in</a>"
        return 200, HTML, text.encode()

    with http_server(lambda headers, body: (405, {}, b""), app) as app_url:
        page.goto(app_url)
        page.get_by_text("log in").click()
        expect(page.get_by_role("heading", name="Choose who logs in")).to_be_visible()
        expect(page.get_by_role("list", name="Customers").get_by_role("listitem")).to_have_count(30)
        assert page.evaluate(f"{axe}; axe.run().then(found => found.violations.map(each => each.id))") == []
        page.get_by_role("list", name="Members of the corp").get_by_role("link", name="李娜 (lina)").press("Enter")
        expect(page.get_by_text("you are back")).to_be_visible()
        assert page.url.startswith(f"{app_url}/back?code=")
        assert page.url.endswith("&state=7")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_is_as_wide_as_the_window(page: Page, served: Zone, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    query = {
        "appid": served.client.info()["corpid"],
        "response_type": "code",
        "scope": "snsapi_base",
        "redirect_uri": served.client.url,
    }
    page.goto(f"/connect/oauth2/authorize?{urlencode(query)}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width

"""The browser that `wwspec zone page` opens: WeCom's hosts lead to the emulator, and no other host is reached."""

import pytest
from playwright.sync_api import Error

from tests.emulator.page.conftest import AppPage

pytestmark = pytest.mark.slow  # a browser of its own; test_messages has one for what every page meets


def test_other_hosts_are_refused_over_tls_too(app: AppPage) -> None:
    with app.page.context.new_page() as page:
        for url in ("http://example.com/", "http://192.0.2.1/"):
            response = page.goto(url)
            assert response is not None
            assert (response.status, "this proxy answers for" in response.text()) == (403, True), url
    for url in ("https://example.com/", "https://192.0.2.1/", "https://weixin.qq.com/"):
        with app.page.context.new_page() as page, pytest.raises(Error, match="ERR_TUNNEL_CONNECTION_FAILED"):
            page.goto(url)


def test_the_hosts_of_wecom_lead_to_the_emulator_each_to_its_own_paths(app: AppPage) -> None:
    response = app.page.goto(
        f"https://qyapi.weixin.qq.com/cgi-bin/gettoken?corpid={app.world.app.corpid}&corpsecret=wrong"
    )
    assert response is not None
    assert response.json()["errcode"] == 40001
    for path in ("/emulator/info", "/cgi-bin/gettoken", "/"):
        response = app.page.goto(f"https://open.work.weixin.qq.com{path}")
        assert response is not None
        assert response.status == 403, path


def test_the_page_of_another_machine_gets_no_frame(app: AppPage) -> None:
    headers = {"host": "open.work.weixin.qq.com", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = app.emulator.http.post("/wwopen/emulator/open", headers=headers, json={})
    assert answer.status_code == 403

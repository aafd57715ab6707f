"""The chat component of WeCom's own package shows messages of the emulator [100076]."""

from playwright.sync_api import expect

from tests.emulator.page.conftest import AppPage


def test_a_page_shows_messages(app: AppPage) -> None:
    first, second = app.said("您好，请问有货吗？"), app.said("有货的。")
    app.open()
    app.show_messages(first, second)
    expect(app.frame.locator(".row")).to_have_text(["您好，请问有货吗？", "有货的。"])
    assert app.calls("failed") == app.calls("handleError") == []

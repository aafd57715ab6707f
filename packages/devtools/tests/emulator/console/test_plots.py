"""The plots above the timeline: entries, failures and durations over the whole record, as a person reads them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.console.test_timeline import lines, search
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole


def plot(page: Page, name: str) -> Locator:
    return page.get_by_role("img", name=re.compile(f"^{name}"))


def part(page: Page) -> Locator:
    return page.get_by_role("slider", name="Part of the record")


def open_plots(page: Page) -> None:
    page.get_by_role("button", name="Plots").click()
    expect(page.get_by_role("button", name="Plots")).to_have_attribute("aria-expanded", "true")


def expect_part(page: Page, figures: str) -> None:
    """What the slider says to those who can't see it is beside it, too."""
    expect(part(page)).to_have_attribute("aria-valuetext", re.compile(rf"^from \d\d:\d\d:\d\d: {re.escape(figures)}$"))
    expect(page.get_by_role("region", name="Plots").get_by_text(figures)).to_be_visible()


@pytest.fixture
def opened(page: Page, served: Zone, tmp_path: Path) -> Page:
    """A session file of 12 calls: ten in its first second, then three seconds of silence, one under way, one failed."""
    assert served.call("chat_digest", '{"limit": "ten"}').refused_by
    session: dict[str, Any] = served.client.session()
    *_, call = session["entries"]
    given = [(number * 90, float(number), False) for number in range(1, 11)] + [
        (4500, None, False),
        (5200, 300.0, True),
    ]
    session["entries"] = [
        {
            **call,
            "number": number,
            "flow": number,
            "offset_ms": at,
            "duration_ms": took,
            "verdict": "failed" if failed else "ok",
        }
        for number, (at, took, failed) in enumerate(given, start=1)
    ]
    file = tmp_path / "session.json"
    file.write_text(json.dumps(session), "utf-8")
    page.goto("/#/session")
    page.get_by_label("Session file", exact=True).set_input_files(file)
    expect(lines(page)).to_have_count(12)
    open_plots(page)
    return page


def test_a_failed_call_is_in_the_plot_of_failures_while_it_happens(page: Page, served: Zone) -> None:
    page.goto("/#/timeline?q=-kind:token")
    open_plots(page)
    expect(page.get_by_text("Nothing is recorded yet.")).to_be_visible()
    expect(part(page)).to_be_disabled()
    served.call("chat_digest", {"limit": 3}).raise_for_error()
    served.client.advance(600)
    expect(plot(page, "Entries per 1 s: 3 ")).to_be_visible()
    expect(plot(page, r"Failed per 1 s: 0 \(of 3\), at most 0")).to_be_visible()
    assert served.call("chat_digest", '{"limit": "ten"}').refused_by
    expect(plot(page, r"Failed per \d s: 1 \(of 4\), at most 1")).to_be_visible()


def test_the_plots_of_a_file_say_its_figures_and_have_gaps_where_nothing_was_measured(opened: Page) -> None:
    expect(plot(opened, r"Entries per 1 s: 12 \(in 6 s\), at most 10$")).to_be_visible()
    expect(plot(opened, r"Failed per 1 s: 1 \(of 12\), at most 1$")).to_be_visible()
    durations = plot(opened, r"Duration, 99 of 100: 300 ms \(half: 6.0 ms\), at most 300 ms$")
    for line in ("main", "second"):
        expect(durations.locator(f"path.{line}")).to_have_attribute("d", re.compile("^M[^M]+M[^M]+$"))
    expect(plot(opened, "Entries").locator("path.main")).to_have_attribute("d", re.compile("^M[^M]+$"))


def test_a_part_says_its_figures_by_keys_and_shows_its_first_entry_in_the_list(opened: Page) -> None:
    part(opened).focus()
    opened.keyboard.press("Home")
    expect_part(opened, "entries 10, failed 0, half within 5.0 ms, 99 of 100 within 10 ms")
    opened.keyboard.press("ArrowRight")
    expect_part(opened, "no entries")
    expect(opened.get_by_role("button", name="Show in the list")).to_be_disabled()
    for _ in range(3):
        opened.keyboard.press("ArrowRight")
    expect_part(opened, "entries 1, failed 0, half within –, 99 of 100 within –")
    opened.keyboard.press("End")
    expect_part(opened, "entries 1, failed 1, half within 300 ms, 99 of 100 within 300 ms")
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("tree")).to_be_focused()
    expect(opened.get_by_role("treeitem", selected=True)).to_have_attribute("aria-posinset", "12")


def test_a_click_on_a_plot_shows_the_first_entry_of_that_time(opened: Page) -> None:
    failed = plot(opened, "Failed")
    width = failed.evaluate("element => element.clientWidth")
    failed.hover(position={"x": width - 5, "y": 20})
    expect_part(opened, "entries 1, failed 1, half within 300 ms, 99 of 100 within 300 ms")
    plot(opened, "Duration").click(position={"x": 5, "y": 20})
    expect_part(opened, "entries 10, failed 0, half within 5.0 ms, 99 of 100 within 10 ms")
    expect(opened.get_by_role("treeitem", selected=True)).to_have_attribute("aria-posinset", "1")


def test_the_plots_show_what_the_list_shows_over_the_time_of_the_whole_record(opened: Page) -> None:
    for query, entries, duration in (
        ("dur:>200ms", r"1 \(in 6 s\)", "300 ms"),
        ("dur:<200ms", r"10 \(in 6 s\)", "10 ms"),
        ("is:running", r"1 \(in 6 s\)", "–"),
        ('"ten"', r"12 \(in 6 s\)", "300 ms"),
        ("kind:sdk", r"0 \(in 6 s\)", "–"),
    ):
        search(opened).fill(query)
        expect(plot(opened, f"Entries per 1 s: {entries}")).to_be_visible()
        expect(plot(opened, f"Duration, 99 of 100: {duration} ")).to_be_visible()


def test_the_plots_are_closed_at_first_and_stay_as_they_were_left(page: Page, served: Zone) -> None:
    served.call("chat_digest", {"limit": 3}).raise_for_error()
    expect(lines(page, "chat_digest")).to_be_visible()
    expect(page.locator(".plot")).to_have_count(0)
    open_plots(page)
    page.reload()
    expect(plot(page, "Entries")).to_be_visible()
    page.get_by_role("button", name="Plots").click()
    expect(plot(page, "Entries")).to_be_hidden()
    page.reload()
    expect(lines(page, "chat_digest")).to_be_visible()
    expect(page.locator(".plot")).to_have_count(0)


COUNT_DRAWINGS = """async () => {
    const {RecordPlots} = await import("/console/timeline/record-plots.js");
    window.drawings = 0;
    window.plots = new RecordPlots(() => { window.drawings += 1; return null; }, () => {});
    window.plots.changed();
    document.body.append(window.plots.element);
    window.plots.button.click();
}"""


def test_what_comes_in_is_drawn_once_a_second_and_never_while_the_plots_are_closed(
    browser: Browser, served: Zone
) -> None:
    with browser.new_context(base_url=served.client.url) as context:
        page = context.new_page()
        page.clock.install(time=0)
        page.goto("/#/session")
        page.clock.pause_at(60_000)
        page.evaluate(COUNT_DRAWINGS)
        page.evaluate("for (let count = 0; count < 100; count += 1) plots.changed()")
        for milliseconds, drawings in ((999, 1), (1, 2), (5000, 2)):
            page.clock.run_for(milliseconds)
            assert page.evaluate("drawings") == drawings
        page.evaluate("plots.button.click(); plots.changed()")
        page.clock.run_for(5000)
        assert page.evaluate("drawings") == 2


CUT = """async (spans) => {
    const {cut} = await import("/console/timeline/bins.js");
    const row = (number, offset_ms) =>
        ({number, offset_ms, time_ms: offset_ms, duration_ms: 1, kind: "app", failed: true});
    return spans.map((span) => {
        const rows = new Map([[1, row(1, 300)], [2, row(2, 300 + span)], [3, row(3, 300 + span / 2)]]);
        const {bins, all} = cut(rows, null);
        const sum = bins.reduce((sum, {count}) => sum + count, 0);
        return [bins.length, sum, all.failed, bins[0].first, bins.at(-1).count > 0];
    });
}"""


def test_a_record_of_any_length_is_cut_into_at_most_61_parts_that_hold_all_of_it(page: Page) -> None:
    hour = 3_600_000
    for parts, *rest in page.evaluate(CUT, [0, 900, 59_900, 60_000, hour, 59 * hour, 24 * 60 * hour, 24 * 4000 * hour]):
        assert 1 <= parts <= 61
        assert rest == [3, 3, 1, True]

"""What the page says where nothing was measured, nothing was seen, or no reason is given: what is true."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.emulator.console.conftest import opened_console
from tests.support.apps import write_files
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.nightly  # in a browser; test_page, test_walk and test_working_day hold the page as a whole

HANDLERS = """
from wwspec_contracts.events import hit_keyword, knowledge_base_learn_done


def fails(event: hit_keyword.Event) -> None:
    raise RuntimeError("for good")


def fails_again(event: knowledge_base_learn_done.Event) -> None:
    raise RuntimeError("this time")
"""
REGISTRY = """
[abilities.status]
kind = "status"
[events.hit_keyword]
handler = "abilities.handlers:fails"
retries = 0
[events.knowledge_base_learn_done]
handler = "abilities.handlers:fails_again"
retries = 3
"""


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedZone]:
    folder = tmp_path_factory.mktemp("program")
    write_files(folder, {"abilities/handlers.py": HANDLERS, "abilities/registry.toml": REGISTRY})
    with serve_zone(folder) as zone:
        yield zone


def fact(page: Page, name: str) -> Locator:
    return page.locator(".facts div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def test_a_program_that_was_started_again_is_up_since_then_and_its_former_processes_are_gone(
    shown: Page, zone: ServedZone
) -> None:
    expect(fact(shown, "Processes")).to_contain_text(re.compile(r"^1 PID \d+$"))
    former = fact(shown, "Processes").inner_text()
    shown.get_by_role("link", name="Share").click()  # nobody watches while the program is away, as in a quick restart
    expect(shown.get_by_role("heading", name="Save the session")).to_be_visible()
    zone.kill_program()
    zone.start_program()
    shown.get_by_role("link", name="Program").click()
    expect(fact(shown, "Processes")).not_to_have_text(former)
    expect(fact(shown, "Processes")).to_have_text(re.compile(r"^1 PID \d+$"))
    agreed = """() => {
        const lines = [...document.querySelectorAll(".facts div")];
        const facts = Object.fromEntries(lines.map((line) => [...line.children].map((part) => part.textContent)));
        const [, hours, minutes, seconds] = /since (\\d+):(\\d+):(\\d+)/.exec(facts.State).map(Number);
        const began = new Date();
        began.setHours(hours, minutes, seconds);
        const runs = /(?:(\\d+) min ?)?(?:(\\d+) s)?/.exec(facts["Runs for"]);
        return Math.abs((Date.now() - began) / 1000 - (Number(runs[1] ?? 0) * 60 + Number(runs[2] ?? 0))) < 4;
    }"""
    assert shown.evaluate(agreed), "up since and runs for disagree"


def test_a_failed_run_of_event_code_is_counted_and_a_postponed_one_says_when_it_is_due(
    shown: Page, zone: ServedZone
) -> None:
    zone.fire("hit_keyword")
    expect(shown.get_by_text("events: 1 ended, 1 failed")).to_be_visible()
    zone.fire("knowledge_base_learn_done")
    job = shown.get_by_role("table", name="Oldest jobs").get_by_role("row").filter(has_text="postponed")
    expect(job.get_by_role("cell").nth(2)).to_have_text(re.compile(r"^due in \d+ s$"))
    shown.get_by_role("button", name="中文").click()
    expect(shown.get_by_text("事件：1")).to_be_hidden()
    expect(shown.get_by_text(re.compile("事件：已结束 1，失败 1"))).to_be_visible()


def test_an_event_that_was_fired_is_not_ok_when_its_code_failed_for_good(shown: Page) -> None:
    shown.goto("/#/events/hit_keyword")
    shown.get_by_role("button", name="Fire", exact=True).click()
    result = shown.get_by_role("region", name="What the program did")
    expect(result.get_by_role("listitem").first).to_contain_text("event hit_keyword failed")
    expect(result.get_by_role("paragraph").first).to_have_text(re.compile(r"^Entry \d+ in the timeline$"))


def test_an_empty_reason_gets_the_cause_and_the_fix_of_the_table(shown: Page, zone: ServedZone) -> None:
    zone.kill_program()
    wait_until(lambda: zone.call("status").errcode == 710674)  # a kept connection may end first: 710675
    number = zone.client.traffic(kind="call")[-1]["number"]
    shown.goto(f"/#/timeline/{number}")
    problem = shown.locator(".problem").first
    expect(problem).to_contain_text("The platform answers 710674: ")
    expect(problem).to_contain_text("connecting to the zone failed")
    with shown.context.expect_page() as opened:
        problem.get_by_role("link", name="About this errcode").click()
    row = opened.value.locator("#e710674")
    expect(row).to_contain_text("connecting to the zone failed")
    shown.get_by_role("button", name="中文").click()
    expect(problem).to_have_text(re.compile("^企业微信返回 710674：[^A-Za-z]+ 错误码说明"))
    zone.start_program()


def test_what_is_no_number_of_an_entry_is_not_called_entry_nan(shown: Page) -> None:
    shown.goto("/#/timeline/latest")
    expect(shown.get_by_text("latest is not the number of an entry")).to_be_visible()
    expect(shown.get_by_text("NaN")).to_have_count(0)


def test_the_count_of_what_is_saved_is_true_while_more_comes_in_and_older_entries_change(
    shown: Page, zone: ServedZone
) -> None:
    shown.get_by_role("link", name="Share").click()
    for _ in range(3):
        zone.call("status")
    last = zone.client.last_number()
    first = zone.client.traffic()[0]["number"]
    expect(shown.get_by_text(f"{last - first + 1} exchanges, {first} to {last}")).to_be_visible()


def test_nothing_is_said_of_an_sdk_that_was_never_seen_nor_of_times_that_nobody_measured(
    browser: Browser, zone: ServedZone
) -> None:
    zone.client.reset()
    figures = {"errcode": 0, "errmsg": "ok", "reply": IDLE}
    with opened_console(browser, zone.client.url, "about:blank") as page:
        page.route("**/emulator/figures", lambda route: route.fulfill(json=figures))
        page.goto("/#/program")
        expect(fact(page, "SDK")).to_have_text("not known until the program has answered")
        queue = page.locator(".plot").filter(has_text="Wait for a thread")
        expect(queue.locator(".figure")).to_have_text(re.compile("^–"))
        expect(queue).not_to_contain_text("0.0 ms")
        expect(page.get_by_role("table", name="Abilities").get_by_role("row").last).to_contain_text("––")


IDLE = (
    '{"errcode":0,"errmsg":"ok","uptime":90,"processes":1,"calls":1,"errors":[],"busy":0,"threads":1,"queued":0,'
    '"hung":0,"abilities":[{"ability_id":"greet","calls":1,"errors":0}],"jobs_ended":0,"jobs_failed":0,'
    '"jobs_given_up":0,"store":"ok","store_rows":0,"store_bytes":0,"jobs_running":0,"jobs_waiting":0,'
    '"jobs_claimed":0,"jobs_oldest_age_s":0,"oldest_jobs":[]}'
)

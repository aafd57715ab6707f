"""Events, messages and lists, as a person uses them."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.console.conftest import run_shown_command
from wwspec_devtools.emulator.events.types import EVENT_TYPES
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


def test_an_event_is_fired_and_what_the_program_did_is_shown(page: Page, served: Zone) -> None:
    page.get_by_role("link", name="Events").click()
    page.get_by_label("Event", exact=True).select_option("knowledge_base_learn_done")
    page.get_by_label("doc_id").fill("7")
    page.get_by_label("knowledge_base_name").fill("12")
    line = "wwspec fire knowledge_base_learn_done --set 'knowledge_base_name=\"12\"' --set doc_id=7 "
    expect(page.get_by_text(line)).to_be_visible()
    page.get_by_role("button", name="Fire", exact=True).click()
    steps = page.get_by_role("list", name="What followed").get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.first).to_contain_text("event knowledge_base_learn_done ok")
    expect(steps.nth(1)).to_contain_text("sdk spec_notify_app ok")
    event = served.client.traffic(kind="event")[-1]["request"]["knowledge_base_learn_done"]
    assert (event["doc_id"], event["knowledge_base_name"], event["learn_status"]) == (7, "12", 0)
    run_shown_command(page, "wwspec fire")
    assert served.client.traffic(kind="event")[-1]["request"]["knowledge_base_learn_done"]["doc_id"] == 7
    steps.first.get_by_role("link").click()
    assert re.search(r"#/timeline/\d+$", page.url)


def test_each_event_has_the_fields_that_the_emulator_fills_in(page: Page, served: Zone) -> None:
    page.goto("/#/events")
    for event_type in EVENT_TYPES:
        page.get_by_label("Event", exact=True).select_option(event_type)
        expect(page.get_by_text(f"wwspec fire {event_type} --url")).to_be_visible()
        event = served.client.fire(event_type)["event"]
        [own] = [value for value in event.values() if isinstance(value, dict)]
        assert set(page.locator(".schema-form label").all_inner_texts()) == {*own, "timestamp"}


def test_a_whole_event_is_sent_as_it_is_and_refusals_are_said_beside_it(page: Page, served: Zone) -> None:
    page.goto("/#/events/whole")
    page.get_by_label("Whole event").fill('{"event_type": "odd", "more": [1]}')
    page.get_by_role("button", name="Fire", exact=True).click()
    expect(page.get_by_role("link", name=re.compile("Entry .* in the timeline"))).to_be_visible()
    assert served.client.traffic(kind="event")[-1]["request"] == {"event_type": "odd", "more": [1]}
    page.get_by_label("Whole event").fill("{}")
    page.get_by_role("button", name="Fire", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("an event has an event_type")


def test_a_person_speaks_and_the_message_is_listed_and_found(page: Page, served: Zone) -> None:
    page.goto("/#/events?list=people")
    page.get_by_label("Filter").fill("lina")
    page.get_by_role("button", name="Speak as 李娜").click()
    expect(page.get_by_label("Text", exact=True)).to_be_focused()
    page.get_by_label("To; several with spaces").fill("mahui nobody")
    page.get_by_label("Text", exact=True).fill("Offer 42")
    page.get_by_role("button", name="Say", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="nobody")).to_be_visible()
    expect(page.get_by_label("To; several with spaces")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("To; several with spaces").fill("mahui")
    page.get_by_role("button", name="Say", exact=True).click()
    expect(page.get_by_role("list", name="What followed")).to_contain_text("conversation_new_message ok")
    page.get_by_role("link", name="Messages").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Offer 42")
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("row")).to_have_count(101)
    page.get_by_label("Filter").fill("offer")
    expect(page.get_by_role("row")).to_have_count(2)
    assert '"text": "Offer 42"' in run_shown_command(page, "wwspec zone messages")
    assert "msgid" in run_shown_command(page, "wwspec zone say")


@pytest.mark.parametrize(
    ("name", "shown"), [("Groups", "产品讨论组"), ("Knowledge bases", "kb_emulator_0001"), ("Rules", "价格, 合同")]
)
def test_groups_knowledge_bases_and_rules_are_listed_with_ids_to_copy(
    page: Page, served: Zone, name: str, shown: str
) -> None:
    served.call("invoke_create_rule", {"name": "r", "keyword": {"word_list": ["价格", "合同"]}})
    page.goto("/#/events")
    page.get_by_role("link", name=name).click()
    row = page.get_by_role("row").filter(has_text=shown)
    expect(row).to_be_visible()
    expect(row.get_by_role("button", name=re.compile("^Copy "))).to_be_visible()
    run_shown_command(page, "wwspec zone rules" if name == "Rules" else "wwspec zone info")


def test_an_event_is_fetched_as_the_app_by_one_click(page: Page, served: Zone) -> None:
    fired = served.client.fire("auth_knowledge_base", {"knowledge_base_name": "Prices"})
    served.client.traffic()  # waits until the app is notified
    page.goto(f"/#/timeline/{fired['number']}")
    page.get_by_role("button", name="Fetch it as the app").click()
    expect(page.locator("#entry-title")).to_contain_text("sync_call_program")
    fetched = served.client.traffic(kind="app")[-1]
    assert page.url.endswith(f"#/timeline/{fetched['number']}")
    notification = served.client.traffic(kind="callback")[-1]
    assert fetched["request"]["ability_id"] == "get_callback_data"
    assert fetched["request"]["notify_id"] == notification["request"]["notify_id"]
    assert json.loads(fetched["reply"]["response_data"])["auth_knowledge_base"]["knowledge_base_name"] == "Prices"
    page.goto(f"/#/timeline/{notification['number']}")
    expect(page.get_by_role("button", name="Fetch it as the app")).to_be_visible()

"""Abilities, as a person looks at them, calls them, and compares them with the admin console."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.emulator.console.conftest import run_shown_command
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.nightly  # in a browser; test_page and test_working_day hold the page as a whole


def test_an_ability_is_found_read_and_called_by_its_form_and_by_its_json(page: Page, served: Zone) -> None:
    page.get_by_role("link", name="Abilities").click()
    expect(page.get_by_role("link", name="chat_digest").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("chat_digest:digest")
    page.get_by_role("link", name="chat_digest").click()
    place = re.compile(r"declared in abilities/registry\.toml:\d+ \[abilities\.chat_digest\] · answers within 10 s")
    expect(page.get_by_text(place)).to_be_visible()
    expect(page.get_by_text("Pull one page of messages and count it.")).to_be_visible()
    limit, whole = page.get_by_label("limit", exact=True), page.get_by_label("The same as JSON")
    expect(limit).to_have_accessible_description("whole number · 1 to 1000 · default 200")
    limit.fill("3")
    expect(whole).to_have_value('{\n    "limit": 3\n}')
    whole.fill('{"limit": 4}')
    expect(limit).to_have_value("4")
    limit.press("Control+Enter")
    expect(page.get_by_role("region", name="Reply")).to_contain_text("messages: 4")
    assert json.loads(run_shown_command(page, "wwspec call"))["messages"] == 4
    page.get_by_role("link", name=re.compile("Entry .* in the timeline")).click()
    assert page.url.endswith("#/timeline/1")
    assert served.client.entry(1)["ability"] == "chat_digest"


def test_what_is_wrong_is_said_beside_its_field_before_and_after_the_call(page: Page) -> None:
    page.goto("/#/abilities/invoke_create_rule")
    name = page.get_by_label("name", exact=True)
    name.fill("x" * 21)
    expect(page.get_by_text("At most 20 characters")).to_be_visible()
    name.fill("price")
    page.get_by_role("button", name="Add keyword").click()
    page.get_by_role("button", name="Add word_list").click()
    page.get_by_label("1", exact=True).fill("y" * 33)
    expect(page.get_by_label("The same as JSON")).to_have_value(re.compile('"word_list": \\[\\s+"y{33}"'))
    expect(page.get_by_text("At most 32 characters")).to_be_visible()
    page.get_by_role("button", name="Call", exact=True).click()
    followed = page.get_by_role("list", name="What followed")
    expect(followed).to_contain_text("input $.keyword.word_list[0]: expected str of length <= 32")
    expect(page.get_by_label("1", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".problem", has_text="$.keyword.word_list[0]")).to_be_visible()
    page.get_by_label("The same as JSON").fill('{"name": "price", "keyword": 5, "more": 1}')
    expect(page.get_by_text("It must be: object")).to_be_visible()
    expect(page.get_by_text("Not in the contract: more")).to_be_visible()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(followed).to_contain_text("input $.keyword: an object expected, an integer found")
    page.get_by_label("The same as JSON").fill("{")
    expect(page.get_by_role("alert")).to_contain_text("Line 1, column 2: ")


def test_numbers_stay_as_they_are_written_and_a_form_of_several_shapes_follows_the_json(
    page: Page, served: Zone
) -> None:
    page.goto("/#/abilities/invoke_sync_msg")
    whole = page.get_by_label("The same as JSON")
    whole.fill('{"begin_time": 9007199254740993}')
    page.get_by_label("limit", exact=True).fill("1")
    expect(whole).to_have_value(re.compile('"begin_time": 9007199254740993\n'))
    page.get_by_label("mode", exact=True).select_option("1 · PAGE_IDS")
    expect(page.get_by_text("1: Ids of pages, to be read with")).to_be_visible()
    page.goto("/#/abilities/python_demo")
    page.get_by_label("The same as JSON").fill('{"input": {"func": "get_group_chat", "func_req": {"chatid": "wr1"}}}')
    expect(page.get_by_label("Which form")).to_have_value("1")
    expect(page.get_by_label("chatid")).to_have_value("wr1")
    expect(page.locator("datalist option")).to_have_count(len(served.client.info()["groups"]))


def test_an_asynchronous_call_shows_its_result_when_it_is_reported(page: Page) -> None:
    page.goto("/#/abilities/chat_digest")
    page.get_by_label("limit", exact=True).fill("2")
    page.get_by_label("Asynchronous").check()
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_text("the program has reported")).to_be_visible()
    expect(page.get_by_role("region", name="Reply")).to_contain_text("messages: 2")


@pytest.fixture
def registered(served: Zone) -> Iterator[Zone]:
    """What was registered is registered again afterwards."""
    contracts = served.client.contracts()
    yield served
    served.client.register(contracts)


def test_abilities_of_a_program_that_gives_examples_only_have_a_form_too(page: Page, registered: Zone) -> None:
    page.get_by_role("link", name="Abilities").click()
    registered.client.register({"chat_digest": ConsoleContract({"limit": 1, "token": "text"}, {"errcode": 0})})
    expect(page.get_by_text("1 of 1 abilities")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_text("Made from the console example")).to_be_visible()
    page.get_by_label("limit", exact=True).fill("2")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_role("list", name="What followed").get_by_text("failed").first).to_be_visible()


def test_without_registered_abilities_the_page_says_how_and_calls_any(page: Page, registered: Zone) -> None:
    registered.client.register({})
    page.goto("/#/abilities/*")
    page.get_by_label("Ability ID").fill("chat_digest")
    page.get_by_role("button", name="Call", exact=True).click()
    followed = page.get_by_role("list", name="What followed")
    expect(followed).to_contain_text("errcode 800003: no contract is registered for it")


def test_what_answers_an_ability_is_said_in_chinese_too(page: Page, served: Zone) -> None:
    targets = [target for each in served.client.contracts().values() if (target := each.target)]
    page.get_by_role("button", name="中文: switch to Chinese").click()
    said = page.evaluate(
        "async (texts) => { const { phrase } = await import('/console/texts/phrases.js'); return texts.map(phrase); }",
        targets,
    )
    for text, original in zip(said, targets, strict=True):
        assert re.search("[一-鿿]", text) or original.startswith("input.func "), original
    page.goto("/#/abilities/chat_digest")
    expect(page.get_by_text("处理函数 abilities.chat_digest:digest").last).to_be_visible()

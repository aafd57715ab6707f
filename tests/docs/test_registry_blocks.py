"""Registry files that a page shows whole: each is an application that answers as the page says."""

from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.pages import blocks_of_page
from tests.support.zones import serve_zone

pytestmark = pytest.mark.slow  # a zone for each; tests/registry has each key of the blocks

FIRST_LINE = "# abilities/registry.toml\n"


def blocks(page: str, language: str, first_line: str) -> list[str]:
    found = blocks_of_page(ROOT / "docs" / language / page)
    return [block.text for block in found if block.text.startswith(first_line)]


def registries(page: str) -> list[str]:
    """Return the registry files of a page that are more than a row; they are the same in both languages."""
    english = [block for block in blocks(page, "en", FIRST_LINE) if "[program]" in block or "[passthrough]" in block]
    assert all(block in blocks(page, "zh", FIRST_LINE) for block in english)
    return english


def test_a_java_or_cpp_program_is_one_file(tmp_path: Path) -> None:
    java, _ = registries("operation/from-the-demos.md")
    with serve_zone(write_files(tmp_path, {"abilities/registry.toml": java})) as zone:
        event = zone.fire("hit_keyword")["event"]
        assert zone.call("get_callback_data", notify_id=zone.notified()).reply == event
        assert len(zone.call("invoke_sync_msg", {"limit": 3}).reply["msg_list"]) == 3


def test_an_app_of_the_python_demo_keeps_its_requests(tmp_path: Path) -> None:
    _, python = registries("operation/from-the-demos.md")
    [function] = blocks("operation/from-the-demos.md", "en", "# abilities/count_words.py\n")
    app = write_files(tmp_path, {"abilities/registry.toml": python, "abilities/count_words.py": function})
    with serve_zone(app) as zone:
        event = zone.fire("hit_keyword")["event"]
        fetch = {"input": {"func": "do_async_job", "func_req": {}}}
        assert zone.call("input_do_async_job", fetch, notify_id=zone.notified()).reply == event
        pull = {"input": {"func": "sync_msg", "func_req": {"limit": 3}}}
        assert len(zone.call("input_sync_msg", pull).reply["msg_list"]) == 3
        count = {"input": {"func": "count_words", "func_req": {"texts": ["two words", "one"]}}}
        assert zone.call("input_count_words", count).reply["words"] == 3

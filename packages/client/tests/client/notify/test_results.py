"""What the program's code on an event returns is typed by the module that `wwspec contracts --client` writes."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from tests.support import command
from tests.support.apps import ROOT, write_files
from tests.support.zones import serve_zone
from wwspec_client import Notification, NotifyEvent, ReplyTypeError
from wwspec_contracts.base import Contract

PROGRAM = {
    "abilities/registry.toml": """
        [program]
        name = "counting"
        [abilities.get_callback_data]
        kind = "callback_data"
        [events.hit_keyword]
        handler = "abilities.counting:count"
        notify = "after"
    """,
    "abilities/counting.py": """
from wwspec_router import Output
from wwspec_contracts.events import hit_keyword

class Hits(Output):
    hits: int = 0

def count(event: hit_keyword.Event) -> Hits:
    return Hits(hits=3)
""",
}


def event_of(raw: dict[str, Any]) -> NotifyEvent:
    notification = Notification(corpid="corp", notify_id="n")
    return NotifyEvent(
        notification=notification, event_type=raw["event_type"], timestamp=1, data=raw, raw=raw, attempt=1
    )


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    write_files(tmp_path, PROGRAM)
    done = command.wwspec(ROOT, "contracts", "--app", str(tmp_path), "--client", str(tmp_path / "app"))
    assert done.returncode == 0, done.stderr
    spec = importlib.util.spec_from_file_location("counting", tmp_path / "app" / "counting.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "counting", module)
    spec.loader.exec_module(module)
    return module


def test_a_result_is_of_the_class_of_the_generated_module(counting: ModuleType, tmp_path: Path) -> None:
    with serve_zone(tmp_path) as zone:  # in this process other tests would find its package `abilities`
        zone.fire("hit_keyword")
        event = event_of(zone.notified("hit_keyword"))
    assert event.result == {"errcode": 0, "errmsg": "ok", "hits": 3}
    assert event.result_as(counting.Hits) == counting.Hits(hits=3)


class Hits(msgspec.Struct):
    hits: int


def test_an_event_without_a_result_has_none_of_any_class() -> None:
    assert event_of({"event_type": "hit_keyword"}).result_as(Hits) is None


class ContractHits(Contract):
    hits: int


@pytest.mark.parametrize("kind", [Hits, ContractHits])
def test_a_result_of_another_class_is_an_error_that_names_the_place_but_shows_no_data(kind: type[Any]) -> None:
    event = event_of({"event_type": "hit_keyword", "hit_keyword_result": {"hits": "customer data"}})
    with pytest.raises(ReplyTypeError, match=r"hit_keyword_result: the result is no \w*Hits: .*\$\.hits") as caught:
        event.result_as(kind)
    assert "customer data" not in str(caught.value)

"""JSON Schemas say what the source says."""

from datetime import date, datetime, time
from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, UnsetType
from wwspec_devtools.console_contracts.schema import contract_schema


class Mode(IntEnum):
    """How."""

    FAST = 1
    """At once."""
    SLOW = 0


class Part(Contract):
    """A part."""

    name: str
    """What it is
    called."""


class Whole(Part):
    """The whole."""

    mode: Mode | UnsetType = UNSET
    """How fast."""
    parts: list[Part] = []
    size: Annotated[int, msgspec.Meta(ge=1, description="Bytes.")] = 1
    """Not this."""


def test_fields_and_enums_have_their_names_docstrings_and_bounds_if_there_is_a_source() -> None:
    schema = contract_schema([Whole])
    fields = schema["$defs"]["Whole"]["properties"]
    assert schema["$ref"] == "#/$defs/Whole"
    assert fields["name"]["description"] == "What it is called."
    assert fields["mode"]["description"] == "How fast."
    assert fields["size"] == {"type": "integer", "minimum": 1, "default": 1, "description": "Bytes."}
    assert "description" not in fields["parts"]
    assert schema["$defs"]["Part"]["properties"]["name"]["description"] == "What it is called."
    mode = contract_schema([Whole])["$defs"]["Mode"]
    assert (mode["enum"], mode["enumNames"]) == ([0, 1], ["SLOW", "FAST"])
    assert mode["enumDescriptions"] == ["", "At once."]
    made = msgspec.defstruct("Made", [("id", int)])
    schema = contract_schema([made, Part])
    assert schema["anyOf"] == [{"$ref": "#/$defs/Made"}, {"$ref": "#/$defs/Part"}]
    assert schema["$defs"]["Made"]["properties"] == {"id": {"type": "integer"}}
    assert contract_schema([int]) == {"type": "integer"}


def test_a_text_that_is_a_date_or_a_time_says_so() -> None:
    class Booking(Contract):
        day: date
        starts: datetime | UnsetType = UNSET
        hour: time = time(8, 30)
        others: list[Annotated[datetime, Meta(tz=True)]] = []
        hours: list[time] = []

    properties = contract_schema([Booking])["$defs"]["Booking"]["properties"]
    found = {name: each.get("format") or each["items"]["format"] for name, each in properties.items()}
    assert found == {
        "day": "date",
        "starts": "date-time",
        "hour": "partial-time",
        "others": "date-time",
        "hours": "partial-time",
    }

"""What is shown of an exchange: bodies in every form."""

from tests.emulator.conftest import record_exchanges
from wwspec_devtools.emulator.display.views import whole
from wwspec_devtools.emulator.state.traffic.entries import MAX_BODY_BYTES
from wwspec_devtools.emulator.state.traffic.record import Traffic


def test_an_errcode_of_wecoms_has_its_meaning_in_both_languages_and_one_of_the_programs_none(traffic: Traffic) -> None:
    for errcode in (45009, 1001):
        traffic.end(traffic.begin("sdk", "sync_msg", "{}"), errcode, "{}", errcode=errcode)
    known, own = (whole(entry)["causes"] for entry in traffic.kept_entries())
    assert [len(texts) for texts in known.values()] == [2]
    assert own == {}


def test_a_body_that_is_not_json_is_shown_by_its_length_and_an_empty_one_as_empty(traffic: Traffic) -> None:
    record_exchanges(traffic, "api", reply="not json")
    record_exchanges(traffic, "api", sent="x" * (MAX_BODY_BYTES + 1))
    first, second = map(whole, traffic.kept_entries())
    for form in (first, first["raw"], first["text"]):
        assert (form["request"], form["reply"]) == ("", "not JSON, 8 characters")
    for form in (second["raw"], second["text"]):
        assert (form["request"], form["reply"]) == (f"not kept, {MAX_BODY_BYTES + 1} bytes", "")

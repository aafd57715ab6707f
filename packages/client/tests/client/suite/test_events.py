"""Callbacks of the command URL as typed events: what WeCom documents, and anything at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from tests.support.tables import for_each
from wwspec_client.suite import events
from wwspec_contracts.callbacks import Callback

AT = 1_403_610_513
TIME = datetime(2014, 6, 24, 11, 48, 33, tzinfo=UTC)
COMMON: dict[str, str] = {"SuiteId": "suite", "TimeStamp": str(AT)}
PERMISSION = {"AuthCorpId": "ww1", "AuthType": "data_zone_chat"}


def read(info_type: str, **fields: str) -> events.SuiteEvent:
    return events.read_event(callback({**COMMON, "InfoType": info_type, **fields}), "suite")


def callback(fields: dict[str, str]) -> Callback:
    return Callback(fields, "<xml>TOPSECRET</xml>", "suite", {})


@for_each(
    [
        ("suite_ticket", {"SuiteTicket": "TOPSECRET"}, events.SuiteTicket, {"ticket": "TOPSECRET"}),
        (
            "create_auth",
            {"AuthCode": "TOPSECRET", "State": "s"},
            events.CreateAuth,
            {"auth_code": "TOPSECRET", "state": "s"},
        ),
        ("change_auth", {"AuthCorpId": "ww1", "State": "s2"}, events.ChangeAuth, {"corpid": "ww1", "state": "s2"}),
        ("cancel_auth", {"AuthCorpId": "ww1"}, events.CancelAuth, {"corpid": "ww1"}),
        ("reset_permanent_code", {"AuthCode": "TOPSECRET"}, events.ResetPermanentCode, {"auth_code": "TOPSECRET"}),
    ]
)
def test_a_callback_of_wecoms_pages_is_an_event_of_its_class(
    info_type: str, fields: dict[str, str], kind: type[events.SuiteEvent], expected: dict[str, str]
) -> None:
    """[90628], [90642], [97175]"""
    event = read(info_type, **fields)
    assert type(event) is kind
    assert (event.time, event.suite_id) == (TIME, "suite")
    assert {name: getattr(event, name) for name in expected} == expected


def test_101587_data_permissions_with_the_days_that_are_left() -> None:
    granted = read("auth_data_permission", **PERMISSION)
    assert isinstance(granted, events.DataPermissionGranted)
    assert (granted.auth_type, granted.until) == ("data_zone_chat", TIME + timedelta(days=90))
    reminder = read("expire_remind_data_permission", **PERMISSION)
    assert isinstance(reminder, events.DataPermissionExpiring)
    left = [reminder.days_left(TIME + timedelta(days=days)) for days in (0, 2, 6.5, 7, 8)]
    assert left == [7, 5, 0, 0, 0]
    assert reminder.days_left() == 0
    ended = read("expire_data_permission", **PERMISSION)
    assert isinstance(ended, events.DataPermissionEnded)
    assert ended.until == TIME


@for_each(
    [
        {"InfoType": "corp_arch_auth", "AuthCorpId": "ww1"},
        {"InfoType": "advanced_api_insufficient", "ServiceCorpId": "wwp", "AuthCorpId": "ww1"},
        {"InfoType": "some_permission", **PERMISSION},
        {"InfoType": "suite_ticket", "SuiteTicket": ""},
        {"InfoType": "create_auth"},
        {"InfoType": "auth_data_permission", "AuthCorpId": "ww1"},
        {"Event": "enter_agent"},
        {},
    ]
)
def test_what_is_not_known_or_incomplete_is_a_plain_event_with_all_its_fields(fields: dict[str, str]) -> None:
    event = events.read_event(callback({**COMMON, **fields}), "suite")
    assert type(event) is events.SuiteEvent
    assert event.info_type == fields.get("InfoType", "")
    assert event.corpid == fields.get("AuthCorpId", "")
    assert event.callback.fields == {**COMMON, **fields}


@for_each(["", "soon", "-1", "1e9", "٣", "9" * 13, "9" * 400])
def test_a_cancellation_without_a_time_is_of_the_beginning(stamp: str) -> None:
    """So it never counts as newer than an installation; WeCom is asked then."""
    event = read("cancel_auth", AuthCorpId="ww1", TimeStamp=stamp)
    assert event.time == datetime(1970, 1, 1, tzinfo=UTC)


def test_no_repr_has_a_code_or_a_ticket() -> None:
    kinds: dict[str, Any] = {"suite_ticket": {"SuiteTicket": "TOPSECRET"}, "create_auth": {"AuthCode": "TOPSECRET"}}
    for info_type, fields in {**kinds, "reset_permanent_code": {"AuthCode": "TOPSECRET"}, "new": {}}.items():
        event = read(info_type, **fields)
        assert info_type in repr(event)
        assert "TOPSECRET" not in repr(event)


FIELDS = ["SuiteId", "InfoType", "TimeStamp", "SuiteTicket", "AuthCode", "AuthCorpId", "AuthType", "State", "Other"]
TYPES = ["suite_ticket", "create_auth", "change_auth", "cancel_auth", "reset_permanent_code", "auth_data_permission"]
TYPES += ["expire_remind_data_permission", "expire_data_permission", "_data_permission"]


@given(
    st.dictionaries(
        st.sampled_from(FIELDS), st.one_of(st.sampled_from(TYPES), st.integers(0, 10**12).map(str), st.text())
    )
)
def test_any_fields_are_an_event_that_says_what_it_was_sent(fields: dict[str, str]) -> None:
    event = events.read_event(callback(fields), fields.get("SuiteId", ""))
    assert event.info_type == fields.get("InfoType", "")
    assert event.suite_id == fields.get("SuiteId", "")
    assert event.corpid == fields.get("AuthCorpId", "")
    assert event.time.tzinfo is UTC
    assert repr(event)
    if isinstance(event, events.DataPermissionGranted | events.DataPermissionExpiring | events.DataPermissionEnded):
        assert event.days_left() >= 0
    if isinstance(event, events.SuiteTicket):
        assert event.ticket
    if isinstance(event, events.CreateAuth | events.ResetPermanentCode):
        assert event.auth_code
    if isinstance(event, events.ChangeAuth | events.CancelAuth):
        assert event.corpid

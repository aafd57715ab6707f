"""What WeCom sends to the command callback URL (指令回调URL) of a provider's app, typed [97172].

No event has a code or a ticket in its `repr`.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from wwspec_contracts.callbacks import Callback

CHAT = "data_zone_chat"
"""The AuthType of the permission for chats [101587]. WeCom's page names no other one of the zone."""

PERMISSION_LASTS = timedelta(days=90)
"""How long a data permission lasts [101439]."""
REMINDED = timedelta(days=7)
"""How long before its end WeCom reminds of it [101587]."""

_LATEST = 253_402_300_799
"""The last second of the year 9999."""
_LONGEST = 12
"""Digits."""


@dataclass(frozen=True, kw_only=True)
class SuiteEvent:
    """A callback of the command URL. One of another suite, or of a type that is not known, is of this class itself."""

    info_type: str
    """WeCom's name of it, such as `create_auth`; empty for a callback that has no `InfoType`."""
    suite_id: str
    """The app; empty for what concerns the provider, such as `advanced_api_insufficient`."""
    time: datetime
    """When WeCom made it (`TimeStamp`), in UTC; the beginning of 1970 when it does not say."""
    corpid: str = ""
    """The corp (`AuthCorpId`); for `CreateAuth` and `ResetPermanentCode` that of the new installation."""
    callback: Callback = field(repr=False)
    """The callback itself, with all its fields."""


@dataclass(frozen=True, kw_only=True)
class SuiteTicket(SuiteEvent):
    """`suite_ticket`: the ticket that suite tokens are asked for with, every ten minutes; valid for 30 [90628]."""

    ticket: str = field(repr=False)
    """The ticket. `Suite` has stored it."""


@dataclass(frozen=True, kw_only=True)
class CreateAuth(SuiteEvent):
    """`create_auth`: a corp has installed the app, from WeCom's market [90642]. `Suite` has stored the installation."""

    auth_code: str = field(repr=False)
    """Used up."""
    state: str = ""
    """That of the install link."""


@dataclass(frozen=True, kw_only=True)
class ResetPermanentCode(SuiteEvent):
    """`reset_permanent_code`: a custom-developed app has got another secret [97175]. `Suite` has stored it."""

    auth_code: str = field(repr=False)
    """Used up."""


@dataclass(frozen=True, kw_only=True)
class ChangeAuth(SuiteEvent):
    """`change_auth`: the corp has changed what the app may use, or whose chats [90642, 100237]."""

    state: str = ""
    """That of the install link, as far as WeCom tells it."""


@dataclass(frozen=True, kw_only=True)
class CancelAuth(SuiteEvent):
    """`cancel_auth`: the corp has removed the app [90642]. `Suite.forget` has run."""


@dataclass(frozen=True, kw_only=True)
class DataPermission(SuiteEvent):
    """A data permission of a corp: what the three events have [101587]."""

    auth_type: str
    """Which permission: `data_zone_chat` is that of chats."""
    until: datetime
    """When it ends, in UTC."""

    @property
    def is_chat(self) -> bool:
        """Whether it is the permission for chats, and so for messages."""
        return self.auth_type == CHAT

    def days_left(self, now: datetime | None = None) -> int:
        """Return the whole days until the permission ends; 0 when it has ended.

        Args:
            now: The time; by default that of this machine's clock.
        """
        return max(0, (self.until - (now or datetime.now(UTC))).days)


@dataclass(frozen=True, kw_only=True)
class DataPermissionGranted(DataPermission):
    """`auth_data_permission`: the corp has granted or renewed a permission, for 90 days [101587, 101439]."""


@dataclass(frozen=True, kw_only=True)
class DataPermissionExpiring(DataPermission):
    """`expire_remind_data_permission`: a permission ends in 7 days; this comes once [101587]."""


@dataclass(frozen=True, kw_only=True)
class DataPermissionEnded(DataPermission):
    """A permission has ended [101587]. Its `InfoType` is any other one that ends in `_data_permission`."""


def read_event(callback: Callback, suite_id: str) -> SuiteEvent:
    """Return the event of a callback; a `SuiteEvent` itself when its type or fields are not known, or not of the suite.

    Args:
        callback: What came to the command URL.
        suite_id: The app.
    """
    fields = callback.fields
    kind = fields.get("InfoType", "")
    time = _time(fields.get("TimeStamp", ""))
    common: dict[str, Any] = {
        "info_type": kind,
        "suite_id": fields.get("SuiteId", ""),
        "time": time,
        "corpid": fields.get("AuthCorpId", ""),
        "callback": callback,
    }
    needed = _NEEDED.get(kind, ("SuiteId", "AuthCorpId", "AuthType"))
    if fields.get("SuiteId") != suite_id or not all(fields.get(name) for name in needed):
        return SuiteEvent(**common)
    match kind:
        case "suite_ticket":
            return SuiteTicket(**common, ticket=fields["SuiteTicket"])
        case "create_auth":
            return CreateAuth(**common, auth_code=fields["AuthCode"], state=fields.get("State", ""))
        case "reset_permanent_code":
            return ResetPermanentCode(**common, auth_code=fields["AuthCode"])
        case "change_auth":
            return ChangeAuth(**common, state=fields.get("State", ""))
        case "cancel_auth":
            return CancelAuth(**common)
    permission = {**common, "auth_type": fields["AuthType"]}
    match kind:
        case "auth_data_permission":
            return DataPermissionGranted(**permission, until=_later(time, PERMISSION_LASTS))
        case "expire_remind_data_permission":
            return DataPermissionExpiring(**permission, until=_later(time, REMINDED))
    if kind.endswith("_data_permission"):
        return DataPermissionEnded(**permission, until=time)
    return SuiteEvent(**common)


_NEEDED = {
    "suite_ticket": ("SuiteId", "TimeStamp", "SuiteTicket"),
    "create_auth": ("SuiteId", "AuthCode"),
    "reset_permanent_code": ("SuiteId", "AuthCode"),
    "change_auth": ("SuiteId", "AuthCorpId"),
    "cancel_auth": ("SuiteId", "TimeStamp", "AuthCorpId"),
}
"""The fields without which an event is of no use."""


def _later(time: datetime, by: timedelta) -> datetime:
    return min(time, datetime.max.replace(tzinfo=UTC) - by) + by


def _time(text: str) -> datetime:
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else 0
    return datetime.fromtimestamp(min(seconds, _LATEST), UTC)

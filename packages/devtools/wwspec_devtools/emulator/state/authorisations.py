"""What a corp has authorised an app for, and until when.

The admin of a corp installs an app and grants it data permissions, which end after 90 days [101439]; those of a
self-built app have no end. Plain state: the caller holds the emulator's lock.
"""

import math
from typing import Literal

import msgspec

from wwspec_devtools.emulator.settings import AppType

PERMISSION_SECONDS = 90 * 86400
"""How long a data permission lasts [101439]."""
REMINDER_SECONDS = 7 * 86400
"""How long before its end the app is reminded, once [101587]."""

CHAT: Literal["chat"] = "chat"
KNOWLEDGE: Literal["knowledge"] = "knowledge"
DOCUMENT: Literal["document"] = "document"
PERMISSIONS = (CHAT, KNOWLEDGE, DOCUMENT)
"""The data permissions of the zone: chats, knowledge bases, documents."""

ORDERS = ("advanced_api_insufficient", "advanced_api_trial_expired")
"""The callbacks about seats that an app must understand [100272, 101406]."""


class Grant(msgspec.Struct, frozen=True):
    """One act by which the admin grants a data permission."""

    ends: float
    """Unix seconds."""


class Authorisation(msgspec.Struct, kw_only=True):
    """What one corp has authorised one app for."""

    permanent_code: str
    is_installed: bool = True
    grants: dict[str, Grant] = {}
    """The last grant of each data permission, also when it has ended."""
    first_message: int = 0
    """The position of the first message that the app may get: earlier ones are of an earlier authorisation [100142]."""
    first_hit: int = 0
    """The same of hits of keyword rules."""

    def has(self, permission: str, now: float) -> bool:
        """Return whether a data permission is granted and has not ended."""
        return self.is_installed and permission in self.grants and self.grants[permission].ends > now


def granted_at(kind: AppType, now: float) -> Grant:
    """Return a grant of now: that of a self-built app never ends."""
    return Grant(math.inf if kind in ("", "self") else now + PERMISSION_SECONDS)

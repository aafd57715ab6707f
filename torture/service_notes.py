"""What the run `service` and the app under it write for each other in one folder."""

from collections.abc import Mapping
from typing import Any

__all__ = ["CLOCK", "HANDLED", "command_name"]

HANDLED = "handled"
"""A line for each callback that the app has handled: a notify_id, or the name of a command."""
CLOCK = "clock"
"""The seconds by which WeCom's clock is ahead of this machine's."""


def command_name(content: Mapping[str, Any]) -> str:
    """Return what makes a callback of the command URL the same as another one."""
    who = content.get("AuthCorpId") or content.get("AuthCode") or content.get("SuiteTicket") or ""
    return f"{content['InfoType']} {content['TimeStamp']} {who} {content.get('AuthType', '')}".strip()

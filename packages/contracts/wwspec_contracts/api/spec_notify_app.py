"""Notify the app's back end that something waits for it (专区通知应用) [99849, 100040].

WeCom sends the app a program_notify callback with the notify_id; the app answers it with a
sync_call_program.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import UNSET, ApiRequest, Output, UnsetType, max_bytes


class Response(Output):
    """The id under which the app was notified."""

    notify_id: str = ""
    """Valid 10 minutes; the app gets the same id."""


class Request(ApiRequest[Response]):
    """What the app is told."""

    notify_id: Annotated[str, max_bytes(64)] | UnsetType = UNSET
    """An id made by the SDK; WeCom makes one when left out."""
    notify_scene: Annotated[int, Meta(ge=0, le=255)] | UnsetType = UNSET
    """A number of the program's own choice, which the app gets as NotifyScene."""

"""The contract of the ability `daily_digest`, and of what it tells the app."""

from typing import Annotated

from msgspec import Meta

from wwspec_router import Contract, Output

LONGEST = 48
"""Hours that a digest may cover, and for which consents are kept."""


class Request(Contract):
    """Which consents to count."""

    hours: Annotated[int, Meta(ge=1, le=LONGEST)] = 24
    """Those of the last so many hours."""


class Digest(Contract):
    """How many customers agreed to archiving."""

    one_to_one: int = 0
    groups: int = 0


class Response(Output):
    """Under which notify_id the digest waits."""

    notify_id: str = ""

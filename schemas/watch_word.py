"""The contract of the ability `watch_word`."""

from wwspec_contracts.rules import Word
from wwspec_router import Contract, Output


class Request(Contract):
    """What to watch for."""

    request_id: str
    """Made by the app, and the same when it asks again."""
    word: Word


class Response(Output):
    """The rule that was made."""

    rule_id: str = ""

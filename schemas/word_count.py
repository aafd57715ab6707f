"""The contract of the function `word_count`."""

from wwspec_contracts.rules import Word
from wwspec_router import Contract, Output


class Request(Contract):
    """What to count, and where."""

    word: Word
    texts: list[str]


class Response(Output):
    """How often it occurs."""

    count: int = 0

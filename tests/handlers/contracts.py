"""What the abilities of these tests are asked, and what they answer."""

from wwspec_router import Contract, Output


class Ask(Contract):
    word: str = ""


class Said(Output):
    said: str = ""

"""Compares the examples of an ability in the admin console with those of the code: what would go wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from wwspec_contracts.files import ConsoleContract
from wwspec_contracts.matching import mismatches

REQUEST_MISFIT, REPLY_MISFIT = 790016, 790014

_WHAT = {
    REQUEST_MISFIT: "a call that uses it is refused by the platform (790016)",
    REPLY_MISFIT: "a reply that holds it is refused by the platform (790014)",
    0: "the console lets it pass, the program refuses it",
}


class Difference(msgspec.Struct, frozen=True):
    """One place where both differ."""

    side: str
    """`input` or `output`."""
    path: str
    errcode: int
    """The errcode with which the platform refuses a JSON that uses it; 0 if the platform accepts what the program
    refuses."""
    why: str

    def __str__(self) -> str:
        return f"{self.side} {self.path}: {_WHAT[self.errcode]}: {self.why}"


def compare(contract: ConsoleContract, registered: Mapping[Any, Any]) -> Iterator[Difference]:
    """Yield what would go wrong with an ability as it is registered in the console.

    Args:
        contract: The examples of the code.
        registered: `input` and `output` as the console has them; a missing one is not compared.
    """
    if "input" in registered:
        refused = dict(mismatches(registered["input"], contract.input))
        for path, why in refused.items():
            yield Difference("input", path, REQUEST_MISFIT, why)
        for path, why in mismatches(contract.input, registered["input"]):
            if path not in refused:  # another type is reported once
                yield Difference("input", path, 0, why)
    if "output" in registered:
        for path, why in mismatches(registered["output"], contract.output):
            yield Difference("output", path, REPLY_MISFIT, why)

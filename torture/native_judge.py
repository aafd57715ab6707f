"""What must hold when the compiled check says that a text certainly fits.

msgspec, the checks after it and the platform's matching rule decide what is right.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from torture.fuzz_rig import promise
from torture.native_types import Case
from wwspec_contracts.decoding import UNREADABLE
from wwspec_contracts.errors import InputError, OutputError
from wwspec_contracts.examples import console_example, contract_faults
from wwspec_contracts.matching import mismatches
from wwspec_contracts.shape import shape_of
from wwspec_router.codecs.bounds import bounded, extra_check
from wwspec_router.codecs.fitting import Fits, plan_of

__all__ = ["Judge", "NewFitter"]

NewFitter = Callable[[object], Any]
"""`Fitter` of one build of the compiled module: takes a plan, has `fits`."""

_NO_EXAMPLE = object()


class Judge:
    """Asks several builds of the compiled check about texts of one type, and msgspec whether they are right.

    Args:
        case: The type.
        builds: `Fitter` of each build.
    """

    def __init__(self, case: Case, builds: list[NewFitter]) -> None:
        self.case = case
        shape = shape_of(case.type)
        self.plan = plan_of(shape, is_request=case.is_request)
        self.fitters: list[Any] = [] if self.plan is None else [_made(build, self.plan) for build in builds]
        self._fits: list[Fits] = [each.fits for each in self.fitters if each is not None]
        self._decode = msgspec.json.Decoder(bounded(case.type)).decode
        self._check = extra_check(shape, is_request=case.is_request)
        faults = next(contract_faults(case.type), None)
        self._example = console_example(case.type) if faults is None else _NO_EXAMPLE

    def says(self, text: str) -> bool:
        """Return what all builds say of a text.

        Raises:
            BrokenPromiseError: They say different things.
        """
        if not self._fits:
            return False
        answers = {fits(text) for fits in self._fits}
        promise(len(answers) == 1, "the builds of the compiled check disagree")
        return answers.pop()

    def is_right(self, text: str) -> bool:
        """Return whether msgspec decodes a text and the checks after it pass."""
        try:
            self._value(text)
        except (InputError, OutputError, *UNREADABLE):
            return False
        return True

    def judge(self, text: str) -> None:
        """Raise BrokenPromiseError when a text that certainly fits does not."""
        try:
            value = self._value(text)
        except (InputError, OutputError, *UNREADABLE) as error:
            promise(False, f"it certainly fits, but is refused: {error}")
            return
        plain = json.loads(text, object_pairs_hook=_without_doubles)
        again = msgspec.json.decode(msgspec.json.encode(value))
        promise(_is_kept(plain, again), "decoding and encoding it changes its value")
        if self._example is not _NO_EXAMPLE:
            misfit = next(mismatches(self._example, plain), None)
            promise(misfit is None, f"it certainly fits, but the platform refuses it: {misfit}")

    def _value(self, text: str) -> Any:
        value = self._decode(text)
        if self._check is not None:
            self._check(value, "$")
        return value


def _made(build: NewFitter, plan: object) -> Any:
    try:
        return build(plan)
    except ValueError:  # as `make_fitter` does
        return None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    promise(len(found) == len(pairs), "it certainly fits, but a key comes twice")
    return found


def _is_kept(value: Any, again: Any) -> bool:
    """Tell whether all of a value is in another, which may have more keys: those that are absent have a default."""
    if type(value) is not type(again):
        return False
    if isinstance(value, dict):
        return all(key in again and _is_kept(each, again[key]) for key, each in value.items())
    if isinstance(value, list):
        return len(value) == len(again) and all(map(_is_kept, value, again))
    return bool(value == again)

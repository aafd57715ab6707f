"""The errors of the package: one tree, and a policy that each class states for itself."""

import copy
import importlib
import inspect
import pickle
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import UnionType
from typing import Any

from scripts.rooms import all_modules
from tests.support.tables import for_each
from wwspec_client.models import MessageGap
from wwspec_contracts import errors
from wwspec_contracts.errors import (
    AbilityError,
    CallError,
    DecodeError,
    HandlerTimeoutError,
    NotifyNotFoundError,
    OverloadedError,
    WWSpecError,
)
from wwspec_contracts.support import stacks
from wwspec_devtools.testing.answer import Answer

NOW = datetime.now(UTC)
ROW = re.compile(r"^(?P<branch>[│ ]*[├└]─ )?(?P<name>\w+Error)\b.*?(?: {2,}(?P<module>[a-z_.]+))?$")


def drawn() -> Iterator[tuple[str, str, str]]:
    """Name, base and module of each row of the tree in the docstring of `errors`."""
    parents = [""]
    assert errors.__doc__
    for row in filter(None, map(ROW.match, errors.__doc__.splitlines())):
        depth = len(row["branch"] or "") // 3
        parents[depth + 1 :] = [row["name"]]
        yield row["name"], parents[depth], row["module"] or "wwspec_contracts.errors"


def defined() -> Iterator[type[BaseException]]:
    """Every exception that a module of the package defines."""
    for module in all_modules():
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, type) and issubclass(each, BaseException) and each.__module__ == module.name:
                yield each


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    classes = {
        (each.__name__, "" if each is WWSpecError else each.__bases__[0].__name__, each.__module__)
        for each in defined()
        if issubclass(each, WWSpecError)
    }
    assert set(drawn()) == classes


SAMPLES: dict[str, object] = {
    **{"str": "a text", "int": 7, "float": 1.5, "bool": True, "Sequence": ("a", "b"), "tuple": (1, 2)},
    "gap": MessageGap(NOW, NOW),
    "answer": Answer[Any]("call", 7, "no", "program", "{}"),
}
"""An argument for each kind of parameter, by name or by the beginning of its annotation."""


def made(kind: type[WWSpecError]) -> WWSpecError:
    """Make an error, with every argument that it takes."""
    given: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in inspect.signature(kind).parameters.values():
        kinds = parameter.annotation  # of Python 3.14 a union has a name, too
        annotation = str(kinds) if isinstance(kinds, UnionType) else getattr(kinds, "__name__", str(kinds))
        value = SAMPLES[parameter.name] if parameter.name in SAMPLES else SAMPLES[re.findall(r"\w+", annotation)[0]]
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            given.append(value)
    return kind(*given, **named)


@for_each(each for each in defined() if issubclass(each, WWSpecError))
def test_every_error_is_the_same_after_a_copy_and_in_another_process(kind: type[WWSpecError]) -> None:
    """Row 22: a process pool breaks, with all that it does, when an error can't be read back."""
    error = made(kind)
    error.add_note("a note")
    for other in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - its own
        assert type(other) is kind
        assert (str(other), repr(other), vars(other)) == (str(error), repr(error), vars(error))


LOGGABLE = """
CallError CrashError DecodeError FirstCallRunningError HandlerTimeoutError NotStoredError NotifyNotFoundError
OutputError OverloadedError PostponedError SdkCallError
""".split()


def test_only_messages_in_the_programs_own_words_are_loggable() -> None:
    own = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, CallError)]
    assert sorted(each.__name__ for each in own if each.loggable) == LOGGABLE


def test_the_subclass_of_an_application_is_not_loggable_unless_it_says_so_itself() -> None:
    class QuotesTheRequestError(HandlerTimeoutError):
        pass

    class SpeaksForItselfError(AbilityError):
        loggable = True

    class SaysItWithAnObjectError(AbilityError):
        loggable = object()  # type: ignore[assignment]  # what a careless application writes

    assert not QuotesTheRequestError.loggable and not QuotesTheRequestError.frequent
    assert SpeaksForItselfError.loggable
    assert SaysItWithAnObjectError.loggable is False


@for_each([CallError, DecodeError, NotifyNotFoundError, HandlerTimeoutError, OverloadedError])
def test_an_error_without_a_message_says_the_default_one_of_its_class(kind: type[CallError]) -> None:
    error = kind(detail="for the log")
    assert error.message == str(error) == kind.default_message != ""
    assert error.detail == "for the log"


class HostileError(Exception):
    """Raises whatever it is asked."""

    def __getattribute__(self, name: str) -> object:
        raise SystemExit("a-secret")


def test_no_error_can_keep_itself_from_being_described() -> None:
    assert stacks.describe(HostileError()) == "an error that can't be described"
    assert stacks.errcode_of(HostileError()) is None
    assert not stacks.is_a(HostileError(), CallError)

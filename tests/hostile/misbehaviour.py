"""Handlers that do what no handler should: one def and one async def, told by the request what to do.

Copied into the application of the served zone, and imported by the tests of the kernel.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import count
from types import ModuleType
from typing import Any, NoReturn, cast

import msgspec

from wwspec_router import AbilityError, CallError, Contract, Output, ability

MARK = "a-secret-of-the-handler"


class Way(Contract):
    name: str


class Result(Output):
    text: str = ""
    numbers: list[int] = []
    ratio: float = 0.5


class Other(msgspec.Struct):
    surplus: str = MARK


class Hedgehog:
    """Raises whatever is done to it."""

    def __prick(self, *arguments: object) -> NoReturn:
        raise RuntimeError(MARK)

    __str__ = __repr__ = __eq__ = __hash__ = __len__ = __bool__ = __iter__ = __call__ = __prick


class Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError(MARK)


class NamelessThing(metaclass=Nameless):
    pass


class NamelessError(Exception, metaclass=Nameless):
    pass


class TracelessError(Exception):
    @property
    def __traceback__(self) -> NoReturn:  # type: ignore[override]
        raise RuntimeError(MARK)


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError(MARK)

    __repr__ = __str__


class ImpostorError(Exception):
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return CallError


class HastyError(AbilityError):
    """Forgets to call its base class, so that it has no message."""

    def __init__(self) -> None:
        pass


class StubbornText(str):
    def encode(self, *arguments: object) -> NoReturn:
        raise RuntimeError(MARK)

    __str__ = __format__ = encode


class OwnNumber(int):
    pass


def _with_message(value: object) -> AbilityError:
    error = AbilityError("a message that is replaced")
    error.message = cast(str, value)
    return error


def _endless() -> Iterator[int]:
    yield from count()


async def _endless_later() -> AsyncIterator[int]:
    while True:
        yield 1


def _cyclic() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


def _cyclic_object() -> dict[str, Any]:
    value: dict[str, Any] = {"errcode": 0}
    value["text"] = value
    return value


def _deep() -> Any:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    return value


def _recurse() -> NoReturn:
    _recurse()


GARBAGE: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "integer": lambda: 3,
    "text": lambda: MARK,
    "bytes": lambda: MARK.encode(),
    "object": object,
    "class": lambda: Result,
    "module": lambda: ModuleType("a_module"),
    "function": lambda: _deep,
    "hedgehog": Hedgehog,
    "hedgehog inside": lambda: Result(text=cast(str, Hedgehog())),
    "hedgehog as key": lambda: {"errcode": 0, Hedgehog: 1},
    "nameless": NamelessThing,
    "generator": _endless,
    "generator inside": lambda: Result(numbers=cast(list[int], _endless())),
    "async generator": _endless_later,
    "error instead of raising it": lambda: AbilityError(MARK),
    "cyclic list": _cyclic,
    "cyclic object": _cyclic_object,
    "deep list": _deep,
    "huge integer": lambda: Result(numbers=[10**5000]),
    "not a number": lambda: Result(ratio=float("nan")),
    "infinity": lambda: Result(ratio=float("inf")),
    "surrogate": lambda: Result(text="\ud800"),
    "wrong struct": Other,
    "wrong type inside": lambda: Result(numbers=cast(list[int], [MARK])),
    "too much": lambda: {"errcode": 0, "errmsg": "ok", "surplus": MARK},
}
"""What is returned: never an answer that fits."""

KINDS = [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, StopAsyncIteration, MemoryError]
KINDS += [TimeoutError, ConnectionResetError]
RAISED: dict[str, Callable[[], BaseException]] = {
    **{kind.__name__: partial(kind, MARK) for kind in KINDS},
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", MARK.encode(), 0, 1, MARK),
    "ValidationError": lambda: msgspec.ValidationError(MARK),
    "ExceptionGroup": lambda: ExceptionGroup(MARK, [ValueError(MARK), CallError(MARK)]),
    "BaseExceptionGroup": lambda: BaseExceptionGroup(MARK, [SystemExit(MARK), KeyboardInterrupt(MARK)]),
    "one that has no text": MuteError,
    "one that has no name": NamelessError,
    "one that has no traceback": TracelessError,
    "one that pretends to be a CallError": ImpostorError,
    "an AbilityError without message": HastyError,
    "an AbilityError whose message became a number": lambda: _with_message(3),
    "an AbilityError whose message became an object": lambda: _with_message(Hedgehog()),
    "an AbilityError whose errcode is no JSON": lambda: AbilityError("a message", errcode=10**5000),
    "an AbilityError whose detail has no text": lambda: AbilityError("a message", detail=cast(str, Hedgehog())),
}
"""What is raised, to be answered as an internal error or, where the app can be told, with its message."""

DONE: dict[str, Callable[[], Any]] = {
    "endless recursion": _recurse,
    "more memory than there is": lambda: bytearray(1 << 62),
    "no exception at all": lambda: (_ for _ in ()).throw(cast(Any, 3)),
    "a division by nothing": lambda: 1 // 0,
}
"""What is done, and ends in an exception."""

SAID: dict[str, Callable[[], BaseException]] = {
    "errcode of a class of its own": lambda: AbilityError("a message", errcode=OwnNumber(5)),
    "message of a class of its own": lambda: AbilityError(StubbornText("a message"), errcode=5),
}
"""Errors in odd clothes, which the app is told all the same."""


def _do(name: str) -> Any:
    for way in (GARBAGE, DONE):
        if name in way:
            return way[name]()
    if name == "good":
        return Result(text="good")
    raise (RAISED | SAID)[name]()


@ability
def misbehave(request: Way) -> Result:
    return cast(Result, _do(request.name))


@ability
async def misbehave_later(request: Way) -> Result:
    await asyncio.sleep(0)
    if request.name == "CancelledError":
        raise asyncio.CancelledError(MARK)
    return cast(Result, _do(request.name))

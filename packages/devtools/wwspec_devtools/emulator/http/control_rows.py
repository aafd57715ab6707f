"""Controls of the emulator: each is one typed method of its client, marked by `control`.

All else is made from the method's signature and docstring: what the client sends, the endpoint, which calls the
method of the same name and arguments that does the work, and the verb below `wwspec zone`.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import msgspec

from wwspec_contracts.decoding import convert
from wwspec_devtools.emulator.answers import RefusedError, read

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class ControlRow(msgspec.Struct, frozen=True, dict=True, eq=False):
    """One control."""

    function: Callable[..., Any]
    """The method of the client as it is written. It is never more than its signature and docstring."""
    method: str
    """The endpoint's HTTP method. Arguments are in the body of a POST, and as texts in the query of others."""
    path: str
    """The endpoint's path."""
    answer: str
    """What of the answer the method returns; empty for all of it."""
    verb: str
    """The verb below `wwspec zone` that is made from it; empty for none."""
    of_corp: bool
    """Whether the control is for one corp, which the client and `--corp` name."""
    names: Mapping[str, str]
    """The names of arguments in the request, where they have others."""

    @property
    def name(self) -> str:
        """The name of the method that does the work."""
        return self.function.__name__.lstrip("_")

    @cached_property
    def parameters(self) -> list[inspect.Parameter]:
        """The arguments, without `self`."""
        return [*inspect.signature(self.function).parameters.values()][1:]

    @cached_property
    def request(self) -> type[msgspec.Struct]:
        """The type of a request: a field for each argument."""
        return request_of(self.name, self.parameters, self.names)

    def sent(self, *arguments: Any, **named: Any) -> tuple[str, Any]:
        """Return the path and the body of a request; the body is None when the path has the arguments."""
        values = msgspec.to_builtins(self.request(*arguments, **named), enc_hook=list)  # sequences of other types, too
        if self.method == "POST":
            return self.path, values or None
        given = {name: value for name, value in values.items() if value is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path, None


def request_of(
    name: str, parameters: Iterable[inspect.Parameter], names: Mapping[str, str] | None = None
) -> type[msgspec.Struct]:
    """Return the type of a request for a function: a field for each parameter.

    Args:
        name: Of the function.
        parameters: Its parameters that the request has.
        names: The names in the request of those that have others there.
    """
    fields: list[Any] = [
        (each.name, each.annotation, *(() if each.default is each.empty else (each.default,))) for each in parameters
    ]
    return msgspec.defstruct(name, fields, rename=names or {}, forbid_unknown_fields=True)


def read_arguments(request: type[msgspec.Struct], texts: Mapping[str, str] | None, body: bytes = b"") -> dict[str, Any]:
    """Return the arguments of a request.

    Args:
        request: Its type.
        texts: Of query and path; None when the body has the arguments.
        body: JSON; empty without arguments.

    Raises:
        RefusedError: 40058: an argument is missing, unknown, or of a wrong type or out of its range.
    """
    if texts is None:
        return msgspec.structs.asdict(read(request, body or b"{}"))
    try:
        return msgspec.structs.asdict(convert(texts, request, strict=False))
    except msgspec.ValidationError as error:
        raise RefusedError(40058, str(error)) from None


def control(
    method: str, path: str, answer: str = "", *, verb: str = "", of_corp: bool = False, **names: str
) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that makes a method of the client a control: its signature and docstring are all of it.

    The arguments are the fields of `ControlRow`.
    """

    def decorated(function: FunctionT) -> FunctionT:
        row = ControlRow(function, method, path, answer, verb, of_corp, names)

        @wraps(function)
        def call(client: Any, *arguments: Any, **named: Any) -> Any:
            function(client, *arguments, **named)  # only Python's own check of the arguments
            answered = client._asked(row.method, *row.sent(*arguments, **named))
            if row.answer:
                return answered[row.answer]
            return None if function.__annotations__["return"] is None else answered

        vars(call)["control"] = row
        return cast(FunctionT, call)

    return decorated


def controls(client: type) -> Iterator[ControlRow]:
    """Yield the controls of a class of the client, those of its bases first, in the order of the source."""
    for owner in reversed(client.__mro__):
        for each in vars(owner).values():
            row = getattr(each, "control", None)
            if isinstance(row, ControlRow):
                yield row

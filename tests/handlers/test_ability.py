from collections.abc import AsyncIterator, Iterator
from functools import wraps
from typing import Any

import pytest

from wwspec_router import AsyncContext, Context, Contract, Output, ability
from wwspec_router.handlers.ability import Handler, handler_of


class Request(Contract):
    """A request."""


class Reply(Output):
    """A reply."""


def no_parameters() -> Reply:
    raise NotImplementedError


def three_parameters(request: Request, ctx: Context, more: int) -> Reply:
    raise NotImplementedError


def unannotated_request(request, ctx: Context) -> Reply:  # type: ignore[no-untyped-def]
    raise NotImplementedError


def foreign_request(request: dict[str, int]) -> Reply:
    raise NotImplementedError


def optional_request(request: Request | None) -> Reply:
    raise NotImplementedError


def unannotated_reply(request: Request):  # type: ignore[no-untyped-def]
    raise NotImplementedError


def foreign_reply(request: Request) -> Contract:
    raise NotImplementedError


def optional_reply(request: Request) -> Reply | None:
    raise NotImplementedError


def unannotated_context(request: Request, ctx) -> Reply:  # type: ignore[no-untyped-def]
    raise NotImplementedError


def async_context_of_def(request: Request, ctx: AsyncContext) -> Reply:
    raise NotImplementedError


async def context_of_async_def(request: Request, ctx: Context) -> Reply:
    raise NotImplementedError


def context_first(ctx: Context, request: Request) -> Reply:
    raise NotImplementedError


def keyword_request(*, request: Request) -> Reply:
    raise NotImplementedError


def keyword_context(request: Request, *, ctx: Context) -> Reply:
    raise NotImplementedError


def many_requests(*request: Request) -> Reply:
    raise NotImplementedError


def keywords(request: Request, **ctx: Context) -> Reply:
    raise NotImplementedError


def unknown_annotation(request: "Nowhere") -> Reply:  # type: ignore[name-defined]  # noqa: F821
    raise NotImplementedError


def generator(request: Request) -> Iterator[Reply]:
    yield Reply()


async def async_generator(request: Request) -> AsyncIterator[Reply]:
    yield Reply()


SIGNATURE = "a handler takes a request and, if it wants, a context"
POSITIONAL = "a handler is called with its request and context by position"
ANNOTATE_REQUEST = "annotate request with a subclass of wwspec_router.Contract"
ANNOTATE_REPLY = "annotate the return value with a subclass of wwspec_router.Output"
GENERATOR = "a handler returns its reply, it can't be a generator"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_parameters, SIGNATURE),
        (three_parameters, SIGNATURE),
        (unannotated_request, ANNOTATE_REQUEST),
        (foreign_request, ANNOTATE_REQUEST),
        (optional_request, ANNOTATE_REQUEST),
        (unannotated_reply, ANNOTATE_REPLY),
        (foreign_reply, ANNOTATE_REPLY),
        (optional_reply, ANNOTATE_REPLY),
        (unannotated_context, "annotate ctx of a def handler with wwspec_router.Context"),
        (async_context_of_def, "annotate ctx of a def handler with wwspec_router.Context"),
        (context_of_async_def, "annotate ctx of an async def handler with wwspec_router.AsyncContext"),
        (context_first, "annotate ctx with a subclass of wwspec_router.Contract"),
        (keyword_request, POSITIONAL),
        (keyword_context, POSITIONAL),
        (many_requests, POSITIONAL),
        (keywords, POSITIONAL),
        (unknown_annotation, "name 'Nowhere' is not defined; annotations must be importable at run time"),
        (generator, GENERATOR),
        (async_generator, GENERATOR),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_signature_is_refused_with_what_to_write(function: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        ability(function)
    assert str(caught.value) == f"{function.__name__}: {message}"
    assert handler_of(function) is None


@pytest.mark.parametrize("thing", [3, "text", None, Reply()])
def test_only_functions_can_be_marked(thing: Any) -> None:
    with pytest.raises(TypeError):
        ability(thing)


def plain(request: Request, ctx: Context) -> Reply:
    raise NotImplementedError


def without_context(request: Request) -> Reply:
    raise NotImplementedError


async def asynchronous(request: Request, ctx: AsyncContext) -> Reply:
    raise NotImplementedError


async def asynchronous_without_context(request: "Request") -> "Reply":
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "is_async", "takes_context"),
    [
        (plain, False, True),
        (without_context, False, False),
        (asynchronous, True, True),
        (asynchronous_without_context, True, False),
    ],
)
def test_a_mark_returns_the_same_function_with_its_contract(function: Any, is_async: bool, takes_context: bool) -> None:
    assert ability(function) is function
    assert handler_of(function) == Handler(function, Request, Reply, is_async, takes_context)


def test_a_decorator_put_over_a_mark_is_not_passed_by() -> None:
    inner = ability(without_context)

    @wraps(inner)
    def outer(request: Request) -> Reply:
        return inner(request)

    assert handler_of(outer) is None
    assert handler_of(ability(outer)) == Handler(outer, Request, Reply, False, False)
    assert handler_of(inner) == Handler(inner, Request, Reply, False, False)


@pytest.mark.parametrize("thing", [print, 3, None, Request, without_context.__name__])
def test_what_is_not_marked_has_no_handler(thing: object) -> None:
    assert handler_of(thing) is None

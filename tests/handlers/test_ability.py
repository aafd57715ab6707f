from collections.abc import AsyncIterator, Iterator  # noqa: F401 - for the lines of a table
from functools import wraps
from typing import Any

import pytest

from tests.support.tables import for_each
from wwspec_router import AsyncContext, Context, Contract, Output, ability  # noqa: F401 - for the lines of a table
from wwspec_router.handlers.ability import Handler, handler_of


class Request(Contract):
    """A request."""


class Reply(Output):
    """A reply."""


SIGNATURE = "a handler takes a request and, if it wants, a context, by position"
ANNOTATE_REQUEST = "annotate request with a subclass of wwspec_router.Contract"
ANNOTATE_REPLY = "annotate the return value with a subclass of wwspec_router.Output"
ANNOTATE_CONTEXT = "annotate ctx of a def handler with wwspec_router.Context"
ANNOTATE_ASYNC = "annotate ctx of an async def handler with wwspec_router.AsyncContext"
GENERATOR = "a handler returns its result, it can't be a generator"
UNKNOWN = "name 'Nowhere' is not defined; annotations must be importable at run time"


@for_each(
    [
        ("def wrong() -> Reply: ...", SIGNATURE),
        ("def wrong(request: Request, ctx: Context, more: int) -> Reply: ...", SIGNATURE),
        ("def wrong(request, ctx: Context) -> Reply: ...", ANNOTATE_REQUEST),
        ("def wrong(request: dict[str, int]) -> Reply: ...", ANNOTATE_REQUEST),
        ("def wrong(request: Request): ...", ANNOTATE_REPLY),
        ("def wrong(request: Request) -> Contract: ...", ANNOTATE_REPLY),
        ("def wrong(request: Request, ctx) -> Reply: ...", ANNOTATE_CONTEXT),
        ("def wrong(request: Request, ctx: AsyncContext) -> Reply: ...", ANNOTATE_CONTEXT),
        ("async def wrong(request: Request, ctx: Context) -> Reply: ...", ANNOTATE_ASYNC),
        ("def wrong(ctx: Context, request: Request) -> Reply: ...", ANNOTATE_REQUEST.replace("request", "ctx")),
        ("def wrong(*, request: Request) -> Reply: ...", SIGNATURE),
        ("def wrong(*request: Request) -> Reply: ...", SIGNATURE),
        ("def wrong(request: 'Nowhere') -> Reply: ...", UNKNOWN),
        ("def wrong(request: Request) -> Iterator[Reply]: yield Reply()", GENERATOR),
        ("async def wrong(request: Request) -> AsyncIterator[Reply]: yield Reply()", GENERATOR),
    ]
)
def test_a_wrong_signature_is_refused_with_what_to_write(code: str, message: str) -> None:
    names = dict(globals())
    exec(code, names)  # noqa: S102 - a line of the table
    with pytest.raises(TypeError) as caught:
        ability(names["wrong"])
    assert str(caught.value) == f"wrong: {message}"
    assert handler_of(names["wrong"]) is None


@pytest.mark.parametrize("thing", [3, "text", None, Reply()])
def test_only_functions_can_be_marked(thing: Any) -> None:
    with pytest.raises(TypeError):
        ability(thing)


def without_context(request: Request) -> Reply:
    raise NotImplementedError


def test_a_decorator_put_over_a_mark_is_not_passed_by() -> None:
    inner = ability(without_context)

    @wraps(inner)
    def outer(request: Request) -> Reply:
        return inner(request)

    assert handler_of(outer) is None
    assert handler_of(ability(outer)) == Handler(outer, Request, Reply, False, False)
    assert handler_of(inner) == Handler(inner, Request, Reply, False, False)

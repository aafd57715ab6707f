"""Handlers about words, for registries over the reference application."""

from typing import Any

from wwspec_router import Context, Contract, Output, ability


class Request(Contract):
    word: str
    texts: list[str] = []


class Response(Output):
    count: int = 0


@ability
def count(request: Request, ctx: Context) -> Response:
    return Response(count=sum(text.count(request.word) for text in request.texts))


@ability
async def vowels(request: Request) -> Response:
    return Response(count=sum(request.word.count(vowel) for vowel in "aeiou"))


@ability
def untyped(request: dict[str, Any]) -> dict[str, Any]:
    return {}

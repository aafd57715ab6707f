"""An own function of the Python demo's protocol: counts a word in texts."""

from schemas.word_count import Request, Response
from wwspec_router import ability


@ability
def word_count(request: Request) -> Response:
    """Count how often a word occurs."""
    return Response(count=sum(text.count(request.word) for text in request.texts))

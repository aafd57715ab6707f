"""Delete a knowledge base (删除知识集) [99836, 100030].

It must be the app's own and still authorised.
"""

from wwspec_contracts.base import ApiRequest, Output


class Response(Output):
    """Whether it was deleted."""


class Request(ApiRequest[Response]):
    """Which knowledge base."""

    kb_id: str
    """The knowledge base: its id from knowledge_base_list or knowledge_base_create."""

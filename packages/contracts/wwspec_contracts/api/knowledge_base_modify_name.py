"""Rename a knowledge base (修改知识集名称) [99836, 100030].

It must be the app's own and still authorised.
"""

from wwspec_contracts.base import ApiRequest, Output
from wwspec_contracts.knowledge import KnowledgeBaseTitle


class Response(Output):
    """Whether it was renamed."""


class Request(ApiRequest[Response]):
    """Which knowledge base, and its new name."""

    kb_id: str
    """The knowledge base: its id from knowledge_base_list or knowledge_base_create."""
    kb_name: KnowledgeBaseTitle
    """The new name."""

"""Rename a knowledge base (修改知识集名称) [99836, 100030].

It must be the app's own and still authorised.
"""

from wwspec_router.contracts import ApiRequest, Output
from wwspec_router.wecom.knowledge import KnowledgeBaseTitle


class Response(Output):
    """Whether it was renamed."""


class Request(ApiRequest[Response]):
    """Which knowledge base, and its new name."""

    kb_id: str
    kb_name: KnowledgeBaseTitle

"""Add contents to a knowledge base (添加知识集内容) [99836, 100030].

At most 1000 contents in one knowledge base, which must be the app's own and still authorised.
"""

from wwspec_contracts.base import ApiRequest, Output
from wwspec_contracts.knowledge import AddedDoc, NewDocs


class Response(Output):
    """What was added."""

    doc_list: list[AddedDoc] = []
    """The contents that were added."""


class Request(ApiRequest[Response]):
    """Where to, and what."""

    kb_id: str
    """The knowledge base: its id from knowledge_base_list or knowledge_base_create."""
    doc_list: NewDocs
    """The contents to add, 1 to 1000."""

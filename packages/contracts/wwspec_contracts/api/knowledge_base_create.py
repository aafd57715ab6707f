"""Make a knowledge base (创建知识集) [99836, 100030].

At most 1000 knowledge bases for one corp. The new one is authorised to the app at once; the corp can
withdraw it. Online documents, online sheets and drive files can't be added.
"""

from wwspec_contracts.base import ApiRequest, Output
from wwspec_contracts.knowledge import AddedDoc, KnowledgeBaseTitle, NewDocs


class Response(Output):
    """The new knowledge base."""

    kb_id: str = ""
    """For the other knowledge_base APIs."""
    doc_list: list[AddedDoc] = []
    """Its contents."""


class Request(ApiRequest[Response]):
    """Its name and first contents."""

    kb_name: KnowledgeBaseTitle
    doc_list: NewDocs
    """Its first contents, 1 to 1000."""

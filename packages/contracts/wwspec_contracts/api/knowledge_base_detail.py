"""Read one knowledge base (获取知识集详情) [99836, 100030].

It must be the app's own and still authorised.
"""

from enum import IntEnum

from wwspec_contracts.base import ApiRequest, Contract, Output, Unsigned


class DocStatus(IntEnum):
    """How far a content has come."""

    ADDED = 0
    FAILED = 1
    """The page can't be reached or asks for a login, or the sheet does not follow the template."""
    ADDING = 2


class Doc(Contract):
    """A content."""

    docid: Unsigned = 0
    """Its id in this knowledge base."""
    doc_name: str = ""
    type: int = 0
    """A `wwspec_contracts.knowledge.DocType`."""
    web_url: str = ""
    """Of a web link."""
    status: int = 0
    """A `DocStatus`."""


class Response(Output):
    """The knowledge base."""

    kb_id: str = ""
    kb_name: str = ""
    doc_list: list[Doc] = []
    """Its contents."""


class Request(ApiRequest[Response]):
    """Which knowledge base."""

    kb_id: str
    """The knowledge base: its id from knowledge_base_list or knowledge_base_create."""

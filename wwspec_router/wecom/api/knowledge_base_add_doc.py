"""Add contents to a knowledge base (添加知识集內容) [99836, 100030].

At most 1000 contents in one knowledge base, which must be the app's own and still authorised.
"""

from wwspec_router.contracts import ApiRequest, Output
from wwspec_router.wecom.knowledge import AddedDoc, NewDocs


class Response(Output):
    """What was added."""

    doc_list: list[AddedDoc] = []


class Request(ApiRequest[Response]):
    """Where to, and what."""

    kb_id: str
    doc_list: NewDocs

"""List the knowledge bases authorised to the app (获取企业授权给应用的知识集列表) [99836, 100030].

Called document_list before 2024-09-20.
"""

from wwspec_contracts.base import ApiRequest, Contract, Output


class KnowledgeBase(Contract):
    """A knowledge base."""

    kb_id: str = ""
    """For the other knowledge_base APIs."""
    kb_name: str = ""


class Response(Output):
    """The knowledge bases."""

    kb_info_list: list[KnowledgeBase] = []


class Request(ApiRequest[Response]):
    """Nothing to say: the API takes no fields."""

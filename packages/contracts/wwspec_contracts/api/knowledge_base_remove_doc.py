"""Remove contents from a knowledge base (删除知识集内容) [99836, 100030].

The knowledge base must be the app's own and still authorised. Its last content can't be removed.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import ApiRequest, Output, Unsigned


class Response(Output):
    """Whether they were removed."""


class Request(ApiRequest[Response]):
    """Where from, and what."""

    kb_id: str
    """The knowledge base: its id from knowledge_base_list or knowledge_base_create."""
    docid_list: Annotated[list[Unsigned], Meta(min_length=1, max_length=1000)]
    """1 to 1000 ids of contents."""

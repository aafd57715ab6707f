"""A knowledge base that was authorised to the app was deleted (删除授权的知识集) [99855, 99996]."""

from typing import Literal

from wwspec_contracts.base import Contract
from wwspec_contracts.knowledge import KnowledgeBaseName


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["delete_knowledge_base"]
    timestamp: int
    """When it was deleted, Unix time in seconds."""
    delete_knowledge_base: KnowledgeBaseName

"""The corp withdrew a knowledge base from the app (取消授权知识集) [99855, 99996]."""

from typing import Literal

from wwspec_contracts.base import Contract
from wwspec_contracts.knowledge import KnowledgeBaseName


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["unauth_knowledge_base"]
    timestamp: int
    """When it was withdrawn, Unix time in seconds."""
    unauth_knowledge_base: KnowledgeBaseName

"""The corp authorised a knowledge base to the app (授权知识集) [99855, 99996]."""

from typing import Literal

from wwspec_contracts.base import Contract
from wwspec_contracts.knowledge import KnowledgeBaseName


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["auth_knowledge_base"]
    timestamp: int
    """When it was authorised, Unix time in seconds."""
    auth_knowledge_base: KnowledgeBaseName

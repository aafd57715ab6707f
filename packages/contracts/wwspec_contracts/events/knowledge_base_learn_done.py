"""One content of a knowledge base finished learning (知识集内容学习完成) [99855, 99996].

Sent once for each content.
"""

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import Meta

from wwspec_contracts.base import Contract, Unsigned
from wwspec_contracts.knowledge import KnowledgeBaseName


class LearnStatus(IntEnum):
    """How the learning ended."""

    SUCCEEDED = 0
    FAILED = 1


class ContentLearned(KnowledgeBaseName):
    """Which content, and how it went."""

    doc_id: Annotated[Unsigned, Meta(extra={"aliases": ["docid"]})]
    """The content's id, which the knowledge_base APIs spell docid."""
    learn_status: int
    """A `LearnStatus`."""


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["knowledge_base_learn_done"]
    timestamp: int
    """A time in seconds. What it means is not sure: WeCom's table has the text of another event here [99996]."""
    knowledge_base_learn_done: ContentLearned

"""All state of one corp that its programs read and change, except the index of messages.

Plain state: the caller holds the emulator's lock.
"""

import random
from collections.abc import Callable
from functools import partial

import msgspec

from wwspec_devtools.emulator.state.consent import Consents
from wwspec_devtools.emulator.state.conversations import Conversations, Message
from wwspec_devtools.emulator.state.exports import MAX_EXPORTS, Exports
from wwspec_devtools.emulator.state.knowledge import KnowledgeBases
from wwspec_devtools.emulator.state.limits import Concurrency, DailyLimit
from wwspec_devtools.emulator.state.media import MediaFiles
from wwspec_devtools.emulator.state.rule_matching import compare
from wwspec_devtools.emulator.state.rules import RuleBook
from wwspec_devtools.emulator.state.tasks import Tasks

MAX_PAGE_CALLS = 10
"""The most calls of `get_msg_list_by_page_id` at a time [99824]."""

MAX_TASKS = 10_000
"""The most new tasks of one kind a day [99875, 99977, 99979, 99980, 99985]."""
MAX_JUDGED = 100_000
"""The most messages a day in tasks of one kind that judge each message [99983, 99986]."""


class Masking(msgspec.Struct, frozen=True, kw_only=True):
    """What the chat component hides from a member [100055]."""

    hide_mobile: bool = False
    hide_idcard: bool = False
    hide_bankno: bool = False


class Corp:
    """The state of one corp.

    Args:
        rng: The emulator's random source for its data.
        ids: The random source for ids that programs and apps send back.
        chats: The messages; new ones are compared with the rules.
        now: Unix seconds.
        announce_hit: Called with a message that hit a keyword rule.
    """

    def __init__(
        self,
        rng: random.Random,
        ids: random.Random,
        chats: Conversations,
        now: int,
        announce_hit: Callable[[Message], None],
    ) -> None:
        self.chats = chats
        self.consents = Consents(rng, chats, now)
        self.masking: dict[str, Masking] = {}
        """By userid."""
        self.rules = RuleBook(ids, partial(compare, chats.people), announce_hit)
        chats.listeners.append(self.rules.on_message)
        self.knowledge = KnowledgeBases(ids)
        self.tasks = Tasks(ids)
        self.exports = Exports(ids)
        self.media = MediaFiles(ids)
        self.page_calls = Concurrency(MAX_PAGE_CALLS)
        self.daily_tasks = DailyLimit(MAX_TASKS)
        self.daily_messages = DailyLimit(MAX_JUDGED, "messages")
        self.daily_exports = DailyLimit(MAX_EXPORTS)

"""The contract of the ability `chat_summary`."""

from wwspec_contracts.tasks import MessageKeys
from wwspec_router import Contract, Output


class Request(Contract):
    """What to summarise."""

    msg_list: MessageKeys


class Response(Output):
    """One summary, or several in the order of the messages."""

    summaries: list[str] = []
    unread: list[str] = []
    """msgids of messages that could not be read."""

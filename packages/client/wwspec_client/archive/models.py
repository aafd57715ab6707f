"""What the app's functions get of an archiver."""

from dataclasses import dataclass

from wwspec_client.message_pages import _Messages
from wwspec_contracts.messages import Message


@dataclass(frozen=True, repr=False)
class ArchivePage(_Messages):
    """A page of messages of a corp, in ascending order of their time; iterable."""

    corpid: str
    """The corp."""
    messages: list[Message]
    """The messages; at least one."""

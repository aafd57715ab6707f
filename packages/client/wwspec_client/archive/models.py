"""What the app's functions get of an archiver."""

from collections.abc import Iterator
from dataclasses import dataclass

from wwspec_client.archive.rows import ArchiveStatus
from wwspec_contracts.messages import Message

__all__ = ["ArchivePage", "ArchiveStatus"]


@dataclass(frozen=True, repr=False)
class ArchivePage:
    """A page of messages of a corp, in ascending order of their time; iterable."""

    corpid: str
    """The corp."""
    messages: list[Message]
    """The messages; at least one."""

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.messages)} messages>"

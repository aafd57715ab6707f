"""Temporary files that an app uploaded, by media_id: documents to learn, templates to fill [100140].

Plain state: the caller holds the emulator's lock.
"""

import random

import msgspec

from wwspec_devtools.emulator.bounded import MIB, BoundedDict

MEDIA_SECONDS = 3 * 86400
"""How long a media_id is valid."""

KEPT_BYTES = 128 * MIB
"""The most bytes of all files; the oldest are dropped, as if they had expired."""


class MediaFile(msgspec.Struct, frozen=True, kw_only=True):
    """One uploaded file."""

    owner: int
    """agentid of the app that uploaded it."""
    name: str
    content: bytes
    expires: float
    """Unix seconds."""


class MediaFiles:
    """The files of one corp.

    Args:
        rng: Makes the ids.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.files = BoundedDict[str, MediaFile](KEPT_BYTES)
        """By media_id."""

    def add(self, owner: int, name: str, content: bytes, now: float) -> str:
        """Keep a file for three days and return its media_id."""
        while (oldest := self.files.oldest()) is not None and oldest[1].expires <= now:
            self.files.remove(oldest[0])
        media_id = f"media_{self._rng.getrandbits(160):040x}"
        file = MediaFile(owner=owner, name=name, content=content, expires=now + MEDIA_SECONDS)
        self.files.put(media_id, file, len(content))
        return media_id

    def get(self, owner: int, media_id: str, now: float) -> MediaFile | None:
        """Return a file of the app; None when there is none or it expired."""
        file = self.files.get(media_id)
        return file if file is not None and file.owner == owner and file.expires > now else None

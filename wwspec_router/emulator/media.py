"""Temporary files that an app uploaded, by media_id: documents to learn, templates to fill [100140].

Plain state: the caller holds the emulator's lock.
"""

import random

import msgspec

MEDIA_SECONDS = 3 * 86400
"""How long a media_id is valid."""


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
        self._files: dict[str, MediaFile] = {}

    def add(self, owner: int, name: str, content: bytes, now: float) -> str:
        """Keep a file for three days and return its media_id."""
        for media_id in [known for known, file in self._files.items() if file.expires <= now]:
            del self._files[media_id]
        media_id = f"media_{self._rng.getrandbits(160):040x}"
        self._files[media_id] = MediaFile(owner=owner, name=name, content=content, expires=now + MEDIA_SECONDS)
        return media_id

    def get(self, owner: int, media_id: str, now: float) -> MediaFile | None:
        """Return a file of the app; None when there is none or it expired."""
        file = self._files.get(media_id)
        return file if file is not None and file.owner == owner and file.expires > now else None

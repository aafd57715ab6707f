"""Knowledge bases of a corp and how their contents are learnt, one after the other [99836, 99855].

One knowledge base of the corp's own is authorised to the app from the start. Plain state: the caller holds the
emulator's lock, gives the time, and sends the program what was learnt.
"""

import random
from sys import getsizeof
from urllib.parse import urlsplit

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict

MAX_BASES = 1000
MAX_CONTENTS = 1000
MAX_BYTES = 64 * MIB
"""The most bytes of all contents: names, URLs and media_ids. WeCom's own limits allow a million contents."""
_CONTENT_BYTES = 512
KEPT_DELETED = 1000
"""The most deleted knowledge bases that are remembered; ids of older ones are unknown."""
LEARN_SECONDS = 2
"""Seconds that one content takes to learn; contents of one knowledge base are learnt one after the other."""

ADDED, FAILED, ADDING = 0, 1, 2
PDF, XLSX, DOC, DOCX, WEB_LINK = 2, 4, 5, 6, 101
SUFFIXES = {PDF: ".pdf", XLSX: ".xlsx", DOC: ".doc", DOCX: ".docx"}

CORP_BASE_ID, CORP_BASE_NAME = "kb_emulator_0001", "产品手册"
"""The knowledge base that the corp itself made in the admin console."""

UNREACHABLE = ".invalid"
"""Hosts with this ending can't be reached: a web page there fails."""


class NewContent(msgspec.Struct, frozen=True, kw_only=True):
    """A content to add, checked."""

    doc_name: str
    type: int
    file_media_id: str = ""
    web_url: str = ""

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return _CONTENT_BYTES + getsizeof(self.doc_name) + getsizeof(self.file_media_id) + getsizeof(self.web_url)

    @property
    def learnable(self) -> bool:
        """False for a page of an unreachable host."""
        return not (self.type == WEB_LINK and (urlsplit(self.web_url).hostname or "").endswith(UNREACHABLE))


class Content(msgspec.Struct, kw_only=True):
    """A content of a knowledge base."""

    docid: int
    new: NewContent
    ready: float
    """Unix seconds at which learning ends."""

    def status(self, now: float) -> int:
        """Return the `status` in an answer."""
        if now < self.ready:
            return ADDING
        return ADDED if self.new.learnable else FAILED


class KnowledgeBase(msgspec.Struct, kw_only=True):
    """One knowledge base."""

    kb_id: str
    name: str
    owner: int | None
    """agentid of the app that made it; None for the corp."""
    authorised: bool = True
    contents: dict[int, Content] = {}
    size: int = 0
    """Bytes of the contents."""
    last_docid: int = 0
    ready: float = 0.0
    """When its last content is learnt, in Unix seconds."""

    def learnt(self, now: float) -> list[Content]:
        """Return the contents that can be searched."""
        return [content for content in self.contents.values() if content.status(now) == ADDED]

    def add(self, contents: list[NewContent], now: float) -> list[Content]:
        """Add contents; they are learnt in this order.

        Raises:
            RefusedError: 790026 or 790029.
        """
        if len(self.contents) + len(contents) > MAX_CONTENTS:
            raise RefusedError(790026, f"{MAX_CONTENTS} contents")
        urls = {content.new.web_url for content in self.contents.values()}
        for content in contents:
            if content.web_url and content.web_url in urls:
                raise RefusedError(790029, "web_url")
            urls.add(content.web_url)
        added = []
        for content in contents:
            self.last_docid += 1
            self.ready = max(self.ready, now) + LEARN_SECONDS
            added.append(Content(docid=self.last_docid, new=content, ready=self.ready))
            self.contents[self.last_docid] = added[-1]
            self.size += content.size
        return added

    def remove(self, docids: list[int]) -> None:
        """Remove contents, all or none.

        Raises:
            RefusedError: 40058 for an unknown one, 790028 when none would be left.
        """
        unknown = [docid for docid in docids if docid not in self.contents]
        if unknown:
            raise RefusedError(40058, f"docid_list: {unknown[0]} is not a content")
        if len(set(docids)) == len(self.contents):
            raise RefusedError(790028, "docid_list")
        for docid in set(docids):
            self.size -= self.contents.pop(docid).new.size


class KnowledgeBases:
    """All knowledge bases of one corp.

    Args:
        rng: Makes the ids.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        content = NewContent(doc_name="产品手册.pdf", type=PDF, file_media_id="emulator")
        corp_base = KnowledgeBase(kb_id=CORP_BASE_ID, name=CORP_BASE_NAME, owner=None)
        corp_base.add([content], -LEARN_SECONDS)
        self._bases = {CORP_BASE_ID: corp_base}
        self._deleted = BoundedDict[str, None](MIB, KEPT_DELETED)

    def authorised(self) -> list[KnowledgeBase]:
        """Return the knowledge bases that the app may use, oldest first."""
        return [base for base in self._bases.values() if base.authorised]

    def create(self, name: str, owner: int, contents: list[NewContent], now: float) -> KnowledgeBase:
        """Make a knowledge base.

        Raises:
            RefusedError: 790026, 790027 or 790029.
        """
        if len(self._bases) >= MAX_BASES:
            raise RefusedError(790027, f"{MAX_BASES} knowledge bases")
        base = KnowledgeBase(kb_id=f"kb_{self._rng.getrandbits(96):024x}", name=name, owner=owner)
        self.add(base, contents, now)
        self._bases[base.kb_id] = base
        return base

    def add(self, base: KnowledgeBase, contents: list[NewContent], now: float) -> list[Content]:
        """Add contents to a knowledge base; they are learnt in this order.

        Raises:
            RefusedError: 790026 or 790029.
        """
        if sum(base.size for base in self._bases.values()) + sum(content.size for content in contents) > MAX_BYTES:
            raise RefusedError(790026, f"the emulator keeps {MAX_BYTES // MIB} MiB of contents")
        return base.add(contents, now)

    def delete(self, base: KnowledgeBase) -> None:
        """Delete a knowledge base, with its contents."""
        base.contents.clear()
        del self._bases[base.kb_id]
        self._deleted.put(base.kb_id, None, len(base.kb_id))

    def find(self, kb_id: str) -> KnowledgeBase:
        """Return a knowledge base, authorised or not.

        Raises:
            RefusedError: 800000 or 790034.
        """
        base = self._bases.get(kb_id)
        if base is None:
            raise RefusedError(790034 if kb_id in self._deleted else 800000, "kb_id")
        return base

    def usable(self, kb_id: str) -> KnowledgeBase:
        """Return a knowledge base that tasks may search.

        Raises:
            RefusedError: 800000, 790034 or 710643.
        """
        base = self.find(kb_id)
        if not base.authorised:
            raise RefusedError(710643, "the corp withdrew kb_id")
        return base

    def owned(self, kb_id: str, agentid: int) -> KnowledgeBase:
        """Return a knowledge base that the app may change.

        Raises:
            RefusedError: As `usable`, and 790024.
        """
        base = self.usable(kb_id)
        if base.owner != agentid:
            raise RefusedError(790024, "kb_id")
        return base

    def authorise(self, kb_id: str, authorised: bool) -> KnowledgeBase:
        """Let the corp authorise a knowledge base, or withdraw it.

        Raises:
            RefusedError: 800000 or 790034.
        """
        base = self.find(kb_id)
        base.authorised = authorised
        return base

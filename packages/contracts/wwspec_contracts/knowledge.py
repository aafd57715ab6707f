"""Knowledge bases (知识集) and what is in them [99836, 100030, 99855].

All their APIs need the zone's knowledge-base permission, and change only what this app itself created.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, UnsetType, Unsigned, max_bytes

KnowledgeBaseTitle = Annotated[str, Meta(min_length=1, max_length=20)]
"""Name of a knowledge base in a request: 1 to 20 characters."""


class DocType(IntEnum):
    """Kind of content."""

    PDF = 2
    XLSX = 4
    """Questions and answers, in the sheet that the admin console offers as a template."""
    DOC = 5
    DOCX = 6
    ONLINE_DOCUMENT = 8
    ONLINE_SHEET = 9
    DRIVE_TEXT = 10
    DRIVE_PDF = 11
    DRIVE_EXCEL = 12
    DRIVE_DOC = 13
    DRIVE_DOCX = 14
    DRIVE_CSV = 15
    DRIVE_FOLDER = 16
    WEB_LINK = 101


class AddableType(IntEnum):
    """The kinds of content that an API can add; the others come from the admin console."""

    PDF = DocType.PDF
    XLSX = DocType.XLSX
    DOC = DocType.DOC
    DOCX = DocType.DOCX
    WEB_LINK = DocType.WEB_LINK


class NewDoc(Contract):
    """A content to add: a file by its media id, or a web link."""

    doc_name: Annotated[str, max_bytes(200)]
    """A file's name ends with the suffix of its kind."""
    type: AddableType
    file_media_id: Annotated[str, max_bytes(1024)] | UnsetType = UNSET
    """From chatdata/upload_media; for all kinds but web links."""
    web_url: Annotated[str, max_bytes(1024)] | UnsetType = UNSET
    """http or https; for web links."""


NewDocs = Annotated[list[NewDoc], Meta(min_length=1, max_length=1000)]
"""Contents to add, 1 to 1000."""


class AddedDoc(Contract):
    """A content that was added."""

    doc_name: str = ""
    type: int = 0
    """A `DocType`."""
    file_media_id: str = ""
    """Of a file."""
    web_url: str = ""
    """Of a web link."""
    docid: Unsigned = 0
    """Its id in this knowledge base."""


class KnowledgeBaseName(Contract):
    """Which knowledge base an event is about."""

    knowledge_base_id: str
    """The kb_id of the knowledge_base APIs."""
    knowledge_base_name: str

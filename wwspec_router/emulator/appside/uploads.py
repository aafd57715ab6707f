"""The HTTP API that takes a temporary file: `chatdata/upload_media`, a multipart form [100140].

Byte for byte: the boundary is looked for in the bytes, and only the headers of a part are read as text.
"""

from email.message import Message
from email.parser import HeaderParser

from wwspec_router.emulator.answers import Answer, RefusedError, accepted
from wwspec_router.emulator.state.accounts import App
from wwspec_router.emulator.state.world import World

__all__ = ["API", "MAX_FORM_BYTES", "upload_media"]

API = "chatdata/upload_media"

MIN_BYTES, MAX_BYTES = 6, 60 * 1024 * 1024
MAX_FORM_BYTES = MAX_BYTES + 64 * 1024
"""A file of the largest size with what the form puts around it."""

_FIELD = "media"


def upload_media(world: World, app: App, kind: str, content_type: str, body: bytes) -> Answer:
    """Keep the file of a form for three days and answer its media_id.

    Args:
        world: The emulator's state.
        app: Whose file it is.
        kind: The query's `type`; `file` is the only one.
        content_type: The request's header, with the boundary.
        body: The form.

    Raises:
        RefusedError: 40058, 40063 or 40206.
    """
    if kind != "file":
        raise RefusedError(40058, "type must be file")
    name, content = _file(content_type, body)
    if len(content) > MAX_BYTES:
        raise RefusedError(40206, f"a file has {MAX_BYTES} bytes at most")
    if len(content) < MIN_BYTES:
        raise RefusedError(40058, f"a file has {MIN_BYTES} bytes at least")
    with world.lock:
        media_id = world.corp(app).media.add(app.agentid, name, content, world.clock.now())
    return accepted(type="file", media_id=media_id, created_at=str(world.clock.seconds()))


def _file(content_type: str, body: bytes) -> tuple[str, bytes]:
    """Return name and content of the part that holds the file."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise RefusedError(40058, "the body must be multipart/form-data with a boundary")
    delimiter = b"\r\n--" + boundary.encode(errors="replace")
    parts = (b"\r\n" + body).split(delimiter)
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise RefusedError(40058, "the form does not end with its boundary")
    for part in parts[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        disposition = HeaderParser().parsestr(head.lstrip(b"\r\n").decode(errors="replace"))
        if blank and disposition.get_param("name", header="content-disposition") == _FIELD:
            filename = disposition.get_filename()
            if not filename:
                raise RefusedError(40063, "filename of the form field media")
            return filename, content
    raise RefusedError(40063, "the form field media")

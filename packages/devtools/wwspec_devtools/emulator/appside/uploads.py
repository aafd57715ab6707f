"""The HTTP API that takes a temporary file: `chatdata/upload_media`, a multipart form [100140]."""

from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.world import World

API = "chatdata/upload_media"

MIN_BYTES, MAX_BYTES = 6, 60 * 1024 * 1024
MAX_FORM_BYTES = MAX_BYTES + 64 * 1024
"""The largest file, with the parts of the form around it."""

_FIELD = "media"


class Upload(msgspec.Struct, frozen=True):
    """The file of a form."""

    name: str
    content: bytes


class _Parser(MultiPartParser):
    """A parser that keeps the file in memory and refuses a form that is too long or has no end."""

    spool_max_size = MAX_FORM_BYTES

    def __init__(self, headers: Headers, stream: AsyncIterator[bytes]) -> None:
        super().__init__(headers, self._check_length(stream))
        self._has_ended = False

    def on_end(self) -> None:
        self._has_ended = True

    async def _check_length(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        length = 0
        async for chunk in stream:
            length += len(chunk)
            if length > MAX_FORM_BYTES:
                raise RefusedError(40206, f"a form has {MAX_FORM_BYTES} bytes at most")
            yield chunk
        if not self._has_ended:  # raised here, so that the parser closes its files
            raise RefusedError(40058, "the form does not end with its boundary")


async def read_form(headers: Headers, stream: AsyncIterator[bytes]) -> Upload:
    """Read a form piece by piece, and return its file.

    Args:
        headers: Of the request.
        stream: The request's body; at most `MAX_FORM_BYTES` of it are read.

    Raises:
        RefusedError: 40058 for a body that is not a whole form, 40063 for one without the file, 40206 for a large one.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise RefusedError(40058, "the body must be multipart/form-data with a boundary")
    try:
        form = await _Parser(headers, stream).parse()
    except MultiPartException as error:
        raise RefusedError(40058, error.message) from None
    try:
        file = form.get(_FIELD)
        if file is None:
            raise RefusedError(40063, f"the form field {_FIELD}")
        if not isinstance(file, UploadFile) or not file.filename:
            raise RefusedError(40063, f"filename of the form field {_FIELD}")
        return Upload(file.filename, await file.read())
    finally:
        await form.close()


def upload_media(world: World, app: App, kind: str, upload: Upload) -> Answer:
    """Keep a file for three days and return its media_id.

    Args:
        world: The emulator's state.
        app: The owner of the file.
        kind: The query's `type`; `file` is the only one.
        upload: The file.

    Raises:
        RefusedError: 40058 or 40206.
    """
    if kind != "file":
        raise RefusedError(40058, "type must be file")
    if len(upload.content) > MAX_BYTES:
        raise RefusedError(40206, f"a file has {MAX_BYTES} bytes at most")
    if len(upload.content) < MIN_BYTES:
        raise RefusedError(40058, f"a file has {MIN_BYTES} bytes at least")
    with world.lock:
        media_id = world.corp(app).media.add(app.agentid, upload.name, upload.content, world.clock.now())
    return accepted(type="file", media_id=media_id, created_at=str(world.clock.seconds()))

"""Finds the values in requests that refer to an earlier exchange."""

from collections.abc import Iterator

import msgspec

from wwspec_devtools.emulator.answers import Answer, RefusedError, read

_CALLS = ("sync_call_program", "async_program_task")
_RESULT = "async_program_result"


class References(msgspec.Struct, frozen=True):
    """The references in an app's request."""

    ability: str = ""
    cause: tuple[str, ...] = ()
    """A notify_id, or the jobid of an asynchronous call."""
    before: tuple[str, ...] = ()
    """A cursor, a page id or an event token: the request belongs to the same flow."""


class _Request(msgspec.Struct):
    ability_id: str = ""
    notify_id: str = ""
    request_data: str = ""
    jobid: str = ""


class _Inner(msgspec.Struct):
    cursor: str = ""
    page_id: str = ""
    token: str = ""
    notify_id: str = ""


_NO_REFERENCES = References()


def app_references(api: str, body: bytes) -> References:
    """Return the references in an app's request."""
    if api not in _CALLS and api != _RESULT:
        return _NO_REFERENCES
    try:
        request = read(_Request, body)
    except RefusedError:
        return _NO_REFERENCES
    if api == _RESULT:
        return References(cause=(request.jobid,))
    inner = _inner(request.request_data)
    return References(request.ability_id, (request.notify_id,), (inner.page_id, inner.cursor, inner.token))


def sdk_references(job_info: str, request_id: str, body: bytes) -> Iterator[str]:
    """Yield the references of an SDK call, the surest first. The body is read only when there is no other."""
    yield job_info
    yield job_key(request_id)
    yield request_id
    inner = _inner(body)
    yield inner.notify_id
    yield inner.token


def job_key(notify_id: str) -> str:
    """Return the key by which the job of an event's code refers to the event: a notification has the bare notify_id."""
    return f"job of {notify_id}"


def given_cursors(answer: Answer) -> tuple[str, ...]:
    """Return the cursor and the page ids of an answer."""
    pages = answer.get("page_id_list", ())
    return tuple(each for each in (answer.get("next_cursor"), *pages) if isinstance(each, str) and each)


def _inner(text: str | bytes) -> _Inner:
    try:
        return read(_Inner, text.encode(errors="surrogatepass") if isinstance(text, str) else text)
    except RefusedError:
        return _Inner()

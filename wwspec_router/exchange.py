"""One HTTP exchange on one worker thread: SDK decode, dispatch, SDK encode, in a row.

The SDK stamps its log lines with the request that a thread decoded last, and is not told which request a reply
belongs to; so one exchange never changes threads [100057]. This module knows no sockets and no event loop.
"""

from time import monotonic

import msgspec

from wwspec_router.dispatch import Dispatcher
from wwspec_router.errors import CallError, DecodeError
from wwspec_router.sdk.base import Headers, Sdk, SealedReply

__all__ = ["Answer", "Exchange", "Ticket"]


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is sent back, always with HTTP status 200: the platform reports anything else as 710676."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class Ticket:
    """One request on its way through the program."""

    __slots__ = ("arrived", "body", "deadline", "headers")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.arrived = monotonic()
        self.deadline: float | None = None
        """When it must be answered, on the monotonic clock; known once it is decoded."""


class Exchange:
    """Answers requests.

    Args:
        sdk: Decodes requests and encodes replies.
        dispatcher: Answers calls.
    """

    def __init__(self, sdk: Sdk, dispatcher: Dispatcher) -> None:
        self._sdk = sdk
        self._dispatcher = dispatcher

    def answer(self, ticket: Ticket) -> Answer:
        """Decode, dispatch and encode one request. Blocks.

        Raises:
            Exception: The SDK could not seal the reply, whatever it raised; there is nothing to send.
        """
        try:
            call = self._sdk.decode(ticket.headers, _text(ticket.body))
        except DecodeError as error:
            return self._refuse_undecoded(error)
        timeout = self._dispatcher.timeout(call)
        if timeout is not None:
            ticket.deadline = ticket.arrived + timeout
        return _answer(self._sdk.encode(self._dispatcher.dispatch(call).text))

    def refuse(self, ticket: Ticket, error: CallError) -> Answer:
        """Answer a request with an error, from a thread that did not work on it.

        It is decoded once more, so that the SDK knows on this thread, too, which request the reply belongs to.

        Raises:
            Exception: As for `answer`.
        """
        try:
            self._sdk.decode(ticket.headers, _text(ticket.body))
        except DecodeError as undecoded:
            return self._refuse_undecoded(undecoded)
        return _answer(self._sdk.encode(self._dispatcher.refusal(error).text))

    def _refuse_undecoded(self, error: DecodeError) -> Answer:
        return _answer(self._sdk.encode_refusal(self._dispatcher.refusal(error).text))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise DecodeError("the request's body is not UTF-8") from None


def _answer(sealed: SealedReply) -> Answer:
    body = sealed.body.encode()
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in sealed.headers.items()
        if name.lower() not in ("content-length", "transfer-encoding")
    ]
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(headers, body)

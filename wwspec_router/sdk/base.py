"""What the framework needs of an SDK, as Protocols.

The adapter in `vendor` implements them over `wwspecapisdk`; a test implements them in a few lines. Nothing here knows
HTTP: headers and bodies are plain values.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from wwspec_router.envelope import Call

Headers = Sequence[tuple[str, str]]
"""Header names and values in the order of arrival; names that start with `ww-` are in lower case [100057]."""


class SealedReply(msgspec.Struct, frozen=True, gc=False):
    """A reply as the channel takes it: signed headers and an encrypted body."""

    headers: dict[str, str]
    body: str


class SdkClient(Protocol):
    """Asks WeCom for data in the name of one corp and app. Blocks; belongs on the worker thread of its call."""

    def invoke(self, api: str, request: str) -> str:
        """Call one SDK API.

        Args:
            api: The API's name, such as `sync_msg`.
            request: The request's JSON text.

        Returns:
            The platform's JSON text, which may carry an errcode other than 0.

        Raises:
            SdkCallError: The call could not be made.
        """


class Sdk(Protocol):
    """One loaded SDK module."""

    @property
    def is_emulated(self) -> bool:
        """Whether it is the emulator's, which has no real data: only then logs may show texts, errors and callers."""

    def decode(self, headers: Headers, body: str) -> Call:
        """Verify and decrypt one request.

        Raises:
            DecodeError: The SDK refused it.
        """

    def encode(self, text: str) -> SealedReply:
        """Sign and encrypt a reply for the request that this thread decoded last."""

    def encode_refusal(self, text: str) -> SealedReply:
        """Seal a reply with the SDK's exception header, for a request that could not be decoded."""

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> SdkClient:
        """Return a client that calls SDK APIs for one corp and app."""

    def new_notify_id(self) -> str:
        """Return a fresh notify_id for `spec_notify_app`: 64 bytes at most [99849]."""

    def trace(self, reference: str, text: str = "") -> None:
        """Report to the emulator what became of a request or a job; the vendor's module gets no report.

        Args:
            reference: A request id, the job_info of an asynchronous call, or the notify_id of an event.
            text: A JSON object; empty when a job begins on this thread, whose SDK calls then belong to it.
        """

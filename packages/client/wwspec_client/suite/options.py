"""What both suites take beside the suite itself."""

from collections.abc import Iterable
from typing import Any, TypedDict

import httpx

from wwspec_client.hooks import ClientHooks
from wwspec_client.options import Form
from wwspec_client.retries import RetryPolicy
from wwspec_client.steps import Steps
from wwspec_client.tokens import Fetch, Token
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError

CLIENTS = 1000
"""How many clients of corps are kept."""
NO_COMMANDS = (
    "the command callback URL needs token=, encoding_aes_key= and provider_corpid=, as the provider console has them"
)


class SuiteClientOptions(TypedDict, total=False):
    """Options of all clients of a suite; see `ZoneClient`."""

    program_id: str
    """The program to call."""
    base_url: str
    """WeCom's URL, or that of an emulator."""
    prefix: str | None
    """What is before an SDK API's name in the ability ID that calls it."""
    form: Form
    """How the program takes requests."""
    timeout: float
    """Seconds to connect, and between two parts of an answer."""
    retries: RetryPolicy
    """How often requests are sent, and how long that may take."""
    errcodes: ProgramErrcodes
    """Those of the program's own failures."""
    connections: int
    """The most connections at once, of all corps."""
    proxy: str | httpx.Proxy | None
    """The proxy that requests go through."""
    user_agent: str
    """The User-Agent of requests."""
    transport: Any
    """The httpx transport that sends requests."""
    hooks: Iterable[ClientHooks]
    """What is told of each call and each attempt."""


class NoCorp:
    """The source of access tokens of a client that is for no corp: there are none."""

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        raise ConfigurationError("this client is for no corp: take suite.corp(corpid)")


def command_receiver(suite_id: str, token: str, encoding_aes_key: str, provider_corpid: str) -> dict[str, Any] | None:
    """Return what a receiver needs for the command URL; None when this process is not to answer it.

    Raises:
        ConfigurationError: A part is missing.
    """
    if not (token or encoding_aes_key):
        return None
    if not (token and encoding_aes_key and provider_corpid):
        raise ConfigurationError(NO_COMMANDS)
    return {"token": token, "encoding_aes_key": encoding_aes_key, "receive_id": [suite_id, provider_corpid]}

"""The access tokens of the corps that have installed an app, and how machines share them."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from wwspec_router.client.installations import Installation
from wwspec_router.client.steps import Steps
from wwspec_router.client.tokens import AppSecret, Fetch, SuiteToken, Token, TokenProvider


class SharedTokens(Protocol):
    """How the machines of an app share its tokens: the suite's own one, and one for each corp."""

    def provider(self, name: str, source: TokenProvider) -> TokenProvider:
        """Return a source of one token that all machines share; see `SharedTokenProvider`.

        Args:
            name: Of the token, at most 255 characters: capital and small letters differ.
            source: Where a fresh one comes from.
        """
        ...

    def forget(self, name: str) -> object | Awaitable[object]:
        """Remove a token.

        Args:
            name: As in `provider`.
        """
        ...


class CorpTokens:
    """The source of access tokens of one corp. The installation is read each time, so a new code is used at once.

    Args:
        corpid: The corp.
        installed: Returns the installation of a corp.
        suite: The token of the suite; None for an app that the provider develops for the corp [91039].
    """

    def __init__(self, corpid: str, installed: Callable[[str], Steps[Installation]], suite: SuiteToken | None) -> None:
        self._corpid = corpid
        self._installed = installed
        self._suite = suite

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        code = (yield from self._installed(self._corpid)).permanent_code
        if self._suite is None:
            return (yield from AppSecret(self._corpid, code).fetch(fetch))
        return (yield from self._suite.corp_token(self._corpid, code, fetch))


def token_name(suite_id: str, corpid: str = "") -> str:
    """Return the name of a token: that of a corp, or the suite's own."""
    return msgspec.json.encode([suite_id, corpid] if corpid else [suite_id]).decode()

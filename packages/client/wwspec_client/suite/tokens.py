"""The access tokens of the corps that have installed an app, and how machines share them."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from wwspec_client.errors import NotInstalledError
from wwspec_client.installations import Installation
from wwspec_client.steps import Steps, ask
from wwspec_client.tokens import AppSecret, Fetch, SuiteToken, Token, TokenProvider
from wwspec_contracts.errors import StoreError

_ATTEMPTS = 10
"""How often a token is fetched that is of another installation each time."""


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

    def owner(self) -> Steps[str]:
        """Return what names the installation of the corp.

        Raises:
            NotInstalledError: There is none, or the corp's data is being deleted.
        """
        return _owner((yield from self._installed(self._corpid)))

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        found = yield from self._installed(self._corpid)
        if self._suite is None:
            token = yield from AppSecret(self._corpid, found.permanent_code).fetch(fetch)
        else:
            token = yield from self._suite.corp_token(self._corpid, found.permanent_code, fetch)
        return replace(token, owner=_owner(found))


class OwnedTokens:
    """The source of tokens of one corp that are of the installation of now: another machine may forget the corp.

    Args:
        provider: Where tokens come from.
        owner: Returns what names the installation of the corp.
        forget: Removes the token that machines share.
    """

    def __init__(self, provider: TokenProvider, owner: Callable[[], Steps[str]], forget: Callable[[], object]) -> None:
        self._provider = provider
        self._owner = owner
        self._forget = forget

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        return self.fetch_other(fetch, "")

    def fetch_other(self, fetch: Fetch, refused: str) -> Steps[Token]:
        """Return another token than a refused one; see `StoredTokenProvider`.

        A token that is stored after another machine has begun to forget the corp is removed again.
        """
        fetch_other = getattr(self._provider, "fetch_other", None) if refused else None
        for _ in range(_ATTEMPTS):
            owner = yield from self._owner()
            steps = self._provider.fetch(fetch) if fetch_other is None else fetch_other(fetch, refused)
            token: Token = yield from steps
            try:
                if token.owner in ("", owner) and (yield from self._owner()) == owner:
                    return token
            except NotInstalledError:
                yield from ask(self._forget)
                raise
            yield from ask(self._forget)
        raise StoreError(
            "the machines share a token of an installation that is gone: forget(name) of the tokens is to remove it"
        )


def _owner(found: Installation) -> str:
    return found.code_digest or f"{found.installed_at!r}"


def token_name(suite_id: str, corpid: str = "") -> str:
    """Return the name of a token: that of a corp, or the suite's own."""
    return msgspec.json.encode([suite_id, corpid] if corpid else [suite_id]).decode()

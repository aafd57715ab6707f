"""One access token for all machines of an app, in a store that they share."""

from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import Protocol

from wwspec_client.arguments import check_has
from wwspec_client.steps import Steps, ask
from wwspec_client.tokens import Fetch, Token, TokenProvider
from wwspec_contracts.errors import ConfigurationError

_EARLY = 60.0
"""Seconds, at most, by which a token is renewed before it expires."""


class TokenStore(Protocol):
    """Keeps access tokens by their names, for all machines of an app.

    It keeps value, owner (at most 64 characters) and the Unix time at which a token ends: now and its `expires_in`,
    which may be None.

    With `AsyncZoneClient` each method may be `async def`. Each raises `StoreError` when the store can't be read or
    written.
    """

    def load(self, name: str) -> Token | None | Awaitable[Token | None]:
        """Return a token with the seconds that are left, 0 or less when it is too old; None when there is none.

        Args:
            name: Its name, at most 255 characters: capital and small letters differ.
        """
        ...

    def save(self, name: str, token: Token) -> None | Awaitable[None]:
        """Store a token, in place of the one of the same name.

        Args:
            name: Its name.
            token: The token.
        """
        ...

    def forget(self, name: str) -> bool | Awaitable[bool]:
        """Remove a token; return False when there was none.

        Args:
            name: Its name.
        """
        ...


class StoredTokenProvider:
    """A source of access tokens that takes the one in a store while it is valid, and otherwise stores a new one.

    Args:
        provider: Where a new token comes from, such as `AppSecret` or `SuiteApp`.
        store: What all machines share.
        name: The token's name in the store. Use one for each corp and app: the same name stands for the same token.

    Raises:
        ConfigurationError: An argument is of another type, or the name is empty or too long.
    """

    def __init__(self, provider: TokenProvider, store: TokenStore, *, name: str) -> None:
        check_has("fetch", provider, "provider is a TokenProvider, such as AppSecret(corpid, secret)")
        check_has("load", store, "store is a TokenStore, such as SqlTokenStore(engine)")
        if not 1 <= len(name.encode()) <= 255:
            raise ConfigurationError("the name of a token has 1 to 255 bytes: one name for each token")
        self._provider = provider
        self._store = store
        self._name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        return self.fetch_other(fetch, "")

    def fetch_other(self, fetch: Fetch, refused: str) -> Steps[Token]:
        """Return the stored token, or a new one if that is the refused one.

        Args:
            fetch: Sends a request that needs no access token.
            refused: The text of the refused token.
        """
        stored = yield from ask(partial(self._store.load, self._name))
        if stored is not None and stored.value != refused and (stored.expires_in is None or stored.expires_in > 0):
            return stored
        token = yield from self._provider.fetch(fetch)
        seconds = token.expires_in
        kept = token if seconds is None else replace(token, expires_in=seconds - min(_EARLY, seconds / 10))
        yield from ask(partial(self._store.save, self._name, kept))
        return token

"""One access token for all machines of an app, in a store that they share."""

import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from wwspec_router.client.steps import Steps, ask
from wwspec_router.client.tokens import Fetch, Token, TokenProvider

_EARLY = 60.0
"""Seconds, at most, by which a token is renewed before it expires."""


@dataclass(frozen=True)
class StoredToken:
    """An access token as a `TokenStore` keeps it.

    Attributes:
        value: Its text. `repr` leaves it out.
    """

    value: str = field(repr=False)
    usable_until: float | None = None
    """Unix time in seconds, some time before WeCom refuses it; None when that is not known."""
    owner: str = field(default="", repr=False)
    """Names the installation of a provider's app that it is of; empty when that is not known. At most 64 characters."""


class TokenStore(Protocol):
    """Keeps access tokens by their names, for all machines of an app.

    With `AsyncZoneClient` each method may be `async def`. Each raises `StoreError` when the store can't be read or
    written.
    """

    def load(self, name: str) -> StoredToken | None | Awaitable[StoredToken | None]:
        """Return a token, even if it is too old; None when there is none.

        Args:
            name: Its name.
        """
        ...

    def save(self, name: str, token: StoredToken) -> None | Awaitable[None]:
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
        name: The token's name in the store. Use one for each corp and app.
    """

    def __init__(self, provider: TokenProvider, store: TokenStore, *, name: str) -> None:
        self._provider = provider
        self._store = store
        self._name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        return self.fetch_other(fetch, "")

    def fetch_other(self, fetch: Fetch, refused: str) -> Steps[Token]:
        """Return the stored token, or a new one if that is the refused one; see `SharedTokenProvider`.

        Args:
            fetch: Sends a request that needs no access token.
            refused: The text of the refused token.
        """
        stored = yield from ask(partial(self._store.load, self._name))
        if stored is not None and stored.value != refused:
            left = None if stored.usable_until is None else stored.usable_until - time.time()
            if left is None or left > 0:
                return Token(stored.value, left, stored.owner)
        token = yield from self._provider.fetch(fetch)
        seconds = token.expires_in
        until = None if seconds is None else time.time() + seconds - min(_EARLY, seconds / 10)
        yield from ask(partial(self._store.save, self._name, StoredToken(token.value, until, token.owner)))
        return token

"""The tickets that an app's page signs with [90506]: where they come from, and who shares them."""

import fcntl
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from wwspec_client.cursors import try_lock
from wwspec_client.steps import Ask, Pause, Renewal, Request, Steps
from wwspec_client.tokens import Fetch, FunctionProvider, Token, TokenCache, TokenProvider, read_token, unowned
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import ConfigurationError, JsonError

TicketKind = Literal["config", "agentConfig"]
"""`config` is signed with the ticket of the corp, `agentConfig` with that of the app."""

PageTickets = Path | Callable[[TicketKind], str | Token | Awaitable[str | Token]]
"""A folder that the processes of the app share; or a function of the app's that returns a ticket."""

_KINDS: Mapping[TicketKind, tuple[Renewal, Request]] = {
    "config": (Renewal.CONFIG_TICKET, Request("get_jsapi_ticket")),
    "agentConfig": (Renewal.AGENT_CONFIG_TICKET, Request("ticket/get", query={"type": "agent_config"})),
}


class _OfWecom:
    """WeCom as the source of a ticket."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        return read_token((yield from fetch(self._request)), "ticket")


def ticket_caches(
    source: PageTickets | None, owner: Callable[[], Steps[str]] = unowned
) -> dict[TicketKind, TokenCache]:
    """Return the cache of each ticket.

    Args:
        source: None: each client gets its own from WeCom.
        owner: As of `TokenCache`.
    """
    return {
        kind: TokenCache(_provider(source, kind, request), renewal, owner)
        for kind, (renewal, request) in _KINDS.items()
    }


def _provider(source: PageTickets | None, kind: TicketKind, request: Request) -> TokenProvider:
    if source is None:
        return _OfWecom(request)
    if isinstance(source, Path):
        return TicketFile(source / f"{kind}.json", _OfWecom(request))
    return FunctionProvider(partial(source, kind))


_TICK = 0.05
"""Seconds between two looks at the lock that another process holds while it fetches the ticket."""
_MAX_BYTES = 4096


class _Stored(msgspec.Struct, frozen=True):
    ticket: str
    expires: float
    """Unix seconds."""


class TicketFile:
    """A ticket that is fetched once for all processes that share the file. The owner of the file alone can read it.

    Args:
        path: The file.
        source: Where the ticket comes from.
    """

    def __init__(self, path: Path, source: TokenProvider) -> None:
        self._path = path
        self._source = source

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        file: int = yield Ask(self._open)
        try:
            while not (yield Ask(partial(try_lock, file))):
                yield Pause(_TICK)
            token: Token | None = yield Ask(partial(_read, file))
            if token is None:
                token = yield from self._source.fetch(fetch)
                yield Ask(partial(_write, file, token))
            return token
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # even if a process was forked meanwhile
            os.close(file)

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{self._path}: can't be opened: {error.strerror}") from None


def _read(file: int) -> Token | None:
    """Return the ticket of a file; None when it has expired, or the file has none."""
    try:
        stored = decode_json(os.pread(file, _MAX_BYTES, 0), _Stored)
    except JsonError:  # new, or the process that wrote it was killed
        return None
    left = stored.expires - time.time()
    return Token(stored.ticket, left) if left > 0 else None


def _write(file: int, token: Token) -> None:
    if token.expires_in is not None:
        content = msgspec.json.encode(_Stored(token.value, time.time() + token.expires_in))
        os.ftruncate(file, 0)
        os.pwrite(file, content, 0)

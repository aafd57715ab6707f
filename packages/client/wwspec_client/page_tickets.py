"""The tickets that an app's page signs with [90506]: where they come from, and who shares them."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from wwspec_client.steps import Renewal, Request, Steps
from wwspec_client.ticket_files import TicketFile
from wwspec_client.tokens import Fetch, FunctionProvider, Token, TokenCache, TokenProvider, read_token, unowned

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

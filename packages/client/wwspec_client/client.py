"""What both clients are made of."""

from collections.abc import Iterable
from copy import copy
from typing import Generic, Self, TypeVar

import httpx

from wwspec_client.call_lines import hooks_of
from wwspec_client.core import BASE_URL, Core, Sending
from wwspec_client.hooks import ClientHooks
from wwspec_client.http import Proxy, check_base_url, chosen_proxy, own_headers
from wwspec_client.options import CONNECTIONS, PREFIXES, TIMEOUT, Form, Tokens, provider_of
from wwspec_client.page_tickets import PageTickets
from wwspec_client.retries import RetryPolicy
from wwspec_client.steps import Renewal
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError

LockT = TypeVar("LockT")
TransportT = TypeVar("TransportT")


class _Client(Generic[LockT, TransportT]):
    """What both clients share; `ZoneClient` describes the arguments."""

    _lock: type[LockT]

    def __init__(
        self,
        corpid: str = "",
        secret: str = "",
        *,
        program_id: str = "",
        tokens: Tokens | None = None,
        page_tickets: PageTickets | None = None,
        base_url: str = BASE_URL,
        prefix: str | None = None,
        form: Form = "plain",
        timeout: float = TIMEOUT,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        errcodes: ProgramErrcodes = ProgramErrcodes(),  # noqa: B008 - frozen
        connections: int = CONNECTIONS,
        proxy: str | httpx.Proxy | None = None,
        user_agent: str = "",
        transport: TransportT | None = None,
        hooks: Iterable[ClientHooks] = (),
    ) -> None:
        provider, watchers = provider_of(corpid, secret, tokens), hooks_of(hooks)
        if form not in PREFIXES:
            raise ConfigurationError(f"form is {' or '.join(map(repr, PREFIXES))}, not {form!r}")
        if not isinstance(retries, RetryPolicy):
            raise ConfigurationError("retries of a client is a RetryPolicy, such as RetryPolicy(attempts=6)")
        prefix = PREFIXES[form] if prefix is None else prefix
        sending, is_func = Sending(timeout, retries), form == "func"
        self._core = Core(
            provider, program_id, prefix, sending, errcodes, page_tickets, is_func=is_func, hooks=watchers
        )
        self._base_url = check_base_url(base_url)
        proxy = chosen_proxy(self._base_url, proxy, is_own=transport is not None)
        self._connect(transport, connections, proxy, own_headers(user_agent))
        self._locks = self._new_locks()

    def _connect(self, transport: TransportT | None, connections: int, proxy: Proxy, headers: dict[str, str]) -> None:
        """Make what sends requests."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._core.shown(self)

    def _sharing(self, core: Core) -> Self:
        """Return a client with another core that shares all else with this one."""
        other = copy(self)
        other._core = core
        return other

    def _with_core(self, core: Core) -> Self:
        """Return a client for another app or corp that shares this one's connections."""
        other = self._sharing(core)
        other._locks = self._new_locks()
        other._locks[Renewal.SUITE_TOKEN] = self._locks[Renewal.SUITE_TOKEN]  # all corps of a suite share its token
        return other

    def _new_locks(self) -> dict[Renewal, LockT]:
        return {renewal: self._lock() for renewal in Renewal}

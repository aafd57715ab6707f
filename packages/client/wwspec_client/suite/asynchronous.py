"""The suite for an event loop."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, Unpack

from wwspec_client.asynchronous import AsyncZoneClient
from wwspec_client.core import BASE_URL
from wwspec_client.installations import Installation, InstallationStore
from wwspec_client.models import AuthInfo
from wwspec_client.notify.asynchronous import AsyncNotifyReceiver
from wwspec_client.notify.models import Notification, Pending
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.stores import PendingStore
from wwspec_client.page_tickets import PageTickets
from wwspec_client.shared_tokens import TokenStore
from wwspec_client.steps import Steps
from wwspec_client.suite.commands import Commands, Forgets
from wwspec_client.suite.core import AppKind, SuiteCore
from wwspec_client.suite.events import SuiteEvent
from wwspec_client.suite.options import CLIENTS, NO_COMMANDS, NoCorp, SuiteClientOptions, command_receiver
from wwspec_client.suite.recent import Recent
from wwspec_contracts.callbacks import Callback
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")


class AsyncSuite:
    """The app of a provider at all corps that have installed it, for an event loop; for arguments see `Suite`.

    It works inside `async with`, or from `start()` to `stop()`. All functions and stores may be `async def`; plain ones
    run on threads. `transport` is an `httpx.AsyncBaseTransport`.
    """

    def __init__(
        self,
        suite_id: str,
        suite_secret: str,
        *,
        installations: InstallationStore,
        kind: AppKind = "third-party",
        token: str = "",
        encoding_aes_key: str = "",
        provider_corpid: str = "",
        commands_store: PendingStore | None = None,
        on_event: Callable[[SuiteEvent], object] | None = None,
        on_failed: Callable[[Pending], object] | None = None,
        forgets: Sequence[Forgets] = (),
        tokens: TokenStore | None = None,
        page_tickets: Callable[[str], PageTickets | None] | None = None,
        older: bool = False,
        clients: int = CLIENTS,
        concurrency: int = 1,
        policy: NotifyPolicy = NotifyPolicy(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
        **client: Unpack[SuiteClientOptions],
    ) -> None:
        commands = command_receiver(suite_id, token, encoding_aes_key, provider_corpid)
        self._client = AsyncZoneClient(tokens=NoCorp(), **client)
        self._clients = Recent[AsyncZoneClient](clients)
        self._core = SuiteCore(
            self._client._core,
            suite_id=suite_id,
            suite_secret=suite_secret,
            provider_corpid=provider_corpid,
            installations=installations,
            kind=kind,
            older=older,
            tokens=tokens,
            page_tickets=page_tickets,
            base_url=client.get("base_url", BASE_URL),
            clock=clock,
        )
        self._actions = Commands(self._core, forgets, on_event, self._drop)
        self._commands = None
        if commands is not None:
            self._commands = AsyncNotifyReceiver(
                self.client_of,
                on_other=self._on_callback,
                on_failed=on_failed,
                store=commands_store,
                concurrency=concurrency,
                policy=policy,
                clock=clock,
                **commands,
            )

    async def __aenter__(self) -> Self:
        if self._commands is not None:
            await self._commands.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._commands is not None:
                await self._commands.__aexit__(kind, error, trace)
        finally:
            await self._client.aclose()

    async def start(self) -> None:
        """Begin to handle callbacks, where `async with` has no place. Another task may call `stop()`."""
        if self._commands is not None:
            await self._commands.start()

    async def stop(self) -> None:
        """Accept no more callbacks, wait for running work, and close the connections."""
        try:
            if self._commands is not None:
                await self._commands.stop()
        finally:
            await self._client.aclose()

    @property
    def commands(self) -> AsyncNotifyReceiver:
        """The command callback URL, as an ASGI application; see `Suite.commands`."""
        if self._commands is None:
            raise ConfigurationError(NO_COMMANDS)
        return self._commands

    def corp(self, corpid: str) -> AsyncZoneClient:
        """Return the client of a corp, without I/O; see `Suite.corp`."""

        def make() -> AsyncZoneClient:
            return self._client._with_core(self._core.core_of(corpid, partial(self._actions.is_gone, corpid)))

        return self._clients.made(corpid, make)

    def client_of(self, notification: Notification) -> AsyncZoneClient:
        """Return the client of the corp of a notification; see `Suite.client_of`."""
        return self.corp(notification.corpid)

    async def installation(self, corpid: str) -> Installation:
        """Return the installation of a corp; see `Suite.installation`."""
        return await self._run(self._core.records.ready(corpid))

    async def is_installed(self, corpid: str) -> bool:
        """Return whether a corp has installed the app; see `Suite.is_installed`."""
        return await self._run(self._core.is_installed(corpid))

    async def is_receiver(self, receive_id: str) -> bool:
        """Return whether a callback may be encrypted for an ID; see `Suite.is_receiver`."""
        return await self._run(self._core.is_receiver(receive_id))

    async def corps(self) -> Sequence[str]:
        """Return the corps that have installed the app; see `Suite.corps`."""
        return await self._run(self._core.records.corps())

    async def install_url(self, redirect_uri: str, *, state: str = "") -> str:
        """Return a link by which a corp's admin installs a third-party app; see `Suite.install_url`."""
        return await self._run(self._core.install_url(redirect_uri, state))

    async def install(self, auth_code: str) -> Installation:
        """Exchange an auth_code for the corp's permanent_code, and store it; see `Suite.install`."""
        return await self._run(self._core.install(auth_code))

    async def auth_info(self, corpid: str) -> AuthInfo:
        """Return what a corp has authorised; see `Suite.auth_info`."""
        return await self._run(self._core.auth_info(corpid))

    async def forget(self, corpid: str) -> None:
        """Delete all that is stored of a corp; see `Suite.forget`."""
        await self._run(self._actions.forget(corpid))

    async def reconcile(self, corpid: str = "") -> Sequence[str]:
        """Forget the corps that have removed the app according to WeCom; see `Suite.reconcile`."""
        return await self._run(self._actions.reconcile(corpid))

    async def _on_callback(self, callback: Callback) -> None:
        await self._run(self._actions.handle(callback))

    def _drop(self, corpid: str) -> None:
        client = self._clients.pop(corpid)
        if client is not None:
            client._core.drop_tokens()

    async def _run(self, steps: Steps[T]) -> T:
        return await self._client._run(steps)

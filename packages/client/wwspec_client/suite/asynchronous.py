"""The suite for an event loop."""

from collections.abc import Sequence
from typing import Any, Self, TypeVar

from wwspec_client.asynchronous import AsyncZoneClient
from wwspec_client.installations import Installation
from wwspec_client.models import AuthInfo
from wwspec_client.notify.asynchronous import AsyncNotifyReceiver
from wwspec_client.steps import Steps
from wwspec_client.suite.base import SuiteClientOptions, _Suite, no_corp
from wwspec_contracts.callbacks import Callback

T = TypeVar("T")


class AsyncSuite(_Suite[AsyncZoneClient, AsyncNotifyReceiver]):
    """The app of a provider at all corps that have installed it, for an event loop; for arguments see `Suite`.

    It works inside `async with`, or from `start()` to `stop()`. All functions and stores may be `async def`; plain ones
    run on threads. `transport` is an `httpx.AsyncBaseTransport`.
    """

    def _make_client(self, options: SuiteClientOptions) -> AsyncZoneClient:
        return AsyncZoneClient(tokens=no_corp, **options)

    def _make_receiver(self, **options: Any) -> AsyncNotifyReceiver:
        return AsyncNotifyReceiver(self.client_of, on_other=self._on_callback, **options)

    async def __aenter__(self) -> Self:
        if self._commands is not None:
            await self._commands.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        try:
            if self._commands is not None:
                await self._commands.__aexit__(*error)
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

    async def _run(self, steps: Steps[T]) -> T:
        return await self._client._run(steps)

"""What both receivers are made of."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from wwspec_client.arguments import check_client
from wwspec_client.notify.core import ReceiverCore
from wwspec_client.notify.intake import ReceiveId
from wwspec_client.notify.models import NotifyEvent, Pending
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.stores import MemoryPendingStore, PendingStore
from wwspec_client.notify.watch import Watch
from wwspec_client.notify.workers import POLL, EventT, Wakeup
from wwspec_contracts.base import Contract
from wwspec_contracts.callbacks import Callback
from wwspec_contracts.errors import ConfigurationError

ClientT = TypeVar("ClientT")


class _Receiver(Generic[ClientT, EventT]):
    """What both receivers share; `NotifyReceiver` describes the arguments."""

    _client_type: type
    _event_type: Callable[[], EventT]

    def __init__(
        self,
        client: ClientT,
        handler: Callable[[NotifyEvent], object] | None = None,
        *,
        token: str,
        encoding_aes_key: str,
        receive_id: ReceiveId,
        on_other: Callable[[Callback], object] | None = None,
        on_failed: Callable[[Pending], object] | None = None,
        store: PendingStore | None = None,
        kinds: Mapping[str, type[Contract]] = {},
        ability_id: str = "get_callback_data",
        program_id: str = "",
        concurrency: int = 1,
        policy: NotifyPolicy = NotifyPolicy(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._check(client=client, handler=handler, receive_id=receive_id, on_other=on_other, on_failed=on_failed)
        self._check(**{"store.open": getattr(store, "open", None)})
        check_client(client, self._client_type)
        self._wakeup = Wakeup[EventT](self._event_type)
        self._core = ReceiverCore(
            token=token,
            encoding_aes_key=encoding_aes_key,
            receive_id=receive_id,
            store=MemoryPendingStore() if store is None else store,
            ability_id=ability_id,
            program_id=program_id,
            kinds=kinds,
            policy=policy,
            clock=clock,
            on_other=on_other,
            on_failed=on_failed,
            wake=self._wakeup.wake,
        )
        if concurrency < 1:
            raise ConfigurationError(f"concurrency is 1 or more, not {concurrency}")
        self._concurrency = concurrency
        self._client_of: Any = (lambda _: client) if isinstance(client, self._client_type) else client
        self._handler = handler
        self._watch = Watch(min(POLL, policy.handler_limit), self._on_tick)
        self._prepare()

    def _check(self, **functions: object) -> None:
        """Check functions of the app's; on an event loop, plain ones and others are called."""

    def _prepare(self) -> None:
        """Make what a driver has besides."""

    def _on_tick(self) -> None:
        """Do nothing between two checks of the watch: a task that fails goes on by itself."""

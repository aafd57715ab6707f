"""What both suites are made of, and how they are set up."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Generic, TypedDict, TypeVar, Unpack

import httpx

from wwspec_client.arguments import Timeout
from wwspec_client.core import BASE_URL
from wwspec_client.hooks import ClientHooks
from wwspec_client.installations import InstallationStore
from wwspec_client.methods import WithPage
from wwspec_client.notify.models import Notification, Pending
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.stores import PendingStore
from wwspec_client.options import Form
from wwspec_client.page_tickets import PageTickets
from wwspec_client.retries import RetryPolicy
from wwspec_client.shared_tokens import TokenStore
from wwspec_client.suite.commands import Commands, Forgets
from wwspec_client.suite.core import AppKind, SuiteCore
from wwspec_client.suite.events import SuiteEvent
from wwspec_client.suite.recent import Recent
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError

ClientT = TypeVar("ClientT", bound=WithPage[Any, Any])
ReceiverT = TypeVar("ReceiverT")

CLIENTS = 1000
"""How many clients of corps are kept."""
NO_COMMANDS = (
    "the command callback URL needs token=, encoding_aes_key= and provider_corpid=, as the provider console has them"
)


class SuiteClientOptions(TypedDict, total=False):
    """Options of all clients of a suite; see `ZoneClient`."""

    program_id: str
    """The program to call."""
    base_url: str
    """WeCom's URL, or that of an emulator."""
    prefix: str | None
    """What is before an SDK API's name in the ability ID that calls it."""
    form: Form
    """How the program takes requests."""
    timeout: Timeout
    """Seconds to connect, and between two parts of an answer: one number, or one for each."""
    retries: RetryPolicy
    """How often requests are sent, and how long that may take."""
    errcodes: ProgramErrcodes
    """Those of the program's own failures."""
    connections: int
    """The most connections at once, of all corps."""
    proxy: str | httpx.Proxy | None
    """The proxy that requests go through."""
    user_agent: str
    """The User-Agent of requests."""
    transport: Any
    """The httpx transport that sends requests."""
    hooks: Iterable[ClientHooks]
    """What is told of each call and each attempt."""


def no_corp() -> str:
    """Stand for the access tokens of a client that is for no corp.

    Raises:
        ConfigurationError: In any case.
    """
    raise ConfigurationError("this client is for no corp: take suite.corp(corpid)")


def command_receiver(suite_id: str, token: str, encoding_aes_key: str, provider_corpid: str) -> dict[str, Any] | None:
    """Return what a receiver needs for the command URL; None when this process is not to answer it.

    Raises:
        ConfigurationError: A part is missing.
    """
    if not (token or encoding_aes_key):
        return None
    if not (token and encoding_aes_key and provider_corpid):
        raise ConfigurationError(NO_COMMANDS)
    return {"token": token, "encoding_aes_key": encoding_aes_key, "receive_id": [suite_id, provider_corpid]}


class _Suite(Generic[ClientT, ReceiverT]):
    """What both suites share; `Suite` describes the arguments."""

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
        self._check(on_event=on_event, on_failed=on_failed)
        commands = command_receiver(suite_id, token, encoding_aes_key, provider_corpid)
        self._client = self._make_client(client)
        self._clients = Recent[ClientT](clients)
        self._core = SuiteCore(
            core=self._client._core,
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
        self._commands: ReceiverT | None = None
        if commands is not None:
            self._commands = self._make_receiver(
                on_failed=on_failed,
                store=commands_store,
                concurrency=concurrency,
                policy=policy,
                clock=clock,
                **commands,
            )

    def _check(self, **functions: object) -> None:
        """Check functions of the app's; on an event loop, plain ones and others are called."""

    def _make_client(self, options: SuiteClientOptions) -> ClientT:
        raise NotImplementedError

    def _make_receiver(self, **options: Any) -> ReceiverT:
        raise NotImplementedError

    @property
    def commands(self) -> ReceiverT:
        """The command callback URL: a WSGI application, or an ASGI application of an `AsyncSuite`.

        Raises:
            ConfigurationError: The suite has no `token`.
        """
        if self._commands is None:
            raise ConfigurationError(NO_COMMANDS)
        return self._commands

    def corp(self, corpid: str) -> ClientT:
        """Return the client of a corp. It shares connections and the suite's token with those of other corps.

        This does no I/O: a call of a corp that has not installed the app raises `NotInstalledError`.

        Args:
            corpid: The corp.

        Raises:
            ConfigurationError: No corp is named.
        """

        def make() -> ClientT:
            return self._client._with_core(self._core.core_of(corpid, partial(self._actions.is_gone, corpid)))

        return self._clients.made(corpid, make)

    def client_of(self, notification: Notification) -> ClientT:
        """Return the client of the corp of a notification, for a receiver.

        Args:
            notification: The notification.
        """
        return self.corp(notification.corpid)

    def _drop(self, corpid: str) -> None:
        client = self._clients.pop(corpid)
        if client is not None:
            client._core.drop_tokens()

"""What both apps of a provider are made of, and what they do after an authorisation."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, Unpack

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wwspec_client.archive import ArchivePage, Archiver, ArchiverOptions, AsyncArchiver
from wwspec_client.calls import check_options
from wwspec_client.errors import NotInstalledError, SdkApiError
from wwspec_client.keys import new_pem
from wwspec_client.notify.asynchronous import AsyncNotifyReceiver
from wwspec_client.notify.blocking import NotifyReceiver
from wwspec_client.notify.models import NotifyEvent, Pending
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.provider.settings import SuiteSettings
from wwspec_client.sql import Cipher, SqlInstallationStore, SqlKeyStore, SqlPendingStore, SqlTokenStore, create_tables
from wwspec_client.steps import Steps, ask
from wwspec_client.suite.asynchronous import AsyncSuite
from wwspec_client.suite.base import SuiteClientOptions
from wwspec_client.suite.blocking import Suite
from wwspec_client.suite.commands import Forgets
from wwspec_client.suite.core import AppKind
from wwspec_client.suite.events import DataPermissionGranted, SuiteEvent
from wwspec_contracts.base import Contract
from wwspec_contracts.errors import ConfigurationError

EngineT = TypeVar("EngineT", bound=Engine | AsyncEngine)
ConnectionT = TypeVar("ConnectionT", bound=Connection | AsyncConnection)
SuiteT = TypeVar("SuiteT", bound=Suite | AsyncSuite)
ArchiverT = TypeVar("ArchiverT", bound=Archiver | AsyncArchiver)
ReceiverT = TypeVar("ReceiverT", bound=NotifyReceiver | AsyncNotifyReceiver)

_NO_PUBLIC_KEY = 710659
"""The errcode of a pull when the corp has authorised the app anew [99824]."""


class ProviderOptions(SuiteClientOptions, total=False):
    """What an app of a provider may do besides, and the options of its clients."""

    kind: AppKind
    """`third-party`, or `custom-developed`; see `Suite`."""
    keys: SqlKeyStore
    """Keeps the private keys; by default a `SqlKeyStore` on the same engine, with `cipher`."""
    cipher: Cipher
    """Seals permanent codes, tickets, tokens and private keys at rest, such as a `Fernet`."""
    on: Mapping[type[SuiteEvent], Callable[[Any], object]]
    """A function for each class of events of the command URL. It is called with the event, at least once, after the
    suite and this app have done their part."""
    on_notify: Callable[[NotifyEvent], object]
    """Called with each event of the program that is not about new messages, at least once."""
    on_failed: Callable[[Pending], object]
    """Called with each callback of either URL that is given up."""
    kinds: Mapping[str, type[Contract]]
    """The type of the payload, for each kind of notification that the program sends with `ctx.notify`."""
    forgets: Sequence[Forgets]
    """What else is deleted of a corp when it removes the app, in this order: after the place of its pull, which ends
    its pages, its notifications and its private keys."""
    tables: MetaData | None
    """The app's own tables: those that are missing are made at the start, after those of this package. None when a
    migration makes both."""
    archiver: ArchiverOptions
    """How corps are pulled. By default `corps` are those of the suite, and `name` is the suite's ID."""
    policy: NotifyPolicy
    """Limits and pauses of both callback URLs."""
    clock: Callable[[], float]
    """Returns Unix time; `time.time` by default."""


def make_tables(connection: Connection, own: MetaData) -> None:
    """Make the tables of this package, and the app's own, that are missing."""
    create_tables(connection)  # whose first statement lets other processes wait
    own.create_all(connection)


class _ProviderApp(Generic[EngineT, ConnectionT, SuiteT, ArchiverT, ReceiverT]):
    """What both apps share; `ProviderApp` describes the arguments."""

    _suite_type: Callable[..., SuiteT]
    _archiver_type: Callable[..., ArchiverT]
    _receiver_type: Callable[..., ReceiverT]

    def __init__(
        self,
        engine: EngineT,
        settings: SuiteSettings,
        *,
        store: Callable[[ArchivePage, ConnectionT], object],
        **options: Unpack[ProviderOptions],
    ) -> None:
        check_options(options, ProviderOptions)
        cipher, archiver = options.get("cipher"), options.get("archiver", ArchiverOptions())
        name = settings.suite_id
        self._engine = engine
        self.keys: SqlKeyStore = options.get("keys") or SqlKeyStore(engine, name=name, cipher=cipher)
        """Keeps the private keys of each corp."""
        self._on, self._on_notify = options.get("on", {}), options.get("on_notify")
        self._check(on_notify=self._on_notify, **{f"on[{kind.__name__}]": each for kind, each in self._on.items()})
        self._on_error = archiver.get("on_error")
        self._tables = options.get("tables", MetaData())
        if not isinstance(self._tables, MetaData | None):
            raise ConfigurationError(f"tables is the MetaData of your tables, or None, not {self._tables!r}")
        self._clock = options.get("clock", time.time)
        notifications = SqlPendingStore(engine, receiver=f"{name} data")
        shared = {"on_failed": options.get("on_failed"), "policy": options.get("policy", NotifyPolicy())}
        client = {each: value for each, value in options.items() if each in SuiteClientOptions.__optional_keys__}
        suite = self._suite_type(
            name,
            settings.suite_secret,
            installations=SqlInstallationStore(engine, cipher=cipher),
            tokens=SqlTokenStore(engine, cipher=cipher),
            kind=options.get("kind", "third-party"),
            token=settings.command_token,
            encoding_aes_key=settings.command_encoding_aes_key,
            provider_corpid=settings.provider_corpid,
            commands_store=SqlPendingStore(engine, receiver=f"{name} commands"),
            on_event=self._driven(self._handle_command),
            # The archiver first: a pull that still runs stores nothing afterwards. The app's rows last: a page that was
            # on its way is among them.
            forgets=[
                lambda corpid: self.archiver.forget(corpid),
                notifications,
                self.keys,
                *options.get("forgets", ()),
            ],
            clock=self._clock,
            **shared,
            **{"program_id": settings.program_id, "base_url": settings.base_url, **client},
        )
        own = {"corps": suite.corps, "name": name, "clock": self._clock}
        on_error = self._driven(self._handle_failure)
        self.suite = suite
        """The app at all corps: installations and clients."""
        self.archiver: ArchiverT = self._archiver_type(
            suite.corp, engine, store, **{**own, **archiver, "on_error": on_error}
        )
        """Pulls the messages of all corps."""
        self.receiver = self._receiver_type(
            suite.client_of,
            self._driven(self._handle_event),
            token=settings.callback_token,
            encoding_aes_key=settings.encoding_aes_key,
            receive_id=suite.is_receiver,
            store=notifications,
            kinds=options.get("kinds", {}),
            clock=self._clock,
            **shared,
        )
        """The data callback URL."""
        self._routes: dict[str, Any] = {"/callback": self.receiver, "/commands": suite.commands}

    def _check(self, **functions: object) -> None:
        """Check functions of the app's; on an event loop, plain ones and others are called."""

    def _driven(self, steps: Callable[..., Steps[None]]) -> Callable[..., Any]:
        """Return a function of the app that runs steps: plain, or `async def`."""
        raise NotImplementedError

    def problems(self) -> list[str]:
        """Return what keeps this process from its work, a line each; empty when it is ready."""
        return self.suite.commands.problems() + self.receiver.problems() + self.archiver.problems()

    def _handle_command(self, event: SuiteEvent) -> Steps[None]:
        if isinstance(event, DataPermissionGranted) and event.is_chat:
            yield from self._begin(event.corpid)
        for kind, function in self._on.items():
            if isinstance(event, kind):
                yield from ask(partial(function, event))

    def _handle_event(self, event: NotifyEvent) -> Steps[None]:
        is_of_messages = yield from ask(partial(self.archiver.on_event, event))
        if not is_of_messages and self._on_notify is not None:
            yield from ask(partial(self._on_notify, event))

    def _handle_failure(self, corpid: str, error: Exception) -> Steps[None]:
        if isinstance(error, SdkApiError) and error.errcode == _NO_PUBLIC_KEY:  # the event of the permission was lost
            yield from self._begin(corpid)
        if self._on_error is not None:
            yield from ask(partial(self._on_error, corpid, error))

    def _begin(self, corpid: str) -> Steps[None]:
        """Do what is due after each authorisation of a corp, and let it be pulled."""
        ring = yield from ask(partial(self.keys.ring, corpid))
        if not ring.versions:
            pem = yield from ask(new_pem)
            # WeCom takes no version below that of an earlier installation, whose keys are deleted.
            yield from ask(partial(self.keys.add, corpid, int(self._clock()), pem))
            try:
                yield from ask(partial(self.suite.installation, corpid))
            except NotInstalledError:  # it has left meanwhile, and another machine has deleted its keys before
                yield from ask(partial(self.keys.forget, corpid))
                raise
            ring = yield from ask(partial(self.keys.ring, corpid))
        client = self.suite.corp(corpid)
        yield from ask(partial(client.ensure_public_key, ring))
        yield from ask(client.set_receive_callback)
        yield from ask(partial(self.archiver.pull_soon, corpid))

"""The suite for threads."""

from collections.abc import Sequence
from typing import Any, Self, TypeVar

from wwspec_client.blocking import ZoneClient
from wwspec_client.installations import Installation
from wwspec_client.models import AuthInfo
from wwspec_client.notify.blocking import NotifyReceiver
from wwspec_client.notify.workers import check_plain
from wwspec_client.steps import Steps
from wwspec_client.suite.base import SuiteClientOptions, _Suite, no_corp
from wwspec_contracts.callbacks import Callback

T = TypeVar("T")


class Suite(_Suite[ZoneClient, NotifyReceiver]):
    """The app of a provider at all corps that have installed it, for threads.

    It has a client for each corp, installs the app, and answers WeCom on the command callback URL (指令回调URL). It
    works inside `with`, or from `start()` to `stop()`.

    Args:
        suite_id: The app's suite ID; of a custom-developed app, the ID of its template.
        suite_secret: The app's suite secret.
        installations: Keeps installations and the suite_ticket, for all machines.
        kind: `third-party`, or `custom-developed`: then a permanent_code is the secret of the app at its corp [97175].
        token: The Token of the command callback URL. Without it, this process does not answer that URL.
        encoding_aes_key: Its EncodingAESKey.
        provider_corpid: The provider's corpid, for which WeCom verifies callback URLs.
        commands_store: Keeps callbacks until they are handled. In memory by default; a durable store loses none.
        on_event: Called with each event of the command URL, at least once, after the suite has done its part.
        on_failed: Called with each callback that is given up.
        forgets: What else is deleted of a corp when it removes the app: objects with `forget(corpid)`, such as stores,
            and functions, in their order. Each is called again until all have succeeded. Name what pulls messages, such
            as an `Archiver`, before what holds them: no page comes afterwards.
        tokens: What the machines of the app share tokens in. By default each process gets its own.
        page_tickets: Returns how a corp's tickets of pages are shared; see `page_tickets` of `ZoneClient`.
        older: Call the older `get_permanent_code` and `get_auth_info` [90603], in place of those of version 2 [100776].
        clients: How many clients of corps are kept.
        concurrency: How many callbacks are handled at the same time. With 1, they are handled in the order in which
            they came, but for those that are tried again.
        policy: Limits and pauses of the command callback URL.
        clock: Returns Unix time in seconds.
        client: `program_id`, `base_url`, `timeout`, `retries` and others; see `SuiteClientOptions`.

    Raises:
        ConfigurationError: Arguments are missing or contradict each other.
    """

    _check = staticmethod(check_plain)

    def _make_client(self, options: SuiteClientOptions) -> ZoneClient:
        return ZoneClient(tokens=no_corp, **options)

    def _make_receiver(self, **options: Any) -> NotifyReceiver:
        return NotifyReceiver(self.client_of, on_other=self._on_callback, **options)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to handle callbacks. In a server that forks, call it in the process that answers requests."""
        if self._commands is not None:
            self._commands.start()

    def stop(self) -> None:
        """Accept no more callbacks, wait for running work, and close the connections."""
        if self._commands is not None:
            self._commands.stop()
        self._client.close()

    def installation(self, corpid: str) -> Installation:
        """Return the installation of a corp.

        Args:
            corpid: The corp.

        Raises:
            NotInstalledError: It has none.
            StoreError: The store can't be read.
        """
        return self._run(self._core.records.ready(corpid))

    def is_installed(self, corpid: str) -> bool:
        """Return whether a corp has installed the app.

        Args:
            corpid: The corp.

        Raises:
            StoreError: The store can't be read.
        """
        return self._run(self._core.is_installed(corpid))

    def is_receiver(self, receive_id: str) -> bool:
        """Return whether a callback may be encrypted for an ID: for `receive_id` of `NotifyReceiver`.

        Args:
            receive_id: A corpid or a suite's ID. WeCom verifies a callback URL for the provider's corpid.

        Raises:
            StoreError: The store can't be read.
        """
        return self._run(self._core.is_receiver(receive_id))

    def corps(self) -> Sequence[str]:
        """Return the corps that have installed the app, in the order of their names.

        Raises:
            StoreError: The store can't be read.
        """
        return self._run(self._core.records.corps())

    def install_url(self, redirect_uri: str, *, state: str = "") -> str:
        """Return a link by which a corp's admin installs a third-party app; it works for 20 minutes.

        WeCom leads the admin to `redirect_uri` with `auth_code` and `state`: check that `state` is one of that
        browser, and call `install`.

        Args:
            redirect_uri: A page of the app, in a domain that the provider console has.
            state: What comes back with the redirect: a text that nobody can guess.

        Raises:
            TicketMissingError: WeCom has not pushed a suite_ticket yet.
            ZoneClientError: WeCom refuses the request, or can't be reached.
            ConfigurationError: The app is custom-developed.
        """
        return self._run(self._core.install_url(redirect_uri, state))

    def install(self, auth_code: str) -> Installation:
        """Exchange an auth_code for the corp's permanent_code, and store it [90603, 100776].

        A code is for one use. A second call with the same code returns what is stored, also on another machine.

        Args:
            auth_code: Of the redirect. For the one of `create_auth`, the suite calls this itself.

        Raises:
            PlatformError: 40078: the code has expired, or an earlier answer got lost. The corp installs the app again.
            TicketMissingError: WeCom has not pushed a suite_ticket yet.
            ZoneClientError: WeCom refuses the request, or can't be reached.
            StoreError: The store can't be read or written: call it again in this process.
        """
        return self._run(self._core.install(auth_code))

    def auth_info(self, corpid: str) -> AuthInfo:
        """Return what a corp has authorised [100795].

        Args:
            corpid: The corp.

        Raises:
            NotInstalledError: It has not installed the app.
            ZoneClientError: WeCom refuses the request, or can't be reached.
        """
        return self._run(self._core.auth_info(corpid))

    def forget(self, corpid: str) -> None:
        """Delete all that is stored of a corp: tokens, what `forgets` names, and the installation, in this order.

        From the beginning, no calls for the corp are made. Each step runs, even if one before it fails. After an
        error, or a crash, call it again: it begins from the start. `cancel_auth` does that by itself.

        Args:
            corpid: The corp.

        Raises:
            StoreError: The store can't be read or written. What else `forgets` raises, comes as it is; the first
                error of all.
        """
        self._run(self._actions.forget(corpid))

    def reconcile(self, corpid: str = "") -> Sequence[str]:
        """Ask WeCom which corps still have the app, since a cancel_auth may be lost; forget those that have not.

        A corp is forgotten when WeCom says so twice, a minute or more apart: call this once an hour, for example. An
        archiver does it for each corp that WeCom refuses. Nothing is installed: a lost create_auth needs the admin.

        Args:
            corpid: One corp; all that have an installation by default.

        Returns:
            The corps that were forgotten.

        Raises:
            ZoneClientError: WeCom refuses something else, or can't be reached. All other corps have been asked.
            StoreError: The store can't be read or written. What `forgets` raises, comes as it is.
        """
        return self._run(self._actions.reconcile(corpid))

    def _on_callback(self, callback: Callback) -> None:
        self._run(self._actions.handle(callback))

    def _run(self, steps: Steps[T]) -> T:
        return self._client._run(steps)

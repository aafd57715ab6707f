"""The app of a provider for threads: a WSGI application."""

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, Self

from sqlalchemy import Connection, Engine

from wwspec_client.archive import Archiver
from wwspec_client.notify.blocking import NotifyReceiver
from wwspec_client.notify.workers import check_plain
from wwspec_client.provider.base import _ProviderApp, make_tables
from wwspec_client.running import run_asked
from wwspec_client.steps import Steps
from wwspec_client.suite.blocking import Suite


class ProviderApp(_ProviderApp[Engine, Connection, Suite, Archiver, NotifyReceiver]):
    """A provider's app that archives the messages of all corps that have installed it, as a WSGI application.

    It has a suite, an archiver and a receiver, whose stores are in the app's database. It answers WeCom at `/callback`
    (the data callback URL) and `/commands` (the command callback URL), below the path where it is mounted. It works
    inside `with`, or from `start()` to `stop()`. Any number of processes and machines may have one for the same
    database.

    After each authorisation for chats a corp gets a private key, WeCom its public key and the program that receives
    events, and the corp is pulled. The same is done when a pull is refused with 710659: then that callback was lost.
    When a corp removes the app, this is deleted, in this order: the place of its pull, its notifications, its private
    keys, and what `forgets` names.

    Args:
        engine: Of the app's database; its connections are closed at the end.
        settings: What the provider console says of the suite.
        store: Called with a page (`ArchivePage`) and the connection whose transaction stores it; see `Archiver`.
        options: See `ProviderOptions`.

    Raises:
        ConfigurationError: Arguments are missing or contradict each other.

    Examples:
        >>> import sqlalchemy
        >>> from wwspec_client.provider import ProviderApp, SuiteSettings
        >>> settings = SuiteSettings(
        ...     suite_id="suite",
        ...     suite_secret="secret",
        ...     provider_corpid="provider",
        ...     command_token="token",
        ...     command_encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        ...     program_id="program",
        ...     callback_token="token",
        ...     encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        ... )
        >>> def store(page, connection):
        ...     print([message.msgid for message in page])
        >>> with ProviderApp(sqlalchemy.create_engine("sqlite:///provider.db"), settings, store=store) as app:
        ...     app.suite.corps()
        []
    """

    _check = staticmethod(check_plain)
    _suite_type = Suite
    _archiver_type = Archiver
    _receiver_type = NotifyReceiver

    _ends: ExitStack | None = None
    """What `stop()` ends."""

    def _driven(self, steps: Callable[..., Steps[None]]) -> Callable[..., None]:
        return lambda *arguments: run_asked(steps(*arguments))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Make the tables, and begin to work. In a server that forks, call it in the process that answers requests.

        Raises:
            ConfigurationError: A table is another one.
            StoreError: The database refuses.
        """
        if self._ends is not None:
            return
        if self._tables is not None:
            with self._engine.begin() as connection:
                make_tables(connection, self._tables)
        with ExitStack() as ends:
            ends.callback(self._engine.dispose)
            ends.enter_context(self.suite)
            ends.enter_context(self.receiver)
            pulls = threading.Thread(target=self.archiver.run, name="wwspec-archiver", daemon=True)
            pulls.start()
            ends.callback(pulls.join)
            ends.callback(self.archiver.stop)
            self._ends = ends.pop_all()

    def stop(self) -> None:
        """Accept no more callbacks, wait for running work, and close the connections."""
        ends, self._ends = self._ends, None
        if ends is not None:
            ends.close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request of WeCom at `/callback` or `/commands`, as a WSGI application; another one with 404.

        Args:
            environ: Of WSGI.
            start_response: Of WSGI.
        """
        app = self._routes.get(environ.get("PATH_INFO", ""))
        if app is not None:
            answer: Iterable[bytes] = app(environ, start_response)
            return answer
        start_response("404 Not Found", [("Content-Length", "0")])
        return []

"""The enterprise app of an emulator: its calls are those of `ZoneClient`, without retries."""

from collections.abc import Callable
from typing import Any

import msgspec

from wwspec_client import AppSecret, PlatformError, ProgramError, RetryPolicy, SuiteApp, ZoneClient
from wwspec_client.stores import Fetch, Steps, Token, TokenProvider, ask
from wwspec_devtools.emulator.http.client import TIMEOUT, EmulatorClient
from wwspec_devtools.testing.answer import Answer, CallRefusedError, ZoneTask, read_reply


def client_of(emulator: EmulatorClient, **options: Any) -> ZoneClient:
    """Return a client of the emulator's app, for the program that is linked with it.

    Args:
        emulator: The emulator.
        options: Arguments of `ZoneClient` that replace those of the app.

    Raises:
        ConfigurationError: Arguments contradict each other.
        EmulatorError: No emulator answers.
    """
    info = emulator.info()
    credentials: dict[str, Any] = {}
    if "tokens" not in options:
        credentials = {"corpid": info["corpid"], "secret": info["secret"]} if info["secret"] else _of_suite(emulator)
    here = {"program_id": info["program_id"], "base_url": emulator.url, "transport": emulator.memory}
    return ZoneClient(**{**credentials, **here, **options})


def _of_suite(emulator: EmulatorClient) -> dict[str, SuiteApp]:
    """Return the credentials of an app that gets its tokens by its suite."""
    info = emulator.info()

    def ticket() -> str:
        return str(emulator.info()["suite_ticket"])

    return {"tokens": SuiteApp(info["suite_id"], info["suite_secret"], ticket, info["corpid"], info["permanent_code"])}


class IssuedToken:
    """A source of access tokens that takes the one that the emulator's app has already, while it is valid.

    `wwspec call` is a process of its own for each call: with this it asks for a token as rarely as an app does.

    Args:
        emulator: The emulator.
    """

    def __init__(self, emulator: EmulatorClient) -> None:
        info = emulator.info()
        self.corpid = str(info["corpid"])
        self._emulator = emulator
        self._other: TokenProvider = (
            AppSecret(self.corpid, info["secret"]) if info["secret"] else _of_suite(emulator)["tokens"]
        )

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        issued = yield from ask(lambda: str(self._emulator.info()["access_token"]))
        return Token(issued) if issued else (yield from self._other.fetch(fetch))


class App:
    """Calls abilities as the emulator's app, and names who refused a call.

    Args:
        emulator: The emulator; closing it also closes the connections.
        options: Arguments of `ZoneClient` that replace those of the app.
    """

    def __init__(self, emulator: EmulatorClient, **options: Any) -> None:
        self._emulator = emulator
        self._options = options
        self._made: tuple[int, ZoneClient] | None = None

    @property
    def client(self) -> ZoneClient:
        """The app's client. After a reset of the emulator it is a new one, with a valid token."""
        resets = self._emulator.resets
        if self._made is None or self._made[0] != resets:
            seconds = TIMEOUT + self._emulator.info()["call_timeout"]
            once = RetryPolicy(attempts=1, deadline=seconds)
            own = {"transport": self._emulator.transport, "timeout": seconds, "retries": once, **self._options}
            client = client_of(self._emulator, **own)
            self._made = resets, client
        return self._made[1]

    def call(self, ability_id: str, request: object = None, notify_id: str = "", *, reply: Any = Any) -> Answer[Any]:
        """Call an ability.

        Args:
            ability_id: Which ability.
            request: As `ZoneClient.call` takes it.
            notify_id: From a notification.
            reply: The type of the program's reply.
        """
        return self._answer(
            ability_id, lambda: self.client.call(ability_id, request, raw=True, notify_id=notify_id), reply
        )

    def submit(self, ability_id: str, request: object = None, *, reply: Any = Any) -> ZoneTask[Any]:
        """Call an ability asynchronously; for arguments see `call`.

        Raises:
            CallRefusedError: The platform refused the call, or could not give it to the program.
        """
        try:
            task = self.client.submit(ability_id, request, reply=msgspec.Raw)
        except PlatformError as error:
            raise CallRefusedError(self.refusal(ability_id, error)) from None
        return ZoneTask(
            task.jobid, lambda seconds: self._answer(ability_id, lambda: bytes(task.result(seconds)).decode(), reply)
        )

    def refusal(self, call: str, error: PlatformError | ProgramError) -> Answer[Any]:
        """Return an error of the client as an answer.

        Args:
            call: An ability ID, or a jobid.
            error: The error.
        """
        if isinstance(error, ProgramError):
            return read_reply(call, error.raw, reported=error.errcode)
        hint = self._emulator.hint(error.errcode, error.errmsg, error.hint)
        return Answer(call, error.errcode, error.errmsg, "platform", "", hint)

    def _answer(self, call: str, ask: Callable[[], str], reply: Any) -> Answer[Any]:
        try:
            return read_reply(call, ask(), reply)
        except (PlatformError, ProgramError) as error:
            return self.refusal(call, error)

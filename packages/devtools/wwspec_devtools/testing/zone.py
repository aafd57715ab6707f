"""A zone for tests: a program, the emulator of the platform around it, and an enterprise app that calls it.

One class in three forms, so that the same test runs on each:

* `Zone.in_process(app)`: everything in this process, without sockets; fast, and a debugger stops in handlers.
* `Zone.serve(app)`: program and emulator as processes on ports that the system chooses, as in production.
* `Zone.connect(url)`: an emulator that runs already, with whatever program it calls, such as a container.

Every part is real in each form: calls are encrypted, by the emulator's stand-in for the vendor's SDK.
"""

import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from msgspec import to_builtins

from wwspec_client import ZoneClient
from wwspec_contracts.base import AbilityRequest, ApiRequest, Contract, OutputT, reply_type
from wwspec_devtools.child import StartProcess
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.answer import Answer, CallRefusedError, ZoneTask, read_reply
from wwspec_devtools.testing.app import App, client_of
from wwspec_devtools.testing.notifications import Notifications, ZoneTimeoutError, ability_id_of
from wwspec_devtools.testing.served import ServedProgram
from wwspec_devtools.testing.standin import Functions
from wwspec_router.config.reading import find_registry

__all__ = ["Answer", "CallRefusedError", "ServedZone", "Zone", "ZoneTask", "ZoneTimeoutError"]


ReplyT = TypeVar("ReplyT")
ContractT = TypeVar("ContractT", bound=Contract)

_KEPT = 100
"""Refusals between two tests that are remembered."""
_PAUSE = 0.02
"""Seconds between two looks at what the program has called."""
_TELLING = frozenset(("errcode", "errmsg", "raw", "refused_by"))
"""The attributes that say how a call ended."""


class _Refusal(Answer[ReplyT]):
    """A refusal that a test got; `is_seen` when the test has read it."""

    is_seen = False

    if not TYPE_CHECKING:  # else type checkers accept every attribute

        def __getattribute__(self, name: str) -> Any:
            __tracebackhide__ = True
            if name in _TELLING:
                object.__setattr__(self, "is_seen", True)
            return super().__getattribute__(name)


class Zone:
    """A program and the emulator around it; tests call the program as an enterprise app does.

    `in_process`, `serve` and `connect` make one. It is a context manager; at its end, what it has started ends too.

    Args:
        client: Controls the emulator.
        ends: Closed with the zone.
        registry: The application's registry file. It says which ability a request of an SDK API calls.
        var: The folder for files of the program's code.

    Examples:
        `app` is the folder that has `abilities` and `schemas`; in pytest, the fixture `zone` does this:

        >>> from wwspec_devtools.testing.zone import Zone
        >>> from wwspec_contracts import sync_msg
        >>> with Zone.in_process(app) as zone:
        ...     digest = zone.call("chat_digest", {"limit": 5})
        ...     page = zone.call(sync_msg.Request(limit=5))
        ...     refused = zone.call("chat_digest", {"limit": "five"})
        >>> digest.reply["messages"], len(page.reply.msg_list)
        (5, 5)
        >>> refused.errcode, refused.refused_by
        (790016, 'platform')
    """

    def __init__(self, client: EmulatorClient, ends: ExitStack, registry: Path, var: Path | None = None) -> None:
        self.client = client
        """Controls the emulator: an `EmulatorClient`."""
        self.var = var
        """The folder for files of the program's code, which `WWSPEC_VAR` names; None when the zone is connected."""
        self._app = App(client)
        self._notifications = Notifications(client, self._app, registry)
        self._functions: Functions | None = None
        self._last_calls: dict[str, int] = {}
        """The number of the last call of each SDK API that `called` has returned."""
        self._calls_since = 0
        """How often the emulator had been reset then."""
        self._stack = ends
        self._registry = registry
        self._refused: deque[tuple[_Refusal[Any], str]] = deque(maxlen=_KEPT)
        """Answers that refuse, to find those that no test looks at, and what they say."""

    @staticmethod
    def in_process(
        app: Path,
        registry: Path | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        scene: Path | None = None,
        **emulator: Any,
    ) -> "Zone":
        """Return a zone within this process.

        One process holds one application, since `abilities` and `schemas` are imported under these names.

        Args:
            app: The application folder.
            registry: Its registry file; None means the one that its wwspec.toml names, or the usual one.
            settings: The application's own settings by the names of their fields; they go before wwspec.toml and the
                environment.
            scene: The scene file, as `wwspec emulate --scene` takes it.
            emulator: Fields of `EmulatorSettings`, such as `seed`, `messages`, `clock_start`; they go before those of
                the scene file.

        Raises:
            ConfigurationError: The application, its registry file or the scene file has faults.
        """
        from wwspec_devtools.testing.in_process import start  # it imports the whole program

        registry = find_registry(app, registry)
        client, ends, var = start(app, registry, settings, scene, emulator)
        return Zone(client, ends, registry, var)

    @staticmethod
    def serve(
        app: Path,
        registry: Path | None = None,
        *,
        serve: Sequence[str] = (),
        emulate: Sequence[str] = (),
        scene: Path | None = None,
        settings: Mapping[str, object] | None = None,
        machines: int = 1,
        start_process: StartProcess | None = None,
        start_limit: float | None = None,
    ) -> "ServedZone":
        """Return a zone of processes: an emulator, and a program on each machine.

        Args:
            app: The application folder.
            registry: Its registry file; None means the one that its wwspec.toml names, or the usual one.
            serve: Further options of `wwspec serve`.
            emulate: Further options of `wwspec emulate`.
            scene: The scene file, as `wwspec emulate --scene` takes it; how many machines there are is said here alone.
            settings: The application's own settings by the names of their fields; they go before wwspec.toml and the
                environment.
            machines: How many machines the program runs on, each with a store of its own. `client.machines` stops,
                starts and wipes them.
            start_process: Starts the processes, each with a verb of `wwspec`, as
                `wwspec_devtools.child.StartProcess` says; None means a new Python for each.
            start_limit: Seconds within which each must be ready; None means those of the variable
                `WWSPEC_START_LIMIT`, or 30.

        Raises:
            ChildError: The program or the emulator did not start; the text says what it printed.
            ConfigurationError: The limit is no number of seconds, or wwspec.toml has faults.
        """
        return ServedZone(
            app, find_registry(app, registry), serve, emulate, scene, settings, machines, start_process, start_limit
        )

    @staticmethod
    def connect(url: str, app: Path | None = None, registry: Path | None = None) -> "Zone":
        """Return a zone whose emulator runs already.

        Args:
            url: Where the emulator listens.
            app: The application folder of its program; None means this folder.
            registry: Its registry file; None means the one that its wwspec.toml names, or the usual one.

        Raises:
            ConfigurationError: wwspec.toml has faults.
            EmulatorError: No emulator answers there.
        """
        with ExitStack() as stack:
            client = stack.enter_context(EmulatorClient(url))
            client.receive_events()
            return Zone(client, stack.pop_all(), find_registry(app or Path(), registry))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what this zone started."""
        self._stack.close()

    @overload
    def call(self, ability: ApiRequest[OutputT], *, notify_id: str = "") -> Answer[OutputT]: ...

    @overload
    def call(self, ability: str, data: object = None, notify_id: str = "") -> Answer[Any]: ...

    @overload
    def call(
        self, ability: str, data: object = None, notify_id: str = "", *, reply: type[ReplyT]
    ) -> Answer[ReplyT]: ...

    def call(
        self, ability: str | ApiRequest[Any], data: object = None, notify_id: str = "", *, reply: Any = Any
    ) -> Answer[Any]:
        """Call an ability as the enterprise app does.

        Args:
            ability: Its ID; or the request of an SDK API, such as `sync_msg.Request(limit=200)`: then the registry
                file says which ability calls that API, and the reply is the API's `Response`.
            data: With an ID, the request: JSON text as a str, or a value to be encoded; `{}` when None.
            notify_id: From a notification.
            reply: With an ID, the type of the reply; without it the reply is plain JSON.

        Raises:
            ConfigurationError: No ability calls the SDK API, or the registry file has faults.
        """
        ability_id, request, reply = self._request(ability, data, reply)
        return self._watch(self._app.call(ability_id, request, notify_id, reply=reply))

    @overload
    def submit(self, ability: ApiRequest[OutputT]) -> ZoneTask[OutputT]: ...

    @overload
    def submit(self, ability: str, data: object = None) -> ZoneTask[Any]: ...

    @overload
    def submit(self, ability: str, data: object = None, *, reply: type[ReplyT]) -> ZoneTask[ReplyT]: ...

    def submit(self, ability: str | ApiRequest[Any], data: object = None, *, reply: Any = Any) -> ZoneTask[Any]:
        """Call an ability asynchronously; `.result()` waits for the `Answer`. For arguments see `call`.

        Raises:
            CallRefusedError: The platform refused the call, or could not deliver it to the program.

        Examples:
            >>> zone.submit("chat_digest", {"limit": 5}).result(timeout=10).reply["messages"]
            5
        """
        ability_id, request, reply = self._request(ability, data, reply)
        submitted = self._app.submit(ability_id, request, reply=reply)
        return ZoneTask(submitted.jobid, lambda seconds: self._watch(submitted.result(seconds)))

    def unseen_refusals(self) -> list[str]:
        """Return the refusals since the last time that no test has looked at, and failures of its functions.

        A test looks at an answer when it reads `reply`, `errcode`, `errmsg`, `raw` or `refused_by`. After each test the
        fixture `zone` calls this method, and fails the test when it returns something.
        """
        refusals = [refusal for answer, refusal in self._refused if not answer.is_seen]
        self._refused.clear()
        if self._functions is not None:
            refusals += self._functions.failures
            self._functions.failures.clear()
        return refusals

    def _watch(self, answer: Answer[Any]) -> Answer[Any]:
        if answer.refused_by is None:
            return answer
        watched: _Refusal[Any] = _Refusal(**vars(answer))
        self._refused.append((watched, answer.refusal))
        return watched

    def _request(self, ability: str | ApiRequest[Any], data: object, reply: Any) -> tuple[str, object, Any]:
        """Return the ability ID, the request and the type of the reply."""
        if isinstance(ability, str):
            return ability, data, reply
        kind = type(ability)
        if isinstance(ability, AbilityRequest):
            ability_id = ability.ability_id
        else:
            ability_id = ability_id_of(kind.__module__.rpartition(".")[2], self._registry)
        return ability_id, ability, reply_type(kind)

    def app_client(self, **options: Any) -> ZoneClient:
        """Return a client for the app's own code, as in production; close it, or use it with `with`.

        Args:
            options: Arguments of `ZoneClient` that replace those of this zone.

        Raises:
            ConfigurationError: Arguments contradict each other.
            EmulatorError: The emulator refuses, or can't be reached.
        """
        return client_of(self.client, **options)

    def fire(self, event_type: str, **overrides: Any) -> dict[str, Any]:
        """Send an event to the program.

        An event comes with what it is about: `conversation_new_message` with a new message, `hit_keyword` with one that
        hits a keyword rule.

        Args:
            event_type: WeCom's name of the event, such as `conversation_new_message`.
            overrides: Fields of the event's own object, and `timestamp`; the emulator chooses the others. For
                `hit_keyword` also `text`, what is written, and `rule_id`, which rule it hits; without a rule one is
                made.

        Returns:
            `event`, the event that was sent, and `reply`, the program's JSON text.

        Raises:
            EmulatorError: It could not be sent, or the platform got no reply.
            CallRefusedError: The program refused it, so the app gets no notification.

        Examples:
            The app fetches the event with the notify_id of its notification:

            >>> fired = zone.fire("hit_keyword")
            >>> fetched = zone.call("get_callback_data", notify_id=zone.notified())
            >>> fetched.reply["event_type"]
            'hit_keyword'
            >>> fetched.reply["hit_keyword"] == fired["event"]["hit_keyword"]
            True
        """
        fired = self.client.fire(event_type, overrides)
        read_reply(f"event {event_type}", fired["reply"]).raise_for_error()
        return fired

    def repeat(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event again, with the same content, as WeCom may do; returns and raises as `fire` does.

        Args:
            event: What `fire` has returned, or its `event`.

        Examples:
            >>> fired = zone.fire("conversation_new_message")
            >>> zone.repeat(fired)["event"] == fired["event"]
            True
        """
        whole = event if "event_type" in event else event["event"]
        fired = self.client.fire_as_is(whole)
        read_reply(f"event {whole['event_type']}", fired["reply"]).raise_for_error()
        return fired

    @overload
    def notified(self) -> str: ...

    @overload
    def notified(self, kind: str, timeout: float = 30.0) -> dict[str, Any]: ...

    @overload
    def notified(self, kind: type[ContractT], timeout: float = 30.0) -> ContractT: ...

    def notified(self, kind: str | type[Any] | None = None, timeout: float = 30.0) -> Any:
        """Wait for a notification to the app, and return its payload; without a kind, the notify_id of the latest.

        A payload is fetched as the app does it, with the ability of `kind = "callback_data"`. Each notification is
        returned once, the oldest of its kind first.

        Args:
            kind: WeCom's name of an event, or the `<kind>` of a row `[notifications.<kind>]`: then the whole reply is
                returned as plain JSON, with the result of code on the event. Or the type of the payload: then that is
                returned.
            timeout: Seconds to wait for it.

        Raises:
            ConfigurationError: No notification is of that kind, or the registry file has faults.
            ZoneTimeoutError: It has not come by then; the text names what came.

        Examples:
            >>> fired = zone.fire("hit_keyword")
            >>> zone.notified("hit_keyword")["hit_keyword"] == fired["event"]["hit_keyword"]
            True
        """
        if kind is None:
            return str(self.client.notifications()[-1]["notify_id"])
        return self._notifications.next(kind, timeout)

    def called(self, api: str, timeout: float = 30.0) -> dict[str, Any]:
        """Wait for a call of an SDK API by the program, and return its request as plain JSON.

        Each call is returned once, the oldest of its API first.

        Args:
            api: The API's name, such as `sync_msg`.
            timeout: Seconds to wait for it.

        Raises:
            ZoneTimeoutError: It has not come by then; the text names what the program has called.

        Examples:
            >>> digest = zone.call("chat_digest", {"limit": 5})
            >>> zone.called("sync_msg")["limit"]
            5
        """
        if self._calls_since != self.client.resets:
            self._calls_since, self._last_calls = self.client.resets, {}
        until = monotonic() + timeout
        while True:
            made = self.client.traffic(self._last_calls.get(api, 0), "sdk", wait=False)
            for each in made:
                if each["name"] == api:
                    self._last_calls[api] = each["number"]
                    return dict(each["request"])
            if monotonic() > until:
                names = ", ".join(dict.fromkeys(each["name"] for each in made))
                raise ZoneTimeoutError(
                    f"no call of {api} within {timeout:g} s; the program has called: {names or 'none'}"
                )
            sleep(_PAUSE)

    def wait_idle(self, timeout: float = 30.0) -> None:
        """Wait until no call, asynchronous call, event, code on an event or notification is in work.

        Args:
            timeout: Seconds to wait for it.

        Raises:
            ZoneTimeoutError: Something still is; the text names it.
        """
        until = monotonic() + timeout
        while found := self.client.wait_idle(left := max(0.0, until - monotonic())):
            if not left:
                raise ZoneTimeoutError(f"still in work after {timeout:g} s: {'; '.join(found)}")

    def answer(
        self, api: str, reply: Mapping[str, Any] | Contract | Callable[[dict[str, Any]], Any], times: int | None = None
    ) -> str:
        """Answer an SDK API by hand, in place of what the emulator would reply; return the id of the answer.

        The record says of each such call that it was answered by hand. Answers with `times` come first, in their order;
        one without replaces the one without that was set before. `client.clear_answers` removes them, as a reset does.

        Args:
            api: The API's name. It may be one that the emulator lacks: the program can call it while an answer is set.
            reply: What the program gets, as it is: a JSON object or a contract. Or a function that returns it for each
                call; it gets the request as plain JSON, and runs on a thread of its own. The test fails when it raises.
            times: How often; None until it is cleared.

        Raises:
            EmulatorError: The reply is no JSON object, or the name can't be that of an API.

        Examples:
            >>> answer_id = zone.answer("sync_msg", {"errcode": 45009, "errmsg": "busy"}, times=1)
            >>> zone.call("chat_digest", {"limit": 5}).errcode
            45009
        """
        if callable(reply):
            if self._functions is None:
                self._functions = Functions()
                self._stack.callback(self._functions.close)
            answer = self.client.answer(api, times=times, url=self._functions.add(api, reply))
        else:
            answer = self.client.answer(api, to_builtins(reply), times=times)
        if answer["note"]:
            warnings.warn(answer["note"], UserWarning, 2)
        return str(answer["id"])

    def program_log(self) -> str:
        """Return the log of the program so far; empty unless the zone is served."""
        return ""

    def advance(self, seconds: float) -> int:
        """Move the emulator's clock forward; return its new time in Unix seconds.

        Args:
            seconds: How far.

        Raises:
            EmulatorError: The emulator refuses, or can't be reached.
        """
        return self.client.advance(seconds)


class ServedZone(ServedProgram, Zone):
    """A zone of processes, made by `Zone.serve`; it can also crash the program and start it again.

    Args:
        app: The application folder.
        registry: Its registry file.
        options: Those of `ServedProgram`.

    Raises:
        ChildError: The program or the emulator did not start; the text holds its output.
    """

    def __init__(self, app: Path, registry: Path, *options: Any) -> None:
        ServedProgram.__init__(self, app, registry, *options)
        Zone.__init__(self, self.client, self._stack, registry, self._var)

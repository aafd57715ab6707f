"""A client that controls a running emulator, for tests and verbs. An app's calls are those of `ZoneClient`.

Speaks HTTP and knows nothing of the emulator's state.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlencode

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errcodes import DOWN
from wwspec_contracts.errors import JsonError, WWSpecError
from wwspec_contracts.files import DescribedContract
from wwspec_contracts.support.certificates import trusted
from wwspec_devtools.emulator.http.control_rows import control
from wwspec_devtools.emulator.http.controls import AdministrationClient, FaultsClient, MachineControls
from wwspec_devtools.emulator.http.reading import StreamEvent, read_stream, selection
from wwspec_devtools.emulator.state.tickets import CallbackAttempt

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8090"

TIMEOUT = 60.0
"""Seconds to connect, and between two parts of an answer."""
MAX_WAIT_MS = 10_000
"""The most milliseconds that one request waits for something to happen; a longer wait is made of several."""
_CONNECTIONS = 512
_IDLE = 30.0
"""Seconds until an idle connection is closed. That is before the server closes it (75 s), so no call meets a closing
connection, and late enough that on a busy machine none expires between two steps of one call."""

Position = Annotated[int, msgspec.Meta(ge=0)]
PageLimit = Annotated[int, msgspec.Meta(ge=1, le=500)]

_EXPLAINED = ("not started: ", "no machine of the program runs", "a fault that was set")
"""What the emulator's hint has for a program that could not start or is stopped, and for what a fault caused."""


class EmulatorError(WWSpecError):
    """The emulator can't be reached, or refused the request."""


class EmulatorClient(AdministrationClient, FaultsClient):
    """Talks to one emulator.

    Args:
        url: Where it listens.
        memory: The transport to an emulator within this process.
        origin: Where the URL comes from, for errors, such as `--url`.
        corp: The corp of an emulator with several whose app and people are meant; empty for the first one.

    Attributes:
        transport: The transport to the emulator; closed with this client.
        resets: How often this client has reset the emulator.
        machines: Controls the machines of the program: `MachineControls`.
    """

    def __init__(
        self, url: str = DEFAULT_URL, memory: "httpx.BaseTransport | None" = None, origin: str = "", corp: str = ""
    ) -> None:
        import httpx  # here, since verbs show their help without it

        self.url: str = url.rstrip("/")
        self.memory = memory
        self.corp = corp
        self._named = f"{self.url} ({origin})" if origin else self.url
        self.resets: int = 0
        self.machines: MachineControls = MachineControls(self._asked)
        self.transport: httpx.BaseTransport = memory or httpx.HTTPTransport(
            verify=trusted(),
            limits=httpx.Limits(
                max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_IDLE
            ),
        )
        self._http = httpx.Client(base_url=self.url, transport=self.transport, timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def info(self) -> dict[str, Any]:
        """Return the emulated world: corpid, agentid, secret, program_id, and where everything listens."""
        return _Info(self._asked("GET", "/emulator/info"), self._named)

    def fire(self, event_type: str, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send an event to the program.

        Args:
            event_type: Such as `conversation_new_message`.
            overrides: Fields of the event's own object, and `timestamp`.

        Returns:
            `event`, what was sent, `reply`, the program's JSON text, `notified`, the notifications that the program
            has sent the app for it by then, and `number`, that of the entry.

        Raises:
            EmulatorError: It could not be sent or was not answered.
        """
        return self._asked("POST", f"/emulator/fire/{event_type}", overrides or {})

    def fire_as_is(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event whose whole content is given, with its `event_type`; returns and raises as `fire` does."""
        return self._asked("POST", "/emulator/fire", event)

    @control("POST", "/emulator/say", "msgid", verb="say", of_corp=True, sender="from")
    def say(
        self,
        sender: str,
        text: str,
        *,
        to: Sequence[str] = (),
        group: str = "",
        msgtype: Annotated[int, msgspec.Meta(ge=0, le=28)] = 1,
        count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1,
    ) -> str:
        """Let somebody say something; the program gets an event for each message.

        Args:
            sender: The id of an employee, a customer or a robot.
            text: What is said; {n} in it is the number of the message, from 1 on.
            to: Ids of the receivers in a single chat.
            group: The chatid, instead of receivers.
            msgtype: Which kind of message [99824].
            count: How many messages.

        Returns:
            The msgid of the last one.

        Raises:
            EmulatorError: A person or the group does not exist.
        """

    @control("POST", "/emulator/recall", verb="recall", of_corp=True)
    def recall(self, msgid: str) -> None:
        """Let a message's sender take it back: pages of the app do not show it any more."""

    @control("GET", "/emulator/messages", of_corp=True)
    def messages(self, before: Position | None = None, limit: PageLimit = 50, text: str = "") -> dict[str, Any]:
        """Return `messages`, newest first, their `count` in all, and `next`, the `before` of the next page or None.

        Args:
            before: Only those before this position.
            limit: How many, at most 500.
            text: Only messages with this text, in upper or lower case.
        """

    @control("GET", "/emulator/rules", of_corp=True)
    def rules(self, after: Position = 0, limit: PageLimit = 50) -> dict[str, Any]:
        """Return keyword `rules`, oldest first, and `next`, the `after` of the next page or None."""

    def notifications(self) -> list[dict[str, Any]]:
        """Return the latest `program_notify` callbacks, newest last."""
        return self.notifications_after(0)[0]

    def notifications_after(self, number: int, seconds: float = 0.0) -> tuple[list[dict[str, Any]], int]:
        """Return the `program_notify` callbacks after a number, oldest first, and the number of the last one.

        Args:
            number: Of the last one that is known already; 0 for none. A reset of the emulator begins anew at 0.
            seconds: How long to wait for one, at most 10.
        """
        answer = self._asked(
            "GET", f"/emulator/notifications?{urlencode({'after': number, 'wait_ms': _milliseconds(seconds)})}"
        )
        return answer["notifications"], answer["last"]

    def wait_idle(self, seconds: float = 10.0) -> list[str]:
        """Wait until no call, job, event or notification is in work, and return those that still are, one line each.

        Code that runs on an event is known only of a program that runs with the emulator's SDK.

        Args:
            seconds: How long to wait, at most 10.
        """
        answer = self._asked("GET", f"/emulator/idle?{urlencode({'wait_ms': _milliseconds(seconds)})}")
        return list(answer["in_work"])

    def verify_callback(self, *, of_commands: bool = False) -> str:
        """Let the emulator verify the app's callback URL, and return that URL.

        Args:
            of_commands: Whether it is the command URL of the suite.

        Raises:
            EmulatorError: The URL could not prove that it has the key, or there is none.
        """
        answer = self._asked("POST", "/emulator/verify-callback", {"of_commands": of_commands})
        if not answer["verified"]:
            raise EmulatorError(answer["reason"])
        return str(answer["url"])

    @control("POST", "/emulator/callback")
    def set_callback(self, url: str, token: str, encoding_aes_key: str) -> None:
        """Let the emulator send notifications to another callback URL, until it ends or `restore_callback` is called.

        Args:
            url: Of the app.
            token: The callback's Token.
            encoding_aes_key: The callback's EncodingAESKey.

        Raises:
            EmulatorError: The URL or the key is malformed.
        """

    @control("DELETE", "/emulator/callback")
    def restore_callback(self) -> None:
        """Let the emulator send notifications to the callback URL of its start, if it had one."""

    @control("POST", "/emulator/clock", "now", seconds="advance")
    def advance(self, seconds: float) -> int:
        """Put the emulator's clock forward and return its time in Unix seconds.

        All actions that became due are done when it returns, and the program has their events.
        """

    @control("DELETE", "/emulator/clock", "now")
    def restore_clock(self) -> int:
        """Put the emulator's clock back to the real time, or to its fixed start; return its Unix seconds."""

    @control("POST", "/emulator/expire-tokens", "expired", verb="expire-tokens")
    def expire_tokens(self) -> int:
        """Let all access tokens expire. The app's next call is refused with 42001.

        Time does the same after two hours, but to event tokens and notify_ids as well.

        Returns:
            How many there were.
        """

    def register(self, contracts: Mapping[str, Any]) -> None:
        """Replace the registered abilities: ability ID -> `{"input": example, "output": example}`.

        A `DescribedContract` gives the console more about an ability.
        """
        self._asked("POST", "/emulator/contracts", contracts)

    def contracts(self) -> dict[str, DescribedContract]:
        """Return the registered abilities; empty while calls are not checked."""
        return msgspec.convert(
            self._asked("GET", "/emulator/contracts")["contracts"] or {}, dict[str, DescribedContract]
        )

    @control("POST", "/emulator/program")
    def point_to(self, program_url: str, program_id: str = "", machine: int = 1) -> None:
        """Tell the emulator where a program listens.

        Args:
            program_url: Its root.
            program_id: Another program, or a model, to link with the app; without it, the program itself.
            machine: The number of the machine.
        """

    @control("POST", "/emulator/program-start")
    def begin_start(self) -> None:
        """Let calls of the program wait until `end_start`, 10 seconds at most each."""

    @control("DELETE", "/emulator/program-start")
    def end_start(self, fault: str = "") -> None:
        """Let calls of the program through.

        Args:
            fault: Why the program could not start, in one line; calls are then refused with it.
        """

    def traffic(
        self,
        since: int = 0,
        kind: str | Sequence[str] = "",
        *,
        ability: str = "",
        errcode: int | None = None,
        failed: bool = False,
        text: str = "",
        bodies: bool = True,
        wait: bool = True,
    ) -> list[dict[str, Any]]:
        """Return requests and responses, oldest first, with secrets masked.

        Args:
            since: The number of the last entry that is known already.
            kind: `app`, `call`, `event`, `sdk`, `callback` or `clock`, or several of them; empty for all.
            ability: An ability ID; empty for all.
            errcode: The platform's or the program's; None for all.
            failed: Only exchanges that failed.
            text: Found in the name, the request or the reply, in upper or lower case.
            bodies: Whether the entries have their requests and replies.
            wait: Whether to wait until no event and no notification is on its way.
        """
        kinds = (kind,) if isinstance(kind, str) else kind
        query = [*selection(since, kinds, ability, errcode, failed, text), ("bodies", str(bodies).lower())]
        query += [] if wait else [("wait", "false")]
        return list(self._asked("GET", f"/emulator/traffic?{urlencode(query)}")["traffic"])

    def entry(self, number: int) -> dict[str, Any]:
        """Return all of one exchange: headers, sealed bodies, the contract's verdict, cause, what the program tells.

        Raises:
            EmulatorError: It is not kept, or not any longer.
        """
        return dict(self._asked("GET", f"/emulator/traffic/{number}")["entry"])

    def attempt(self, number: int) -> CallbackAttempt | None:
        """Return the last try to bring a callback to the app's URL, or to verify that URL before it.

        Args:
            number: Of its entry.

        Returns:
            Its `method`, `url`, `status`, the beginning of the answer's `body`, `error`, `advice` and `seconds`; None
            before the first one, and for an entry that is no callback.

        Raises:
            EmulatorError: It is not kept, or not any longer.
        """
        return msgspec.convert(self.entry(number)["attempt"], CallbackAttempt | None)

    def test_of(self, number: int, asserts: str | None = None) -> dict[str, Any] | None:
        """Return the pytest test of one exchange: `source`, what it `asserts`, and whether it `is_incomplete`.

        Args:
            number: Of its entry.
            asserts: `values` or `shape`; None for what suits the exchange.

        Returns:
            The test; None when no test can repeat the exchange.

        Raises:
            EmulatorError: It is not kept, or not any longer.
        """
        answer = self._asked("POST", "/emulator/test", {"number": number, "asserts": asserts})
        found: dict[str, Any] | None = answer["test"]
        return found

    def stream(
        self,
        since: int = 0,
        kinds: Sequence[str] = (),
        ability: str = "",
        last_id: str = "",
        *,
        errcode: int | None = None,
        failed: bool = False,
        text: str = "",
    ) -> Generator[StreamEvent, None, None]:
        """Yield what happens, for as long as the emulator runs. Close it to end the connection.

        Args:
            since: The number of the last entry that is known already.
            kinds: Kinds of entries; empty for all.
            ability: An ability ID; empty for all.
            last_id: Of the last event that was read, to go on after it.
            errcode: The platform's or the program's; None for all.
            failed: Only exchanges that failed.
            text: Found in the name, the request or the reply, in upper or lower case.

        Raises:
            StreamEndedError: The emulator ended, or can't be reached.
        """
        return read_stream(self._http, urlencode(selection(since, kinds, ability, errcode, failed, text)), last_id)

    def last_number(self) -> int:
        """Return the number of the newest exchange; 0 when there was none."""
        return int(self._asked("GET", "/emulator/traffic?limit=1&wait=false")["last"])

    def replay(
        self,
        number: int,
        *,
        times: int = 1,
        data: str | None = None,
        ability_id: str | None = None,
        notify_id: str | None = None,
    ) -> str:
        """Send a recorded call or event to the program again and return its reply's text.

        Args:
            number: Of its entry in the traffic.
            times: How often, one after the other; the reply is that of the last.
            data: JSON text instead of the recorded one.
            ability_id: Instead of the recorded one.
            notify_id: Instead of the recorded one.

        Raises:
            EmulatorError: There is no such call, or the program could not be called.
        """
        asked = {"number": number, "times": times, "data": data, "ability_id": ability_id, "notify_id": notify_id}
        return str(self._asked("POST", "/emulator/replay", asked)["reply"])

    def reset(self) -> int:
        """Go back to the state and the time of the start, and return that time.

        The program's address, its console contracts, and its choice as the receiver of events stay.
        """
        now = int(self._asked("POST", "/emulator/reset")["now"])
        self.resets += 1
        return now

    @control("POST", "/emulator/receive-events", of_corp=True)
    def receive_events(self) -> None:
        """Let the app choose the program as the receiver of its events.

        Raises:
            EmulatorError: The platform refuses.
        """

    def hint(self, errcode: int, errmsg: str, usual: str = "") -> str:
        """Return what to do about an errcode of the platform.

        Args:
            errcode: The code.
            errmsg: Its text.
            usual: The hint for the code when the emulator has none of its own.
        """
        if any(each in errmsg for each in _EXPLAINED):
            return ""
        if errcode != DOWN:
            return usual
        return (
            f"the program is not running at {self.info()['program_url'] or 'its URL'}: "
            "start it with `wwspec dev` or `wwspec serve --sdk emulator`"
        )

    def app_call(self, api: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call an API of the app's side and return its answer as it is, also a refusal. The console's tests use it.

        Args:
            api: Its path under `/cgi-bin/`; without a slash, one of `chatdata`.
            body: The request.
        """
        info, path = self.info(), api if "/" in api else f"chatdata/{api}"
        answer = self._json("GET", f"/cgi-bin/gettoken?corpid={info['corpid']}&corpsecret={info['secret']}")
        return self._json("POST", f"/cgi-bin/{path}?access_token={answer.get('access_token', '')}", body)

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._json(method, path, body)
        if (errcode := answer.get("errcode", 0)) != 0:
            text = answer.get("errmsg", "")
            raise EmulatorError(f"{self.hint(errcode, text) or text} ({errcode})")
        return answer

    def _json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        import httpx

        content = None if body is None else msgspec.json.encode(body)
        if self.corp and path.startswith("/emulator/"):
            path += f"{'&' if '?' in path else '?'}{urlencode({'corp': self.corp})}"
        try:
            response = self._http.request(method, path, content=content)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise EmulatorError(
                f"{self._named} is not the URL of an emulator: write one such as {DEFAULT_URL}"
            ) from None
        except httpx.HTTPError as error:
            raise EmulatorError(
                f"no emulator answers at {self._named}: {type(error).__name__}; "
                "start one with `wwspec dev` or `wwspec emulate`"
            ) from None
        if response.status_code != httpx.codes.OK:
            text = f"{self.url}{path.partition('?')[0]} answered HTTP status {response.status_code}"
            raise EmulatorError(f"{text}: {response.text}" if response.status_code == httpx.codes.FORBIDDEN else text)
        try:
            return decode_json(response.content, dict[str, Any])
        except JsonError:
            raise EmulatorError(f"{self._named} is not an emulator: its answer is not a JSON object") from None


def _milliseconds(seconds: float) -> int:
    """Return how long one request waits."""
    return max(0, min(MAX_WAIT_MS, int(seconds * 1000)))


class _Info(dict[str, Any]):
    """What an emulator says of itself; one of another release may lack a key."""

    def __init__(self, values: dict[str, Any], named: str) -> None:
        super().__init__(values)
        self._named = named

    def __missing__(self, key: str) -> Any:
        raise EmulatorError(
            f"the emulator at {self._named} does not say its {key}: it is of another release; start it again with "
            "that of this command"
        )

"""A client of a running emulator: its control endpoints, and the calls of an enterprise app.

Speaks HTTP and knows nothing of the emulator's state.
"""

from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from wwspec_router.errors import WWSpecError

__all__ = ["DEFAULT_URL", "CallResult", "EmulatorClient", "EmulatorError"]

DEFAULT_URL = "http://127.0.0.1:8090"

_TIMEOUT = 60.0
_TOKEN_ERRORS = (40014, 42001)


class EmulatorError(WWSpecError):
    """The emulator can't be reached or refused what was asked."""


class CallResult(msgspec.Struct, frozen=True):
    """What `sync_call_program` answered."""

    errcode: int
    """The platform's; 0 when the program was reached and its reply fits the contract."""
    errmsg: str = ""
    response_data: str = ""
    """The program's JSON text."""

    @property
    def reply(self) -> Any:
        """The program's reply, decoded; None when there is none."""
        return msgspec.json.decode(self.response_data) if self.response_data else None


class EmulatorClient:
    """Talks to one emulator.

    Args:
        url: Where it listens.
    """

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=_TIMEOUT)
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def info(self) -> dict[str, Any]:
        """Return who is who: corpid, agentid, secret, program_id, and where everything listens."""
        return self._asked("GET", "/emulator/info")

    def fire(self, event_type: str, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send an event to the program.

        Args:
            event_type: Such as `conversation_new_message`.
            overrides: Fields of the event's own object, and `timestamp`.

        Returns:
            `event`, what was sent, and `reply`, the program's JSON text.

        Raises:
            EmulatorError: It could not be sent or was not answered.
        """
        return self._asked("POST", f"/emulator/fire/{event_type}", overrides or {})

    def notifications(self) -> list[dict[str, Any]]:
        """Return the latest `program_notify` callbacks, newest last."""
        found: list[dict[str, Any]] = self._asked("GET", "/emulator/notifications")["notifications"]
        return found

    def advance(self, seconds: float) -> int:
        """Put the emulator's clock forward and return its time in Unix seconds."""
        return int(self._asked("POST", "/emulator/clock", {"advance": seconds})["now"])

    def register(self, contracts: dict[str, Any]) -> None:
        """Replace the registered abilities: ability ID -> `{"input": example, "output": example}`."""
        self._asked("POST", "/emulator/contracts", contracts)

    def point_to(self, program_url: str) -> None:
        """Tell the emulator where the program listens."""
        self._asked("POST", "/emulator/program", {"program_url": program_url})

    def receive_events(self) -> None:
        """Choose the program as the receiver of the app's events."""
        answer = self.app_call("set_receive_callback", {"program_id": self.info()["program_id"]})
        if answer["errcode"] != 0:
            raise EmulatorError(f"set_receive_callback: {answer['errmsg']} ({answer['errcode']})")

    def call(self, ability_id: str, data: str = "{}", notify_id: str = "") -> CallResult:
        """Call an ability as an enterprise app does.

        Args:
            ability_id: Which ability.
            data: The request's JSON text.
            notify_id: From a `program_notify` callback.
        """
        body = {"program_id": self.info()["program_id"], "ability_id": ability_id, "request_data": data}
        if notify_id:
            body["notify_id"] = notify_id
        return msgspec.convert(self.app_call("sync_call_program", body), CallResult)

    def app_call(self, api: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call `/cgi-bin/chatdata/{api}` with an access token; a token that has expired is renewed once."""
        answer = self._json("POST", f"/cgi-bin/chatdata/{api}?access_token={self._token}", body)
        if answer.get("errcode") in _TOKEN_ERRORS:
            self._token = self.get_token()
            answer = self._json("POST", f"/cgi-bin/chatdata/{api}?access_token={self._token}", body)
        return answer

    def get_token(self) -> str:
        """Return a fresh access token of the app."""
        info = self.info()
        answer = self._json("GET", f"/cgi-bin/gettoken?corpid={info['corpid']}&corpsecret={info['secret']}")
        return str(answer.get("access_token", ""))

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._json(method, path, body)
        if answer.get("errcode", 0) != 0:
            raise EmulatorError(f"{answer.get('errmsg', '')} ({answer['errcode']})")
        return answer

    def _json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        content = None if body is None else msgspec.json.encode(body)
        try:
            response = self._http.request(method, path, content=content)
        except httpx.HTTPError as error:
            raise EmulatorError(
                f"no emulator answers at {self.url} ({type(error).__name__}): "
                "start one with `wwspec dev` or `wwspec emulate`"
            ) from None
        if response.status_code != httpx.codes.OK:
            raise EmulatorError(f"{self.url}{path.partition('?')[0]} answered HTTP status {response.status_code}")
        return msgspec.json.decode(response.content, type=dict[str, Any])

"""An answer of WeCom as it came, with its status and headers, beside what the client reads in it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from wwspec_client.errors import ProgramError, ReplyTypeError, ZoneClientError
from wwspec_client.steps import Received, Send, Step, Steps
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errcodes import request_id
from wwspec_contracts.errors import JsonError

T = TypeVar("T")


class RawResponse(Generic[T]):
    """What WeCom has answered to a request that it accepts: `client.with_raw_response` returns it.

    Args:
        received: The answer; of a request that was sent several times, the last one.
        read: Returns what the client reads in it, or raises.
        error: What it raises, where that is known.

    Examples:
        >>> from wwspec_contracts import sync_msg
        >>> with zone.app_client() as client:
        ...     response = client.with_raw_response.call(sync_msg.Request(limit=2))
        >>> response.status, response.headers["content-type"], len(response.parse().msg_list)
        (200, 'application/json', 2)
    """

    def __init__(self, received: Received, read: Callable[[], T], error: ZoneClientError | None = None) -> None:
        self.status: int = received.status
        """The HTTP status."""
        self.headers: Mapping[str, str] = received.headers
        """The headers, found by a name in any case."""
        self.body: bytes = received.body
        """The whole answer: JSON."""
        self.request_id: str = request_id(_errmsg(received.body)) or (error.request_id if error else "")
        """The number under which WeCom finds the request. WeCom gives one when it refuses, also when an SDK API does;
        else this is empty."""
        self._read = read

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of status {self.status}>"

    def parse(self) -> T:
        """Return what the method itself returns, such as the reply of a call.

        Raises:
            ProgramError: The program refuses.
            ReplyTypeError: The reply is not of the type that was asked for.
        """
        return self._read()


def record(steps: Steps[T]) -> Steps[RawResponse[T]]:
    """Do the steps of one request, and return its answer with what they return.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    received: list[Received] = []
    resume: Callable[[], Step] = partial(next, steps)
    try:
        while True:
            step = resume()
            try:
                found: Any = yield step
            except Exception as error:
                resume = partial(steps.throw, error)
                continue
            if isinstance(step, Send):
                received.append(found)
            resume = partial(steps.send, found)
    except StopIteration as end:
        value: T = end.value
        return RawResponse(received[-1], lambda: value)
    except (ProgramError, ReplyTypeError) as error:
        return RawResponse(received[-1], partial(_raise, error), error)
    finally:
        steps.close()


def _raise(error: Exception) -> Any:
    raise error


def _errmsg(body: bytes) -> str:
    try:
        return str(decode_json(body, dict[str, Any]).get("errmsg", ""))
    except JsonError:
        return ""

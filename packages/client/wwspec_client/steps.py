"""What the client's core asks of the driver that runs it: one generator for a blocking client and one on an event loop.

The core does no I/O. It is made of generators that yield a step and continue with its result or its error. A driver
runs a generator and does its steps.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import IO, Any, TypeVar

T = TypeVar("T")

Asked = Callable[[], T | Awaitable[T]]
"""A function of the app's, plain or `async def`."""


@dataclass(frozen=True)
class File:
    """A file that goes into the form of an upload."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, repr=False)
class Request:
    """One HTTP request."""

    api: str
    """The path below /cgi-bin/."""
    body: bytes | None = None
    """JSON; None means a GET, unless there is a file."""
    file: File | None = None
    """A file to upload, in a form."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the URL."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret parts of the query, which no log and no error shows."""
    hidden: tuple[str, ...] = ()
    """Secrets in the body, which no error shows."""
    called: str = ""
    """The name in errors: the API, with the ability ID if there is one."""
    ability_id: str = ""
    """For hooks; empty when it is no call of an ability."""
    program_id: str = ""
    """For hooks; empty when it is no call of an ability."""


@dataclass(frozen=True, repr=False)
class Received:
    """A response."""

    status: int
    headers: Mapping[str, str]
    """Found by a name in any case."""
    body: bytes


@dataclass(frozen=True)
class Send:
    """Send a request; gives `Received`, raises a `TransportError`."""

    request: Request
    timeout: tuple[float, float]
    """Seconds to connect, and between two pieces of the answer."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The app's own."""


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


class Renewal(Enum):
    """What a client renews once for all that wait for it. A page's ticket needs an access token, never the reverse."""

    ACCESS_TOKEN = auto()
    SUITE_TOKEN = auto()
    CONFIG_TICKET = auto()
    AGENT_CONFIG_TICKET = auto()
    INSTALLATION = auto()


@dataclass(frozen=True)
class Alone:
    """Run a generator while no other one of the same client runs for the same renewal; gives what it returns."""

    renewal: Renewal
    work: "Callable[[], Steps[Any]]"


@dataclass(frozen=True)
class Ask:
    """Call a function of the app's; gives what it returns."""

    function: Asked[Any]
    same_thread: bool = False
    """Call it on the event loop's own thread, even if it may block."""


Step = Send | Pause | Alone | Ask
"""What a generator of the client's core asks of its driver; your own code makes one by `ask`."""
Steps = Generator[Step, Any, T]
"""A generator of the client's core: it yields steps, gets their results, and returns a value. Code of your own goes on
with `yield from`."""


def ask(function: Asked[T]) -> Steps[T]:
    """Call a function that may block, plain or with an async client `async def`, and return what it returns.

    Args:
        function: Called without arguments; on an event loop, a plain one runs on a thread.
    """
    found: T = yield Ask(function)
    return found

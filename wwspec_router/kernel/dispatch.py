"""The kernel: one `Call` in, one `Reply` out.

There is one `Route` for each ability ID, so that one look-up finds all that a call needs. The kernel knows no HTTP, no
encryption and no event loop, so a test calls it with plain values. It never raises: whatever goes wrong becomes a reply
`{"errcode", "errmsg"}`.
"""

from collections.abc import Callable
from threading import Lock, get_ident
from time import monotonic

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_contracts.errors import AbilityNotFoundError, CallError, OverloadedError
from wwspec_contracts.support.printable import short
from wwspec_router.codecs.codec import errcode_of
from wwspec_router.envelope import NO_DEADLINE, Call, Deadline, Function, Reply
from wwspec_router.handlers.async_bridge import Portal, PrivateLoopPortal
from wwspec_router.handlers.base import Resources
from wwspec_router.handlers.run import Leases
from wwspec_router.kernel.administration import Administration
from wwspec_router.kernel.claim_renewal import LEASE
from wwspec_router.kernel.functions import Functions
from wwspec_router.kernel.intake import AppNotifications, EventIntake, JobIntake
from wwspec_router.kernel.observer import Observer
from wwspec_router.kernel.once import Once
from wwspec_router.kernel.refusals import Refusals
from wwspec_router.monitoring.figures import ASYNC, EVENT, UNKNOWN
from wwspec_router.registry.table import AbilityTable
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import Store


class ConcurrencyLimit:
    """Admits a thread for the length of a `with` block, and refuses it at once when `most` others are inside.

    It does not wait for a place: that would block a worker thread.

    Args:
        name: What is limited, for the log.
        most: How many threads may be inside.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._inside: set[int] = set()
        self._lock = Lock()

    def __enter__(self) -> None:
        """Admit this thread.

        Raises:
            OverloadedError: The limit is reached.
        """
        with self._lock:
            if len(self._inside) >= self._most:
                detail = f"{self._most} calls of {self._name} are running"
                raise OverloadedError("the ability is at its limit of calls, try again later", detail=detail)
            self._inside.add(get_ident())

    def __exit__(self, *error: object) -> None:
        """Free the place of this thread."""
        self.abandon(get_ident())

    def abandon(self, ident: int) -> None:
        """Free the place of a thread, if it has one: the thread hangs and was replaced."""
        with self._lock:
            self._inside.discard(ident)


class Route(msgspec.Struct, frozen=True, gc=False):
    """How calls of one kind are answered."""

    label: str
    """The name under which they are counted: an ability ID of the table, or a word of `monitoring.figures`."""
    function: Function
    timeout: float | None = None
    """Seconds from the arrival of a call to its answer; None for no limit."""
    limit: ConcurrencyLimit | None = None
    """How many synchronous calls run at once; None for any number."""
    retries: int = 0
    """How often a job that failed is run again; 0 unless it is the job of an event."""

    def deadline(self, since: float) -> Deadline:
        """Return the deadline of a call that came in at `since`, in seconds of `time.monotonic()`."""
        return NO_DEADLINE if self.timeout is None else Deadline(since + self.timeout, self.timeout)


class Dispatcher:
    """Answers calls.

    Args:
        table: What answers which ability ID.
        sdk: Asks WeCom for data.
        store: Keeps events, the jobs of events that have a handler, and the replies of calls that run once.
        portal: Runs `async def` handlers; by default each on a loop of its own.
        jobs: Accepts asynchronous calls, and is woken for events; when it is None, asynchronous calls are refused.
        status: Returns the program's figures as JSON text, for abilities of `kind = "status"`.
        state: What the application's lifespan yielded; it is `ctx.state` of handlers.
        settings: The application's own settings; they are `ctx.settings`.
        with_text: Log errors with their text, which may quote a request. For development only.
        once_lease: Seconds without a sign of life from its process after which a call that runs once may run again.
        with_timeouts: Whether the timeouts of the registry file count; not while a debugger holds calls.
        observer: Notes the time of checks; None for none.
    """

    def __init__(
        self,
        table: AbilityTable,
        sdk: Sdk,
        store: Store,
        portal: Portal | None = None,
        jobs: JobIntake | None = None,
        status: Callable[[], str] | None = None,
        state: object = None,
        settings: object = None,
        *,
        with_text: bool = False,
        once_lease: float = LEASE,
        with_timeouts: bool = True,
        observer: Observer | None = None,
    ) -> None:
        program = table.registry.program
        wake = jobs.wake if jobs is not None else _wake_nobody
        self.events = events = EventIntake(sdk, store, table, wake)
        """Stores events and delivers them to apps."""
        notify_for = None if jobs is None else program.told_for
        notifications = AppNotifications(sdk, store, program.notify_ttl, notify_for, table.kinds)
        self._refusals = Refusals(program, with_text=with_text)
        once = Once(store, self._refusals.errcode, once_lease)
        self.leases: Leases = once.claims
        """Holds the leases of jobs."""
        resources = Resources(apis=table.apis, notify=notifications.send, store=store, state=state, settings=settings)
        functions = Functions(
            sdk=sdk,
            resources=resources,
            events=events,
            portal=portal or PrivateLoopPortal(),
            status=status or _no_status,
            once=once,
            administration=Administration(store, program.errcode, wake, table.job_names),
            around=table.around,
            error_code=self._refusals.errcode_of,
            observer=observer,
        )
        self._routes = _routes(table, functions, with_timeouts=with_timeouts)
        self._event_routes = {
            each.job_name: Route(
                each.job_name,
                functions.handling(each),
                each.timeout if with_timeouts else None,
                retries=each.row.retries,
            )
            for each in table.event_targets.values()
        }
        self._limits = [route.limit for route in self._routes.values() if route.limit is not None]
        self._event = Route(EVENT, lambda call, text, deadline: events.accept(call))
        self._unknown = Route(UNKNOWN, _refuse_ability)
        self._untyped = Route(UNKNOWN, _refuse_type)
        self._jobs = jobs

    def route(self, call: Call) -> Route:
        """Return the route of a call that comes in. The route of an unknown ability refuses the call."""
        if call.call_type != CallType.APP:
            return self._event if call.call_type == CallType.EVENT else self._untyped
        route = self._routes.get(call.ability_id, self._unknown)
        if call.is_async and route is not self._unknown:
            return Route(ASYNC, self._accept, route.timeout)
        return route

    def _accept(self, call: Call, text: str, deadline: Deadline) -> str:
        """Answer an asynchronous call when it comes in."""
        if self._jobs is None:
            raise CallError("asynchronous calls are not supported by this program")
        deadline.check()  # else it would run although it is answered as failed
        return self._jobs.accept(call)

    def job_route(self, name: str) -> Route:
        """Return the route that runs an accepted job.

        Args:
            name: An ability ID, or that of an event's jobs.
        """
        return self._routes.get(name) or self._event_routes.get(name, self._unknown)

    def answer(self, call: Call, route: Route, deadline: Deadline) -> Reply:
        """Answer one call. Blocks; belongs on a worker thread. Never raises.

        Args:
            call: The call.
            route: Its route.
            deadline: When it must be answered.
        """
        limit = route.limit
        try:
            if limit is None or call.is_async:
                text = route.function(call, call.data, deadline)
            else:
                with limit:
                    text = route.function(call, call.data, deadline)
            return Reply(text, 0 if call.call_type == CallType.EVENT else errcode_of(text))
        except BaseException as error:  # a handler may raise anything; the call is answered anyway
            return self.report(call, route, error, deadline)

    def report(self, call: Call, route: Route, error: BaseException, deadline: Deadline = NO_DEADLINE) -> Reply:
        """Log the error of a call, and return the reply that it becomes; see `Refusals.report`."""
        return self._refusals.report(call, route.label, error, deadline)

    def dispatch(self, call: Call) -> Reply:
        """Answer one call that comes in now, on its own route and within its ability's timeout."""
        route = self.route(call)
        return self.answer(call, route, route.deadline(monotonic()))

    def refusal(self, error: CallError) -> Reply:
        """Return the reply that an error becomes."""
        return self._refusals.reply(error)

    def abandon(self, ident: int) -> None:
        """Let a thread that hangs in an ability no longer count for the ability's limit."""
        for limit in self._limits:
            limit.abandon(ident)


def _routes(table: AbilityTable, functions: Functions, *, with_timeouts: bool) -> dict[str, Route]:
    """Return the route of each ability ID; abilities of one target share its function."""
    shared: dict[int, Function] = {}
    routes: dict[str, Route] = {}
    for name, ability in table.abilities.items():
        key = id(ability.target)
        if key not in shared:
            shared[key] = functions.answering(ability.target)
        limit = ConcurrencyLimit(name, ability.concurrency) if ability.concurrency is not None else None
        routes[name] = Route(name, shared[key], ability.timeout if with_timeouts else None, limit)
    return routes


def _refuse_ability(call: Call, text: str, deadline: Deadline) -> str:
    raise AbilityNotFoundError(f"unknown ability_id {short(call.ability_id, 64)}")


def _wake_nobody() -> None:
    """Do nothing: no jobs run in this process."""


def _refuse_type(call: Call, text: str, deadline: Deadline) -> str:
    raise CallError("call_type must be 1 or 2")


def _no_status() -> str:
    raise CallError("no figures are kept here")

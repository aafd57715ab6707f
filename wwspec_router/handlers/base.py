"""What both contexts have in common: who calls, and how SDK APIs, kept values and steps are reached.

The two public contexts differ only in how they wait, see `context`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from wwspec_contracts.base import ApiRequest, Contract, Output, OutputT, PagedRequest, ResultT, TaskRequest
from wwspec_contracts.errors import ApiError, CallError, HandlerTimeoutError
from wwspec_router.codecs.codec import OutputCodec, errcode_of
from wwspec_router.envelope import Call, Deadline
from wwspec_router.handlers.follow import FollowedPages, Start
from wwspec_router.handlers.kept import KeptWrites, checked_key
from wwspec_router.handlers.run import JobRun
from wwspec_router.handlers.steps import Step, Task
from wwspec_router.handlers.tasks import Split, TaskRunner, finish_split
from wwspec_router.logs.traceparent import current_traceparent, trace_id_of
from wwspec_router.sdk.base import SdkClient
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptStore

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # part of every type checker

    StateT = TypeVarWithDefault("StateT", default=Any)
    SettingsT = TypeVarWithDefault("SettingsT", default=Any)
else:
    StateT = TypeVar("StateT")
    SettingsT = TypeVar("SettingsT")

encode = msgspec.json.Encoder().encode


class ApiCodec(msgspec.Struct, frozen=True):
    """How one SDK API's request is written and its reply read."""

    name: str
    output: OutputCodec


ApiCodecs = Mapping[type[ApiRequest[Any]], ApiCodec]
"""How each SDK API is called, by its `Request`; raises TypeError for what is no API's."""
KeepOnce = Callable[[Job, float], str]
"""Stores a notification that is due after a delay, unless one of its name is there; returns the first notify_id."""


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What the contexts of all calls share."""

    apis: ApiCodecs
    """The SDK APIs that handlers may call, by the API's `Request`."""
    notify: Callable[[Call, Contract, int, KeepOnce | None], str]
    """Stores a payload, notifies the call's app, and returns the notify_id; see `Context.notify`."""
    store: KeptStore
    """Has what handlers keep."""
    state: Any = None
    """What the application's lifespan yielded."""
    settings: Any = None
    """The application's own settings."""


class BaseContext(Generic[StateT, SettingsT]):
    """Who calls, and how much time is left. The two public contexts differ only in how they wait for an SDK call."""

    if not TYPE_CHECKING:  # where type variables have defaults

        def __class_getitem__(cls, types: Any) -> Any:
            given = types if isinstance(types, tuple) else (types,)
            return super().__class_getitem__((*given, Any) if len(given) == 1 else given)

    _writes: KeptWrites | None = None
    """What this call reads and writes; None until its code does so."""

    def __init__(
        self, call: Call, new_client: Callable[[], SdkClient], deadline: Deadline, resources: Resources
    ) -> None:
        self.call = call
        """The decoded call: all that the SDK read from the request."""
        self._new_client = new_client
        self._client = new_client()
        self._deadline = deadline
        self._resources = resources
        self.state: StateT = resources.state
        """What the application's lifespan yielded: one object for all calls of a process; None without a lifespan."""
        self.traceparent: str = current_traceparent.get()
        """The W3C traceparent of the app's request, where the ability's row has the key `trace`; empty without one."""
        self.settings: SettingsT = resources.settings
        """The application's own settings: the Struct that `[program] settings` names; None without one."""

    @property
    def corpid(self) -> str:
        """The corpid of the corp whose data the call is about."""
        return self.call.corpid

    @property
    def agentid(self) -> int:
        """The agentid of the app that calls."""
        return self.call.agentid

    @property
    def ability_id(self) -> str:
        """The ID of the ability that is called; empty for code on an event."""
        return self.call.ability_id

    @property
    def notify_id(self) -> str:
        """The notify_id that the app sent with the call; empty without one [99849]."""
        return self.call.notify_id

    @property
    def trace_id(self) -> str:
        """The trace that the call belongs to: 32 hexadecimal digits of `traceparent`; empty without one."""
        return trace_id_of(self.traceparent)

    @property
    def attempt(self) -> int:
        """The number of this run, from 1.

        It is 1 in a synchronous call. An asynchronous call runs again when its process died or lost its store; code on
        an event also runs again after an error. A number may be missing: a process may die after it has stored the
        number and before the handler starts.
        """
        return self.call.attempt

    @property
    def remaining(self) -> float | None:
        """Seconds until the call is answered with a timeout error; None when the ability has no `timeout`."""
        return self._deadline.remaining

    def timeout_error(self) -> HandlerTimeoutError:
        """Return the error of a call whose time is over. For the kernel."""
        return self._deadline.error()

    def _invoke(self, client: SdkClient, request: ApiRequest[OutputT], check: bool) -> OutputT:
        self._deadline.check()
        api = self._resources.apis[type(request)]
        text = api.output.fit(client.invoke(api.name, msgspec.json.encode(request).decode()))
        response: Any = api.output.decode(text)
        if check and response.errcode != 0:
            raise ApiError(api.name, response.errcode, response.errmsg)
        return response  # type: ignore[no-any-return]  # the table pairs each Request with its Response

    def _notify(self, payload: Contract, scene: int, once: str) -> str:
        self._deadline.check()
        keep = partial(self._run("ctx.notify with once").steps.notify, once) if once else None
        return self._resources.notify(self.call, payload, scene, keep)

    def _finish(
        self, client: SdkClient, request: TaskRequest[Any, ResultT], split: Split[ResultT] | None
    ) -> ResultT | list[ResultT]:
        invoke = partial(self._invoke, client, check=True)
        run = TaskRunner(invoke, self._wait, self._name, self._task).finish
        return run(request) if split is None else finish_split(request, split, run)

    def _task(self, request: TaskRequest[Any, Any]) -> Task | None:
        """Return the place where the jobid of a task is kept; None in a synchronous call."""
        run = self.call.run
        return None if run is None else run.steps.task(f"{self._name(type(request))} ".encode() + encode(request))

    def _step(self, name: str, function: Callable[[], Any], type_: Any) -> Step:
        return self._run("ctx.step").steps.begin(name, function, type_)

    def _run(self, what: str) -> JobRun:
        """Return the run of the job that is worked on.

        Raises:
            RuntimeError: The call is synchronous.
        """
        run: JobRun | None = self.call.run
        if run is None:
            raise RuntimeError(
                f"{what} works in asynchronous calls and in code on events: a synchronous call has no job"
            )
        return run

    def _kept_writes(self) -> KeptWrites:
        """Return what this call reads and writes."""
        if self._writes is None:
            self._writes = writes = KeptWrites(self._resources.store, self.corpid, self.agentid)
            if self.call.run is not None:
                self.call.run.kept = writes
        return self._writes

    def _followed_pages(self, request: PagedRequest[OutputT], name: str, start: Start) -> FollowedPages[OutputT]:
        run = self._run("ctx.follow")
        fields: Any = request
        if not {"cursor", "token"} <= set(request.__struct_fields__):
            name = self._name(type(request))
            raise TypeError(f"{name} can't be followed: it takes no event's token; sync_msg and get_hit_msg_list do")
        if fields.cursor or getattr(fields, "begin_time", None):
            raise ValueError(
                "leave out cursor and begin_time: follow() keeps the cursor, and start= says where to begin"
            )
        checked_key("the name of what follows", name)
        return FollowedPages(
            request=request,
            name=name,
            api=self._name(type(request)),
            start=start,
            call=self.call,
            run=run,
            writes=self._kept_writes(),
            invoke=lambda client, asked: self._invoke(client, asked, check=True),
            following=self._next,
        )

    def commit(self, reply: str, *, checks_end: bool = True) -> str:
        """Return the reply of a handler that has ended, after what it wrote is stored. For the kernel.

        What the run of a job wrote is left to the executor of jobs.

        Args:
            reply: JSON text.
            checks_end: Whether a reply after the deadline is an error.

        Raises:
            NotStoredError: It could not be stored.
            HandlerTimeoutError: The time is over; nothing was stored.
        """
        if self._writes is not None and self.call.run is None and errcode_of(reply) == 0:
            if checks_end:
                self._deadline.check()
            self._writes.store()
        return reply

    def _name(self, request: type[ApiRequest[Any]]) -> str:
        return self._resources.apis[request].name

    def _wait(self, seconds: float) -> None:
        remaining = self.remaining
        sleep(seconds if remaining is None else min(seconds, remaining))

    def _next(self, request: PagedRequest[OutputT], page: Output) -> PagedRequest[OutputT] | None:
        """Return the request of the page after this one; None when this is the last.

        Raises:
            CallError: The platform says that there are more pages, and gives no cursor.
        """
        reply: Any = page
        if not reply.has_more:
            return None
        asked: Any = request
        if reply.next_cursor in ("", asked.cursor):
            raise CallError(f"{self._name(type(request))}: the platform's next_cursor leads nowhere")
        return msgspec.structs.replace(request, cursor=reply.next_cursor)

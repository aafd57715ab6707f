"""The client for threads."""

import inspect
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Self, TypeVar, Unpack, overload

import httpx

from wwspec_router.client import calls, endpoints, viewer, webpage
from wwspec_router.client.call_lines import hooks_of
from wwspec_router.client.calls import Ability, CallOptions, SubmitOptions, TaskStatus
from wwspec_router.client.core import BASE_URL, Core
from wwspec_router.client.cursors import CursorStore
from wwspec_router.client.hooks import ClientHooks
from wwspec_router.client.http import (
    Hiding,
    check_base_url,
    in_path,
    in_url,
    proxy_of,
    received,
    sent,
    transport_error,
)
from wwspec_router.client.keys import KeyRing
from wwspec_router.client.message_pages import MessagePage
from wwspec_router.client.messages import Pull, PullOptions
from wwspec_router.client.options import CONNECTIONS, PREFIX, TIMEOUT, Tokens, core_of, described, limits_of
from wwspec_router.client.page_tickets import PageTickets
from wwspec_router.client.paging import Pages
from wwspec_router.client.retries import RetryPolicy
from wwspec_router.client.steps import Alone, Ask, Asked, Pause, Received, Renewal, Send, Step, Steps
from wwspec_router.client.viewer import ViewerMessages
from wwspec_router.contracts import ApiRequest, OutputT, PagedRequest
from wwspec_router.errcodes import ProgramErrcodes
from wwspec_router.errors import ConfigurationError
from wwspec_router.wecom.messages import Message

T = TypeVar("T")
P = ParamSpec("P")
ReplyT = TypeVar("ReplyT")


def run_steps(steps: Steps[T], do: Callable[[Step], Any]) -> T:
    """Run a generator of the client's core, and return what it returns.

    Args:
        steps: The generator.
        do: Does a step.
    """
    resume: Callable[[], Step] = partial(next, steps)
    try:
        while True:
            step = resume()
            try:
                resume = partial(steps.send, do(step))
            except Exception as error:
                resume = partial(steps.throw, error)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        steps.close()


def call_plain(function: Asked[Any]) -> Any:
    """Call a function of the app's.

    Raises:
        ConfigurationError: It is an async function.
    """
    found = function()
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise ConfigurationError("an async function goes with AsyncZoneClient; give ZoneClient a plain one")
    return found


def _method(steps: Callable[Concatenate[Core, P], Steps[T]]) -> "Callable[Concatenate[ZoneClient, P], T]":
    """Return the method of `ZoneClient` that runs the steps of an endpoint."""

    def run(client: "ZoneClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._run(steps(client._core, *args, **kwargs))

    return described(run, steps)


class ZoneClient:
    """The client of an enterprise app: calls abilities of a program, and all other APIs of the zone, at WeCom.

    All threads of a process share one. It is a context manager.

    Args:
        corpid: The corp.
        secret: The app's secret; the permanent_code of an app that a provider develops.
        program_id: The program to call.
        tokens: The source of access tokens, in place of `corpid` and `secret`: a `SuiteApp`, another `TokenProvider`,
            or a function that returns a text or a `Token`.
        page_tickets: How the processes of the app share the tickets that its pages sign with: a folder on this machine,
            as a `Path`; or a function of `"config"` or `"agentConfig"` that returns a text or a `Token`. By default
            each client gets its own from WeCom.
        base_url: WeCom's URL, or that of an emulator.
        prefix: What is before an SDK API's name in the ability ID that calls it.
        timeout: Seconds to connect, and between two parts of an answer.
        retries: How often requests are sent, and how long that may take.
        errcodes: Those of the program's own failures: `ERRCODES` of the module that `wwspec contracts --client` writes.
            Each that is set apart raises an error class of its own. Requests of that module know them without this.
        connections: The most connections at once.
        transport: The httpx transport that sends requests, such as one that calls an application in memory.
        hooks: What is told of each call and each attempt: `ClientHooks`, such as `OpenTelemetryHooks`.

    Raises:
        ConfigurationError: Arguments are missing or contradict each other.

    Examples:
        >>> import os
        >>> from wwspec_router.client import PlatformError, ZoneClient
        >>> from wwspec_router.wecom import sync_msg
        >>> with ZoneClient(
        ...     os.environ["WWSPEC_CORPID"],
        ...     os.environ["WWSPEC_CORPSECRET"],
        ...     program_id=os.environ["WWSPEC_PROGRAM_ID"],
        ...     base_url=os.environ["WWSPEC_BASE_URL"],  # leave it out for WeCom
        ... ) as client:
        ...     page = client.call(sync_msg.Request(limit=200))  # the SDK API's Response
        ...     digest = client.call("chat_digest", {"limit": 200})  # plain JSON
        ...     later = client.submit("chat_digest", {"limit": 200}).result(timeout=30)
        ...     try:
        ...         client.call("chat_digest", {"limit": "many"})
        ...     except PlatformError as error:  # WeCom refuses; a ProgramError is the program's
        ...         print(error.errcode, error.retryable)
        790016 False
        >>> len(page.msg_list), digest["messages"], later["messages"]
        (200, 200, 200)
    """

    def __init__(
        self,
        corpid: str = "",
        secret: str = "",
        *,
        program_id: str = "",
        tokens: Tokens | None = None,
        page_tickets: PageTickets | None = None,
        base_url: str = BASE_URL,
        prefix: str = PREFIX,
        timeout: float = TIMEOUT,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        errcodes: ProgramErrcodes = ProgramErrcodes(),  # noqa: B008 - frozen
        connections: int = CONNECTIONS,
        transport: httpx.BaseTransport | None = None,
        hooks: Iterable[ClientHooks] = (),
    ) -> None:
        self._core = core_of(
            corpid, secret, tokens, program_id, prefix, timeout, retries, errcodes, page_tickets, hooks_of(hooks)
        )
        self._base_url = check_base_url(base_url)
        if transport is None:
            own = httpx.HTTPTransport(limits=limits_of(connections), proxy=proxy_of(self._base_url))
            hiding = Hiding(own, in_path)
        else:
            hiding = Hiding(transport, in_url)
        self._http = httpx.Client(transport=hiding)
        self._locks = {renewal: threading.Lock() for renewal in Renewal}

    def _with_core(self, core: Core) -> Self:
        """Return a client for another app or corp that shares this one's connections."""
        other = copy(self)
        other._core = core
        other._locks = {renewal: threading.Lock() for renewal in Renewal}
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @overload
    def call(self, ability: ApiRequest[OutputT], **options: Unpack[CallOptions]) -> OutputT: ...

    @overload
    def call(self, ability: str, request: ApiRequest[OutputT], **options: Unpack[CallOptions]) -> OutputT: ...

    @overload
    def call(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[CallOptions]
    ) -> ReplyT: ...

    @overload
    def call(
        self,
        ability: str | ApiRequest[Any],
        request: object = None,
        *,
        raw: Literal[True],
        **options: Unpack[CallOptions],
    ) -> str: ...

    @overload
    def call(self, ability: str, request: object = None, **options: Unpack[CallOptions]) -> Any: ...

    def call(
        self,
        ability: str | ApiRequest[Any],
        request: object = None,
        *,
        reply: Any = Any,
        raw: bool = False,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call an ability and return its reply [99811].

        Args:
            ability: Its ID; or the request of an SDK API, such as `sync_msg.Request(limit=200)`: then the ID is the
                API's name behind the prefix, and the reply is the API's `Response`; or a request of the module that
                `wwspec contracts --client` writes, which knows ID and reply.
            request: With an ID, the request: a value to be encoded, or JSON text as a str; `{}` when None.
            reply: With an ID, the type of the reply; without it the reply is plain JSON.
            raw: Return the reply's JSON text as it is, without looking for an errcode in it.
            options: `notify_id`, `program_id`, `retry_unsafe` and `timeout`; see `CallOptions`.

        Raises:
            ZoneClientError: The call failed; `errors` has the tree.
            ConfigurationError: No program is named.
        """
        asked = calls.ability_of(self._core, ability, request, reply)
        return self._run(calls.call(self._core, asked, options, raw=raw))

    @overload
    def submit(self, ability: ApiRequest[OutputT], **options: Unpack[SubmitOptions]) -> "Task[OutputT]": ...

    @overload
    def submit(
        self, ability: str, request: ApiRequest[OutputT], **options: Unpack[SubmitOptions]
    ) -> "Task[OutputT]": ...

    @overload
    def submit(
        self, ability: str, request: object = None, *, reply: type[ReplyT], **options: Unpack[SubmitOptions]
    ) -> "Task[ReplyT]": ...

    @overload
    def submit(self, ability: str, request: object = None, **options: Unpack[SubmitOptions]) -> "Task[Any]": ...

    def submit(
        self,
        ability: str | ApiRequest[Any],
        request: object = None,
        *,
        reply: Any = Any,
        **options: Unpack[SubmitOptions],
    ) -> "Task[Any]":
        """Call an ability asynchronously and return its task [99812].

        Args:
            ability: As in `call`.
            request: As in `call`.
            reply: As in `call`.
            options: `program_id`, `retry_unsafe` and `timeout`; see `SubmitOptions`.

        Raises:
            ZoneClientError: WeCom does not accept the call.
            ConfigurationError: No program is named.
        """
        asked = calls.ability_of(self._core, ability, request, reply)
        return Task(self, self._run(calls.submit(self._core, asked, options)), asked)

    @overload
    def task(self, jobid: str) -> "Task[Any]": ...

    @overload
    def task(self, jobid: str, *, reply: type[ReplyT]) -> "Task[ReplyT]": ...

    def task(self, jobid: str, *, reply: Any = Any) -> "Task[Any]":
        """Return the task of a jobid that the app has stored, for example before a restart.

        Args:
            jobid: `Task.jobid`.
            reply: The type of the reply; without it the reply is plain JSON.
        """
        return Task(self, jobid, Ability("", "", reply, errcodes=self._core.errcodes))

    def access_token(self) -> str:
        """Return the access token that the client uses, for APIs of WeCom that are not methods of the client.

        Raises:
            ZoneClientError: WeCom refuses to issue one, or can't be reached.
        """
        return self._run(self._core.access_token())

    @overload
    def pages(self, ability: PagedRequest[OutputT], **options: Unpack[CallOptions]) -> Iterator[OutputT]: ...

    @overload
    def pages(
        self, ability: str, request: PagedRequest[OutputT], **options: Unpack[CallOptions]
    ) -> Iterator[OutputT]: ...

    def pages(
        self,
        ability: str | PagedRequest[OutputT],
        request: PagedRequest[OutputT] | None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[OutputT]:
        """Call an API that replies in pages, one after another, from the request's own to the last one.

        A page may be short, or empty, while more follow. The client asks for a page when the loop does.

        Args:
            ability: The request of the API, such as `search_chat.Request(query_word="x")`; or an ability ID.
            request: With an ability ID, the request.
            options: Those of `call`, for each page.

        Raises:
            RepeatedCursorError: A cursor comes twice, so the pages would never end.
            ZoneClientError: A call failed.
            ConfigurationError: The request has no pages, or no program is named.
        """
        return self._each(Pages(self._core, ability, request, options).next)

    def messages(self, cursors: CursorStore, **options: Unpack[PullOptions]) -> Iterator[MessagePage]:
        """Pull the messages that are new since the last pull, page by page, to the latest one [99824].

        `page.keep()` stores the place where a page ends, and so does the step to the next page: finish your work on a
        page before. A page that was not kept comes again in the next call of `messages`. So each message comes at
        least once; its msgid identifies a repeated one. With a `DbCursor`, and with the rows and `page.keep()` in one
        transaction, it comes exactly once.

        Args:
            cursors: Stores where the last pull ended: `FileCursor`, `DbCursor`, or your own `CursorStore`.
            options: `token` of an event, `limit`, `on_gap`, `patience`, `ability`, `program_id`, `notify_id` and
                `timeout`; see `PullOptions`.

        Raises:
            MessageGapError: Messages may be missing, since the last pull is more than 5 days ago. Not with `on_gap`.
            CursorError: The store can't be read or written; `CursorMovedError` when another pull has kept a page.
            ZoneClientError: A call failed, also after waiting as `patience` says.
            ConfigurationError: The limit is not 1 to 1000, or no program is named.
        """
        pull = Pull(self._core, cursors, options)
        return (MessagePage(pull, each, self._run) for each in self._each(pull.next))

    @staticmethod
    def viewer_messages(page: Iterable[Message], ring: KeyRing) -> ViewerMessages:
        """Return what the app's page needs to show messages: their opened keys, and who wrote them to whom [100076].

        Give the result only to people who may read these messages: with it, each of them can.

        Args:
            page: Messages, such as a page of `messages` or the `msg_list` of a reply.
            ring: The app's private keys.
        """
        return viewer.viewer_messages(page, ring)

    set_public_key = _method(endpoints.set_public_key)
    get_auth_user_list = _method(endpoints.get_auth_user_list)
    set_receive_callback = _method(endpoints.set_receive_callback)
    set_hide_sensitiveinfo_config = _method(endpoints.set_hide_sensitiveinfo_config)
    get_hide_sensitiveinfo_config = _method(endpoints.get_hide_sensitiveinfo_config)
    set_log_level = _method(endpoints.set_log_level)
    get_log_level = _method(endpoints.get_log_level)
    get_corp_auth_info = _method(endpoints.get_corp_auth_info)
    open_debug_mode = _method(endpoints.open_debug_mode)
    close_debug_mode = _method(endpoints.close_debug_mode)
    check_debug_mode = _method(endpoints.check_debug_mode)
    get_doc_auth_user_list = _method(endpoints.get_doc_auth_user_list)
    get_doc_auth_info = _method(endpoints.get_doc_auth_info)
    upload_media = _method(endpoints.upload_media)
    page_config = _method(webpage.page_config)
    user_info = _method(webpage.user_info)

    def _each(self, following: Callable[[], Steps[T | None]]) -> Iterator[T]:
        while (found := self._run(following())) is not None:
            yield found

    def _run(self, steps: Steps[T]) -> T:
        return run_steps(steps, self._do)

    def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return self._send(step)
            case Pause(seconds=seconds):
                return time.sleep(seconds)
            case Alone(renewal=renewal, work=work):
                with self._locks[renewal]:
                    return self._run(work())
            case Ask(function=function):
                return call_plain(function)

    def _send(self, step: Send) -> Received:
        try:
            return received(self._http.request(**sent(self._base_url, step)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise transport_error(step.request, error) from error
        except RuntimeError:
            if self._http.is_closed:
                raise ConfigurationError("the client is closed: make another one, or close it later") from None
            raise


class Task(Generic[ReplyT]):
    """An asynchronous call of a `ZoneClient`.

    Args:
        client: Fetches the result.
        jobid: WeCom's ID of the call.
        ability: The ability that was called.
    """

    def __init__(self, client: ZoneClient, jobid: str, ability: Ability) -> None:
        self.jobid = jobid
        """WeCom's ID of the call; `ZoneClient.task` returns the task for it."""
        self._client = client
        self._ability = ability

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.jobid!r})"

    def status(self) -> TaskStatus:
        """Return `running`, `succeeded` or `failed`.

        Raises:
            ZoneClientError: WeCom refuses the request, or can't be reached.
        """
        return self._client._run(calls.task_status(self._client._core, self.jobid))

    def result(self, timeout: float = 60.0) -> ReplyT:
        """Wait for the reply and return it.

        Args:
            timeout: Seconds to wait.

        Raises:
            StillRunningError: There is no reply yet; call `result` again.
            ZoneClientError: The call failed, as in `ZoneClient.call`.
        """
        steps = calls.task_result(self._client._core, self.jobid, self._ability, timeout)
        reply: ReplyT = self._client._run(steps)
        return reply

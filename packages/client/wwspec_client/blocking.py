"""The client for threads."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx

from wwspec_client import calls, endpoints, viewer
from wwspec_client.calls import AbilityOrRequest, CallOptions, SubmitOptions
from wwspec_client.cursors import CursorStore
from wwspec_client.endpoints import ALL_AT_ONCE
from wwspec_client.http import Hiding, OwnHiding, Proxy, in_url, received, sent, transport_error
from wwspec_client.keys import KeyRing
from wwspec_client.message_pages import MessagePage
from wwspec_client.messages import Pull, PullOptions
from wwspec_client.methods import Blocking, with_methods
from wwspec_client.models import AuthUser, DocAuthUser
from wwspec_client.options import RequestOptions, core_with, limits_of
from wwspec_client.paging import Pages
from wwspec_client.raw_clients import RawZoneClient
from wwspec_client.running import call_plain, run_steps
from wwspec_client.steps import Alone, Ask, Pause, Received, Send, Step, Steps
from wwspec_client.tasks import Task, submit_task
from wwspec_client.viewer import ViewerMessages
from wwspec_contracts.base import ApiRequest, OutputT, PagedRequest
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.messages import Message

T = TypeVar("T")
ReplyT = TypeVar("ReplyT")


@with_methods
class ZoneClient(Blocking):
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
        prefix: What is before an SDK API's name in the ability ID that calls it. None means that of the form: `invoke_`
            of "plain", `input_` of "func".
        form: "func" for a program that began as the vendor's Python demo: a request to an ability ID with the prefix is
            sent as `{"input": {"func": NAME, "func_req": REQUEST}}`.
        timeout: Seconds to connect, and between two parts of an answer; or two numbers, one for each: (3, 30).
        retries: How often requests are sent, and how long that may take.
        errcodes: Those of the program's own failures: `ERRCODES` of the module that `wwspec contracts --client` writes.
            Each that is set apart raises an error class of its own. Requests of that module know them without this.
        connections: The most connections at once.
        proxy: The URL of the proxy that requests go through, or an `httpx.Proxy`. By default the environment names it;
            an empty text means none.
        user_agent: The User-Agent of requests; by default the versions of this package, of Python and of httpx.
        transport: The httpx transport that sends requests, such as one that calls an application in memory.
        hooks: What is told of each call and each attempt: `ClientHooks`, such as `OpenTelemetryHooks`.

    Raises:
        ConfigurationError: Arguments are missing or contradict each other.

    Examples:
        >>> import os
        >>> from wwspec_client import PlatformError, ZoneClient
        >>> from wwspec_contracts import sync_msg
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

    def _connect(
        self, transport: httpx.BaseTransport | None, connections: int, proxy: Proxy, headers: dict[str, str]
    ) -> None:
        own = httpx.HTTPTransport
        hiding = OwnHiding(own, limits_of(connections), proxy) if transport is None else Hiding(transport, in_url)
        self._http = httpx.Client(transport=hiding, headers=headers)

    def with_options(self, **options: Unpack[RequestOptions]) -> Self:
        """Return a client that sends its requests in another way, such as for one call.

        It shares connections, access tokens and their locks with this one, so it costs nothing to make, needs no
        `close`, and its `close` closes this one.

        Args:
            options: `timeout`, `deadline`, `retries`, `idempotency_key`, `idempotency_field` and `headers`; see
                `RequestOptions`. What is absent stays as it is.

        Raises:
            ConfigurationError: A value makes no sense.

        Examples:
            A page that a user waits for, and a call that an app repeats after a restart:

            >>> with zone.app_client() as client:
            ...     client.with_options(deadline=5, retries=1).call("chat_digest", {"limit": 5})["messages"]
            ...     once = client.with_options(idempotency_key="order-1", idempotency_field="request_id")
            ...     first = once.call("watch_word", {"word": "合同"})
            ...     first == once.call("watch_word", {"word": "合同"})
            5
            True
        """
        return self._sharing(core_with(self._core, options))

    @property
    def with_raw_response(self) -> RawZoneClient:
        """This client with methods that return a `RawResponse`: status, headers, body, request_id, and `parse`."""
        return RawZoneClient(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
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
        self, ability: AbilityOrRequest, request: object = None, *, raw: Literal[True], **options: Unpack[CallOptions]
    ) -> str: ...

    @overload
    def call(self, ability: str, request: object = None, **options: Unpack[CallOptions]) -> Any: ...

    def call(
        self,
        ability: AbilityOrRequest,
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
        self, ability: AbilityOrRequest, request: object = None, *, reply: Any = Any, **options: Unpack[SubmitOptions]
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
        return self._run(submit_task(self, asked, options))

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
        return Task(self, jobid, calls.stored_ability(self._core, reply))

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
        least once; its msgid identifies a repeated one. With a `SqlCursor`, and with the rows and `page.keep()` in one
        transaction, it comes exactly once.

        Args:
            cursors: Stores where the last pull ended: `FileCursor`, `SqlCursor`, or your own `CursorStore`.
            options: `token` of an event, `limit`, `max_pages`, `deadline`, `begin_time`, `on_gap`, `patience`,
                `ability`, `program_id`, `notify_id` and `timeout`; see `PullOptions`.

        Raises:
            MessageGapError: Messages may be missing, since the last pull is more than 5 days ago. Not with `on_gap`.
            CursorError: The store can't be read or written; `CursorMovedError` when another pull has kept a page.
            ZoneClientError: A call failed, also after waiting as `patience` says.
            ConfigurationError: A bound is out of its range, or no program is named.
        """
        pull = Pull(self._core, cursors, options)
        return (MessagePage(pull, each, self._run) for each in self._each(pull.next))

    def auth_users(self, *, limit: int = ALL_AT_ONCE) -> Iterator[AuthUser]:
        """Yield the members whose chats are archived, all of them; a page is asked for when the loop needs it [99846].

        Args:
            limit: Members of a page, at most 1000.

        Raises:
            RepeatedCursorError: A cursor comes twice, so the pages would never end.
            ZoneClientError: WeCom refuses a request, or can't be reached.
        """
        return self._each(endpoints.auth_users(self._core, limit).next)

    def doc_auth_users(self, *, limit: int = ALL_AT_ONCE) -> Iterator[DocAuthUser]:
        """Yield the members whose documents are archived, all of them; see `get_doc_auth_user_list` [101882].

        Args:
            limit: Members of a page, at most 1000.

        Raises:
            RepeatedCursorError: A cursor comes twice, so the pages would never end.
            ZoneClientError: WeCom refuses a request, or can't be reached.
        """
        return self._each(endpoints.doc_auth_users(self._core, limit).next)

    @staticmethod
    def viewer_messages(page: Iterable[Message], ring: KeyRing) -> ViewerMessages:
        """Return what the app's page needs to show messages: their opened keys, and who wrote them to whom [100076].

        Give the result only to people who may read these messages: with it, each of them can.

        Args:
            page: Messages, such as a page of `messages` or the `msg_list` of a reply.
            ring: The app's private keys.
        """
        return viewer.viewer_messages(page, ring)

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
                with self._locks[renewal].held:
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

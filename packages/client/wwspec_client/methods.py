"""What all clients are made of; and their methods beside those for calls, which are written once for all of them."""

import threading
from collections.abc import Callable, Coroutine, Iterable
from copy import copy
from typing import Any, Concatenate, Final, Generic, ParamSpec, Self, TypeVar, overload

import anyio
import httpx

from wwspec_client import endpoints, webpage
from wwspec_client.arguments import Timeout
from wwspec_client.call_lines import hooks_of
from wwspec_client.core import BASE_URL, Core, Sending
from wwspec_client.forks import RenewedLock
from wwspec_client.hooks import ClientHooks
from wwspec_client.http import Proxy, check_base_url, chosen_proxy, own_headers
from wwspec_client.options import CONNECTIONS, PREFIXES, TIMEOUT, Form, Tokens, described, provider_of
from wwspec_client.page_tickets import PageTickets
from wwspec_client.raw import RawResponse
from wwspec_client.retries import RetryPolicy
from wwspec_client.steps import Renewal, Steps
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")
P = ParamSpec("P")
ClassT = TypeVar("ClassT", bound="type[Endpoints]")
LockT = TypeVar("LockT")
TransportT = TypeVar("TransportT")


class Method(Generic[P, T]):
    """A method that runs the steps of an endpoint, for type checkers; `with_methods` puts functions in its place.

    Args:
        steps: The endpoint.
    """

    def __init__(self, steps: Callable[Concatenate[Core, P], Steps[T]]) -> None:
        self._steps = steps

    @overload
    def __get__(self, client: "Blocking", owner: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: "Asynchronous", owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    @overload
    def __get__(self, client: "BlockingRaw", owner: type) -> Callable[P, RawResponse[T]]: ...

    @overload
    def __get__(self, client: "AsynchronousRaw", owner: type) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]: ...

    @overload
    def __get__(self, client: None, owner: type) -> Callable[..., Any]: ...

    def __get__(self, client: object, owner: type) -> Any:
        raise NotImplementedError(f"{owner.__name__} lacks the decorator with_methods")

    def function(self, *, awaited: bool) -> Callable[..., Any]:
        """Return the method as a function.

        Args:
            awaited: It is a coroutine function.
        """
        steps: Callable[..., Steps[Any]] = self._steps

        def run(client: Any, /, *args: Any, **kwargs: Any) -> Any:
            return client._run(steps(client._core, *args, **kwargs))

        async def run_awaited(client: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await client._run(steps(client._core, *args, **kwargs))

        return described(run_awaited if awaited else run, steps)


class Endpoints:
    """The APIs of the app's side."""

    _core: Core

    set_public_key: Final = Method(endpoints.set_public_key)
    get_auth_user_list: Final = Method(endpoints.get_auth_user_list)
    set_receive_callback: Final = Method(endpoints.set_receive_callback)
    set_hide_sensitiveinfo_config: Final = Method(endpoints.set_hide_sensitiveinfo_config)
    get_hide_sensitiveinfo_config: Final = Method(endpoints.get_hide_sensitiveinfo_config)
    set_log_level: Final = Method(endpoints.set_log_level)
    get_log_level: Final = Method(endpoints.get_log_level)
    get_corp_auth_info: Final = Method(endpoints.get_corp_auth_info)
    open_debug_mode: Final = Method(endpoints.open_debug_mode)
    close_debug_mode: Final = Method(endpoints.close_debug_mode)
    check_debug_mode: Final = Method(endpoints.check_debug_mode)
    get_doc_auth_user_list: Final = Method(endpoints.get_doc_auth_user_list)
    get_doc_auth_info: Final = Method(endpoints.get_doc_auth_info)
    upload_media: Final = Method(endpoints.upload_media)
    user_info: Final = Method(webpage.user_info)


class _Client(Generic[LockT, TransportT]):
    """What both clients share; `ZoneClient` describes the arguments."""

    _new_lock: Callable[[], LockT]

    def __init__(
        self,
        corpid: str = "",
        secret: str = "",
        *,
        program_id: str = "",
        tokens: Tokens | None = None,
        page_tickets: PageTickets | None = None,
        base_url: str = BASE_URL,
        prefix: str | None = None,
        form: Form = "plain",
        timeout: Timeout = TIMEOUT,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        errcodes: ProgramErrcodes = ProgramErrcodes(),  # noqa: B008 - frozen
        connections: int = CONNECTIONS,
        proxy: str | httpx.Proxy | None = None,
        user_agent: str = "",
        transport: TransportT | None = None,
        hooks: Iterable[ClientHooks] = (),
    ) -> None:
        provider, watchers = provider_of(corpid, secret, tokens), hooks_of(hooks)
        if form not in PREFIXES:
            raise ConfigurationError(f"form is {' or '.join(map(repr, PREFIXES))}, not {form!r}")
        if not isinstance(retries, RetryPolicy):
            raise ConfigurationError("retries of a client is a RetryPolicy, such as RetryPolicy(attempts=6)")
        prefix = PREFIXES[form] if prefix is None else prefix
        sending, is_func = Sending(timeout, retries), form == "func"
        self._core = Core(
            provider, program_id, prefix, sending, errcodes, page_tickets, is_func=is_func, hooks=watchers
        )
        self._base_url = check_base_url(base_url)
        proxy = chosen_proxy(self._base_url, proxy, is_own=transport is not None)
        self._connect(transport, connections, proxy, own_headers(user_agent))
        self._locks = self._new_locks()

    def _connect(self, transport: TransportT | None, connections: int, proxy: Proxy, headers: dict[str, str]) -> None:
        """Make what sends requests."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._core.shown(self)

    def _sharing(self, core: Core) -> Self:
        """Return a client with another core that shares all else with this one."""
        other = copy(self)
        other._core = core
        return other

    def _with_core(self, core: Core) -> Self:
        """Return a client for another app or corp that shares this one's connections."""
        other = self._sharing(core)
        other._locks = self._new_locks()
        other._locks[Renewal.SUITE_TOKEN] = self._locks[Renewal.SUITE_TOKEN]  # all corps of a suite share its token
        return other

    def _new_locks(self) -> dict[Renewal, RenewedLock[LockT]]:
        return {renewal: RenewedLock(self._new_lock) for renewal in Renewal}


class WithPage(_Client[LockT, TransportT], Endpoints):
    """And what is no single API: it has no response of its own."""

    page_config: Final = Method(webpage.page_config)
    ensure_public_key: Final = Method(endpoints.ensure_public_key)


class Blocking(WithPage[threading.Lock, httpx.BaseTransport]):
    """A client for threads."""

    _new_lock = threading.Lock

    def _run(self, steps: Steps[T]) -> T:
        raise NotImplementedError


class Asynchronous(WithPage[anyio.Lock, httpx.AsyncBaseTransport]):
    """A client for an event loop."""

    _new_lock = anyio.Lock

    async def _run(self, steps: Steps[T]) -> T:
        raise NotImplementedError


class BlockingRaw(Endpoints):
    """The client whose methods return responses, for threads."""

    def _run(self, steps: Steps[T]) -> RawResponse[T]:
        raise NotImplementedError


class AsynchronousRaw(Endpoints):
    """The client whose methods return responses, for an event loop."""

    async def _run(self, steps: Steps[T]) -> RawResponse[T]:
        raise NotImplementedError


def with_methods(class_: ClassT) -> ClassT:
    """Give a class its methods as functions of its own, as `help`, `inspect` and `unittest.mock` expect them."""
    awaited = issubclass(class_, Asynchronous | AsynchronousRaw)
    for base in class_.__mro__:
        for name, method in list(vars(base).items()):
            if isinstance(method, Method):
                setattr(class_, name, method.function(awaited=awaited))
    return class_

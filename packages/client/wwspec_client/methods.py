"""The methods that clients have beside those for calls: each is written once, and each kind of client runs it."""

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, overload

import httpx

from wwspec_client import endpoints, webpage
from wwspec_client.client import _Client
from wwspec_client.core import Core
from wwspec_client.forks import TaskLock, ThreadLock
from wwspec_client.options import described
from wwspec_client.raw import RawResponse
from wwspec_client.steps import Steps

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


class WithPage(_Client[LockT, TransportT], Endpoints):
    """And what is no single API: it has no response of its own."""

    page_config: Final = Method(webpage.page_config)
    ensure_public_key: Final = Method(endpoints.ensure_public_key)


class Blocking(WithPage[ThreadLock, httpx.BaseTransport]):
    """A client for threads."""

    _lock = ThreadLock

    def _run(self, steps: Steps[T]) -> T:
        raise NotImplementedError


class Asynchronous(WithPage[TaskLock, httpx.AsyncBaseTransport]):
    """A client for an event loop."""

    _lock = TaskLock

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

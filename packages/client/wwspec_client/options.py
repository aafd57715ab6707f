"""The parts of both clients, made from the same arguments."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import update_wrapper
from typing import Any, Literal, TypedDict, TypeVar, get_args

import httpx

from wwspec_client.arguments import Timeout, both, check_seconds
from wwspec_client.calls import check_options
from wwspec_client.core import Core
from wwspec_client.http import check_headers
from wwspec_client.retries import RetryPolicy
from wwspec_client.steps import Asked, Steps
from wwspec_client.tokens import AppSecret, FunctionProvider, Token, TokenProvider
from wwspec_contracts.errors import ConfigurationError

MethodT = TypeVar("MethodT", bound=Callable[..., Any])

Tokens = TokenProvider | Asked[str | Token]
"""Where access tokens come from: a provider, or a function that returns one."""

Form = Literal["plain", "func"]
"""How a program takes a request: as it is; or as the vendor's Python demo does, inside `input.func_req` [100249]."""
PREFIXES: Mapping[str, str] = {"plain": "invoke_", "func": "input_"}
"""The prefix of an SDK API's name, in the vendor's demos of each form."""
TIMEOUT = 30.0
CONNECTIONS = 100


def described(method: MethodT, steps: Callable[..., Steps[Any]]) -> MethodT:
    """Return a method with the name, the docstring and the arguments of the endpoint that it runs, for `help`."""
    signature = inspect.signature(steps)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    update_wrapper(method, steps, assigned=("__name__", "__doc__"))
    del method.__wrapped__  # type: ignore[attr-defined]  # it would hide the signature
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]  # read by inspect
        parameters=[itself, *list(signature.parameters.values())[1:]],
        return_annotation=get_args(signature.return_annotation)[-1],
    )
    return method


class RequestOptions(TypedDict, total=False):
    """How the requests of a client are sent that `with_options` returns; what is absent stays as it is."""

    timeout: Timeout
    """Seconds to connect, and between two parts of an answer: one number, or one for each. If the latter is more than
    the deadline of `retries`, it is the deadline, unless `deadline` is given."""
    deadline: float
    """Seconds for all attempts: none begins later, and none gets more time than is left."""
    retries: int | RetryPolicy
    """How often a request is sent again: a number, beyond the first attempt, or a `RetryPolicy`."""
    idempotency_key: str
    """A text of one call, by which the program recognises a repeat, in the zone on each machine for itself: it goes
    into the field of the request that the registry file has as the `once.key` of the ability. Such a call is sent
    again though it may have run."""
    idempotency_field: str
    """That field, such as `order.id`, for a call by ID; the requests of the module that `wwspec contracts --client`
    writes know it."""
    headers: Mapping[str, str]
    """Headers that each request has, such as those that your own gateway asks for."""


def core_with(core: Core, options: RequestOptions) -> Core:
    """Return a core with the options of `with_options`.

    Raises:
        TypeError: An option is unknown.
        ConfigurationError: A value makes no sense.
    """
    check_options(options, RequestOptions)
    sending = core.sending
    if "timeout" in options:
        sending = replace(sending, timeout=options["timeout"], longest=both(options["timeout"])[1])
    if "retries" in options:
        sending = replace(sending, retries=_policy(sending.retries, options["retries"]))
    if "deadline" in options:
        check_seconds("deadline", options["deadline"])
        sending = replace(sending, longest=0.0, retries=replace(sending.retries, deadline=options["deadline"]))
    if "headers" in options:
        check_headers(options["headers"])
        sending = replace(sending, headers={**sending.headers, **options["headers"]})
    if "idempotency_key" in options:
        sending = replace(sending, idempotency_key=_text(options, "idempotency_key"))
    if "idempotency_field" in options:
        sending = replace(sending, idempotency_field=_text(options, "idempotency_field"))
    return core.sent_as(sending)


def _text(options: RequestOptions, name: Literal["idempotency_key", "idempotency_field"]) -> str:
    value: object = options[name]
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name} is a text that is not empty")
    return value


def _policy(policy: RetryPolicy, retries: int | RetryPolicy) -> RetryPolicy:
    if isinstance(retries, RetryPolicy):
        return retries
    more: object = retries
    if not isinstance(more, int) or more < 0:
        raise ConfigurationError(f"retries is a RetryPolicy, or a number of 0 or more, not {retries!r}")
    return replace(policy, attempts=retries + 1)


def provider_of(corpid: str, secret: str, tokens: Tokens | None) -> TokenProvider:
    """Return the source of a client's access tokens.

    Raises:
        ConfigurationError: The arguments contradict each other, or one is missing.
    """
    if tokens is None:
        if not corpid or not secret:
            raise ConfigurationError("the client needs corpid and secret, or tokens=")
        return AppSecret(corpid, secret)
    if corpid or secret:
        raise ConfigurationError("corpid and secret go without tokens=: one source of access tokens")
    if hasattr(tokens, "fetch"):
        return tokens
    if not callable(tokens):
        raise ConfigurationError(f"tokens is a function or a TokenProvider, not {type(tokens).__name__}")
    return FunctionProvider(tokens)


def limits_of(connections: int) -> httpx.Limits:
    """Return the bounds of a client's connections.

    Raises:
        ConfigurationError: The number is below 1.
    """
    if connections < 1:
        raise ConfigurationError(f"connections is 1 or more, not {connections}")
    return httpx.Limits(max_connections=connections, max_keepalive_connections=connections)

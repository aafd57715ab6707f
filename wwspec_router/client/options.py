"""The parts of both clients, made from the same arguments."""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, get_args

import httpx

from wwspec_router.client.core import Core
from wwspec_router.client.hooks import NO_HOOKS, Hooks
from wwspec_router.client.page_tickets import PageTickets
from wwspec_router.client.retries import RetryPolicy
from wwspec_router.client.steps import Asked, Steps
from wwspec_router.client.tokens import AppSecret, Token, TokenProvider, from_function
from wwspec_router.errcodes import ProgramErrcodes
from wwspec_router.errors import ConfigurationError

MethodT = TypeVar("MethodT", bound=Callable[..., Any])

Tokens = TokenProvider | Asked[str | Token]
"""Where access tokens come from: a provider, or a function that returns one."""

PREFIX = "invoke_"
"""The prefix of an SDK API's name in the vendor's demos and in new programs."""
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


def core_of(
    corpid: str,
    secret: str,
    tokens: Tokens | None,
    program_id: str,
    prefix: str,
    timeout: float,
    retries: RetryPolicy,
    errcodes: ProgramErrcodes,
    page_tickets: PageTickets | None,
    hooks: Hooks = NO_HOOKS,
) -> Core:
    """Return the core of a client; the arguments are those of `ZoneClient`.

    Raises:
        ConfigurationError: They contradict each other, or one is missing.
    """
    return Core(_provider(corpid, secret, tokens), program_id, prefix, timeout, retries, errcodes, page_tickets, hooks)


def _provider(corpid: str, secret: str, tokens: Tokens | None) -> TokenProvider:
    if tokens is None:
        if not corpid or not secret:
            raise ConfigurationError("the client needs corpid and secret, or tokens=")
        return AppSecret(corpid, secret)
    if corpid or secret:
        raise ConfigurationError("corpid and secret go without tokens=: one source of access tokens")
    if hasattr(tokens, "fetch"):
        return tokens
    return from_function(tokens)


def limits_of(connections: int) -> httpx.Limits:
    """Return the bounds of a client's connections.

    Raises:
        ConfigurationError: The number is below 1.
    """
    if connections < 1:
        raise ConfigurationError(f"connections is 1 or more, not {connections}")
    return httpx.Limits(max_connections=connections, max_keepalive_connections=connections)

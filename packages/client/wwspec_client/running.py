"""Runs the generators of the client's core on a thread."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from wwspec_client.steps import Ask, Asked, Step, Steps
from wwspec_contracts.errors import ConfigurationError

T = TypeVar("T")


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
        raise ConfigurationError(
            "an async function, and a store of an AsyncEngine, goes with the class for event loops, such as "
            "AsyncZoneClient; give this one a plain one"
        )
    return found


def run_asked(steps: Steps[T]) -> T:
    """Run steps that ask for nothing but functions of the app's, on this thread."""
    return run_steps(steps, lambda step: call_plain(cast(Ask, step).function))

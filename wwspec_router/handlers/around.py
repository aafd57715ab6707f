"""What the application lets run around each handler and all code on events: `[program] around`.

    def around(run: Run) -> Iterator[None]: ...

A `def` generator runs on the worker thread of the call, also around an `async def` handler, and so it may block. An
`async def` generator runs on the event loop, in the task of the handler, and so only around `async def` handlers.
"""

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from time import monotonic
from traceback import walk_tb
from typing import Any

from wwspec_router.codecs.codec import errcode_of
from wwspec_router.handlers.async_bridge import Portal
from wwspec_router.handlers.context import AsyncContext, Context

AROUND_FORM = 'write "def around(run: wwspec_router.Run) -> Iterator[None]", with one yield'

AnyContext = Context[Any, Any] | AsyncContext[Any, Any]


@dataclass(slots=True, eq=False)
class Run:
    """One run of a handler, or of code on an event, as the generator of `[program] around` sees it.

    Before its yield, the generator knows who asks for what; after it, how the run has ended. An error of the run is
    raised at the yield, as with `contextlib.contextmanager`: the generator lets it pass, or raises another one.

    Examples:
        >>> import logging
        >>> from collections.abc import Iterator
        >>> from wwspec_router import AbilityError, Run
        >>> log = logging.getLogger(__name__)
        >>> def around(run: Run) -> Iterator[None]:  # [program] has around = "abilities.audit:around"
        ...     if run.corpid == "wwsuspended":
        ...         raise AbilityError("this corp is suspended", errcode=1403)
        ...     try:
        ...         yield
        ...     finally:
        ...         log.info("%s: %d after %.3f s", run.ability_id or run.event_type, run.errcode, run.seconds)
    """

    ability_id: str
    """The ID of the ability that is called; empty for code on an event."""
    event_type: str
    """The type of the event, such as `hit_keyword`; empty for an ability."""
    corpid: str
    """The corpid of the corp whose data the call is about."""
    agentid: int
    """The agentid of the app that calls."""
    attempt: int
    """The number of this run, from 1."""
    request: Any = field(repr=False)
    """The decoded request, as the handler gets it, or the event."""
    state: Any = field(repr=False)
    """What the application's lifespan yielded: one object for all calls of a process; None without a lifespan."""
    settings: Any = field(repr=False)
    """The application's own settings: the Struct that `[program] settings` names; None without one."""
    result: Any = field(default=None, repr=False)
    """After the yield: what the code returned."""
    error: BaseException | None = field(default=None, repr=False)
    """After the yield: what the code raised, or why its result could not be sent; None after a success."""
    errcode: int = 0
    """After the yield: the errcode that the app gets; 0 is success."""
    seconds: float = 0
    """After the yield: how long the code took."""


class Around:
    """Runs the application's generator around its code.

    Args:
        name: Its name in the registry file: `package.module:attribute`.
        function: The generator function.
    """

    def __init__(self, name: str, function: Callable[[Run], Any]) -> None:
        self.name = name
        self.is_async: bool = inspect.isasyncgenfunction(function)
        self._manager: Any = (asynccontextmanager if self.is_async else contextmanager)(function)

    def guarded(
        self,
        function: Callable[[Any, Any], Any],
        blocking: Callable[[Any, Any], Any],
        encode: Callable[[Any], str],
        portal: Portal,
        error_code: Callable[[BaseException], int],
        checks_end: bool,
    ) -> Callable[[Any, Any], str]:
        """Return a function that runs a handler within the generator, and returns its result as JSON text. Blocks.

        Args:
            function: The application's code; it takes a context in any case.
            blocking: The same; it waits for `async def` code.
            encode: Writes its result, if it fits the contract.
            portal: Runs `async def` code.
            error_code: Returns the errcode that an error becomes.
            checks_end: Whether a result that comes after the deadline is an error.
        """

        def run_within(request: Any, context: Any) -> str:
            run = _run_of(request, context)
            with self._name_faults(run), self._manager(run), _outcome(run, context, error_code):
                run.result = blocking(request, context)
                if checks_end and context.remaining == 0:
                    raise context.timeout_error()
                return _encode(run, encode)
            raise self._swallowing_error(run)

        async def run_within_task(request: Any, context: Any) -> str:
            run = _run_of(request, context)
            with self._name_faults(run):
                async with self._manager(run):
                    with _outcome(run, context, error_code):
                        run.result = await function(request, context)
                        return _encode(run, encode)
            raise self._swallowing_error(run)

        if not self.is_async:
            return run_within
        return lambda request, context: portal.run(lambda: run_within_task(request, context), context)

    @contextmanager
    def _name_faults(self, run: Run) -> Iterator[None]:
        """Name the generator in what contextlib says of one that does not yield exactly once."""
        try:
            yield
        except RuntimeError as error:
            if error is run.error or not _is_of_contextlib(error):
                raise
            raise RuntimeError(f"around {self.name}: {error}; it must yield exactly once") from error

    def _swallowing_error(self, run: Run) -> RuntimeError:
        kind = type(run.error).__name__
        fault = RuntimeError(
            f"around {self.name}: it ended though the code raised {kind}; raise that again, or another"
        )
        fault.__cause__ = run.error
        return fault


def _run_of(request: Any, context: AnyContext) -> Run:
    return Run(
        ability_id=context.ability_id,
        event_type=getattr(context, "event_type", ""),
        corpid=context.corpid,
        agentid=context.agentid,
        attempt=context.attempt,
        request=request,
        state=context.state,
        settings=context.settings,
    )


def _encode(run: Run, encode: Callable[[Any], str]) -> str:
    text = encode(run.result)
    run.errcode = errcode_of(text) if run.ability_id else 0
    return text


@contextmanager
def _outcome(run: Run, context: AnyContext, error_code: Callable[[BaseException], int]) -> Iterator[None]:
    """Note how the code ends, and how long it takes."""
    since = monotonic()
    try:
        yield
    except BaseException as error:  # a handler may raise anything
        # at its timeout an `async def` handler is cancelled
        run.error = context.timeout_error() if type(error) is CancelledError and context.remaining == 0 else error
        run.errcode = error_code(run.error)
        raise
    finally:
        run.seconds = monotonic() - since


def _is_of_contextlib(error: BaseException) -> bool:
    frames = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1] == contextmanager.__code__.co_filename

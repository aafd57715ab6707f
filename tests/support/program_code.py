"""What the table `[program]` of tests names, and code that takes what it yields."""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Any, Protocol

import msgspec

from wwspec_contracts.events import hit_keyword
from wwspec_router import AsyncContext, Context, Contract, EventContext, Output, Run, ability

NOTHING = None


class Db:
    """What is opened."""


class SqliteDb(Db):
    """A kind of it."""


class Other:
    """Something else."""


class Queries(Protocol):
    def query(self) -> str: ...


class Settings(msgspec.Struct):
    url: str = ""


class Ask(Contract):
    pass


class Result(Output):
    pass


def _handler(name: str, context: Any) -> Any:
    def handler(request: Ask, ctx: Any) -> Result:
        return Result()

    handler.__annotations__["ctx"] = context
    handler.__qualname__ = name
    return ability(handler)


with_db = _handler("with_db", Context[Db])
with_perhaps = _handler("with_perhaps", Context[Db | None])
with_queries = _handler("with_queries", Context[Queries])
with_dict = _handler("with_dict", Context[dict[str, int]])
with_anything = _handler("with_anything", Context[Any, Any])
with_settings = _handler("with_settings", Context[Any, Settings])
without_state = _handler("without_state", Context)


@ability
async def with_db_async(request: Ask, ctx: AsyncContext[Db]) -> Result:
    return Result()


@ability
async def without_state_async(request: Ask, ctx: AsyncContext) -> Result:
    return Result()


def on_hit(event: hit_keyword.Event, ctx: EventContext[Db]) -> None: ...


def _yields(state: Any) -> Any:
    def lifespan() -> Iterator[Any]:
        yield

    lifespan.__annotations__["return"] = Iterator[state]
    return contextmanager(lifespan)


yields_db = _yields(Db)
yields_nothing = _yields(None)
yields_either = _yields(Db | Other)
yields_any = _yields(Any)
yields_dict = _yields(dict[str, int])


@asynccontextmanager
async def yields_sqlite() -> AsyncIterator[SqliteDb]:
    yield SqliteDb()


@contextmanager
def yields_other() -> Generator[Other]:
    yield Other()


@contextmanager
def unannotated():  # type: ignore[no-untyped-def]
    yield Db()


def returns_manager() -> AbstractContextManager[Other]:
    return nullcontext(Other())


@contextmanager
def takes_settings(settings: Settings) -> Iterator[Db]:
    yield Db()


@contextmanager
def takes_two(settings: Settings, more: int) -> Iterator[Db]:
    yield Db()


def around(run: Run) -> Iterator[None]:
    yield


async def around_async(run: Run) -> AsyncIterator[None]:
    yield


@contextmanager
def around_decorated(run: Run) -> Iterator[None]:
    yield


def around_returns(run: Run) -> None: ...


def around_takes_two(run: Run, more: int) -> Iterator[None]:
    yield

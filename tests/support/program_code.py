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


@ability
def with_db(request: Ask, ctx: Context[Db]) -> Result:
    return Result()


@ability
async def with_db_async(request: Ask, ctx: AsyncContext[Db]) -> Result:
    return Result()


@ability
def with_perhaps(request: Ask, ctx: Context[Db | None]) -> Result:
    return Result()


@ability
def with_queries(request: Ask, ctx: Context[Queries]) -> Result:
    return Result()


@ability
def with_dict(request: Ask, ctx: Context[dict[str, int]]) -> Result:
    return Result()


@ability
def with_anything(request: Ask, ctx: Context[Any, Any]) -> Result:
    return Result()


@ability
def with_settings(request: Ask, ctx: Context[Any, Settings]) -> Result:
    return Result()


@ability
def without_state(request: Ask, ctx: Context) -> Result:
    return Result()


@ability
async def without_state_async(request: Ask, ctx: AsyncContext) -> Result:
    return Result()


def on_hit(event: hit_keyword.Event, ctx: EventContext[Db]) -> None:
    """Do nothing."""


@contextmanager
def yields_db() -> Iterator[Db]:
    yield Db()


@asynccontextmanager
async def yields_sqlite() -> AsyncIterator[SqliteDb]:
    yield SqliteDb()


@contextmanager
def yields_other() -> Generator[Other]:
    yield Other()


@contextmanager
def yields_nothing() -> Iterator[None]:
    yield


@contextmanager
def yields_either() -> Iterator[Db | Other]:
    yield Db()


@contextmanager
def yields_any() -> Iterator[Any]:
    yield Db()


@contextmanager
def yields_dict() -> Iterator[dict[str, int]]:
    yield {}


@contextmanager
def unannotated():  # type: ignore[no-untyped-def]
    yield Db()


def returns_manager() -> AbstractContextManager[Other]:
    return nullcontext(Other())


@contextmanager
def takes_settings(settings: Settings) -> Iterator[Db]:
    yield Db()


@contextmanager
def takes_default(url: str = "") -> Iterator[Db]:
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


def around_returns(run: Run) -> None:
    """Yield nothing."""


def around_takes_two(run: Run, more: int) -> Iterator[None]:
    yield


def around_takes_name(*, run: Run) -> Iterator[None]:
    yield

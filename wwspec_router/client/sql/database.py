"""Runs a function of a connection on an engine of SQLAlchemy: at once, or as a coroutine on an event loop."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_router.errors import StoreError

T = TypeVar("T")


class Database:
    """An engine, sync or async. Stores are written once, as functions of a sync connection.

    Args:
        engine: Its URL decides the database and the driver.
    """

    def __init__(self, engine: Engine | AsyncEngine) -> None:
        self.engine = engine

    @property
    def is_async(self) -> bool:
        """Whether `run` returns a coroutine."""
        return isinstance(self.engine, AsyncEngine)

    def run(self, work: Callable[[Connection], T]) -> T | Awaitable[T]:
        """Call a function in a transaction of its own, and commit.

        Args:
            work: The function.

        Raises:
            StoreError: The database refuses. The text has neither values nor the URL.
        """
        if isinstance(self.engine, AsyncEngine):
            return self._run_async(self.engine, work)
        try:
            with self.engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _clear(error) from None

    async def _run_async(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        except SQLAlchemyError as error:
            raise _clear(error) from None


def _clear(error: SQLAlchemyError) -> StoreError:
    cause = getattr(error, "orig", None) or error
    return StoreError(f"the app's database refuses ({type(cause).__name__}): check that it is up and has the tables")

"""Replies that come in pages, one after another, without I/O."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

from msgspec.structs import replace

from wwspec_client import calls
from wwspec_client.calls import CallOptions
from wwspec_client.core import Core
from wwspec_client.errors import RepeatedCursorError
from wwspec_client.steps import Steps
from wwspec_contracts.base import OutputT, PagedRequest
from wwspec_contracts.errors import ConfigurationError

RowT = TypeVar("RowT")


class CursorWalk:
    """The cursors of one walk through pages, none of which may come twice.

    Args:
        first: Of the first page; empty for the beginning.
    """

    def __init__(self, first: str) -> None:
        self._seen = {"", first}

    def follow(self, call: str, cursor: str) -> str:
        """Return the cursor of the next page.

        Raises:
            RepeatedCursorError: It is empty, or that of an earlier page: the pages would never end.
        """
        if cursor in self._seen:
            raise RepeatedCursorError(call)
        self._seen.add(cursor)
        return cursor


class Pages(Generic[OutputT]):
    """The pages of one request; see `ZoneClient.pages`.

    Args:
        core: Sends the requests.
        ability: An ability ID, or the request.
        request: With an ID, the request.
        options: How each page is asked for.

    Raises:
        ConfigurationError: The request has no pages.
    """

    def __init__(
        self,
        core: Core,
        ability: str | PagedRequest[OutputT],
        request: PagedRequest[OutputT] | None,
        options: CallOptions,
    ) -> None:
        given = request if isinstance(ability, str) else ability
        if not isinstance(given, PagedRequest):
            raise ConfigurationError("pages() takes a request that has a cursor, such as sync_msg.Request(limit=200)")
        calls.check_options(options, CallOptions)
        self._core = core
        self._ability = ability if isinstance(ability, str) else None
        self._following: PagedRequest[OutputT] | None = given
        self._walk = CursorWalk(getattr(given, "cursor", "") or "")
        self._options = options

    def next(self) -> Steps[OutputT | None]:
        """Return the next page; None after the last one."""
        asked = self._following
        if asked is None:
            return None
        ability = calls.ability_of(self._core, self._ability or asked, asked, Any)
        page: Any = yield from calls.call(self._core, ability, self._options, raw=False)
        self._following = None
        if page.has_more:
            self._following = replace(asked, cursor=self._walk.follow(calls.name_of(ability), page.next_cursor))
        return cast(OutputT, page)


class Members(Generic[RowT]):
    """The members of a list that comes in pages, one by one; a page is asked for when its first member is.

    Args:
        ask: Returns the page of a cursor.
        name: Of the API, in errors.
    """

    def __init__(self, ask: Callable[[str], Steps[Any]], name: str) -> None:
        self._ask = ask
        self._name = name
        self._walk = CursorWalk("")
        self._cursor: str | None = ""
        self._rows: Iterator[RowT] = iter(())

    def next(self) -> Steps[RowT | None]:
        """Return the next member; None after the last one."""
        while (row := next(self._rows, None)) is None and self._cursor is not None:
            page = yield from self._ask(self._cursor)
            self._rows = iter(page.auth_user_list)
            self._cursor = self._walk.follow(self._name, page.next_cursor) if page.has_more else None
        return row

"""SDK APIs that search names: `search_chat` [99802], `search_contact_or_customer` [100235]."""

from typing import Annotated, Any

from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Asked, accepted
from wwspec_devtools.emulator.apis.paging import Paging
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE
from wwspec_devtools.emulator.state.world import World

Limit = Annotated[int, Meta(ge=0, le=100)]
DEFAULT_LIMIT = 50
"""Of a request whose `limit` is 0 or left out."""

_CHATS, _PEOPLE = Paging("c"), Paging("u")
_KINDS = {0: (EMPLOYEE, CUSTOMER), 1: (EMPLOYEE,), 2: (CUSTOMER,)}


class SearchChat(Asked):
    """Request of `search_chat`."""

    query_word: Annotated[str, Meta(min_length=2)]
    limit: Limit = 0
    cursor: str = ""


class SearchPeople(Asked):
    """Request of `search_contact_or_customer`."""

    query_word: Annotated[str, Meta(min_length=2, max_length=31)]
    query_user_type: Annotated[int, Meta(ge=0, le=2)] = 0
    limit: Limit = 0
    cursor: str = ""


def search_chat(world: World, app: App, request: SearchChat) -> Answer:
    """Return the groups whose name has the word, in upper or lower case."""
    word = request.query_word.casefold()
    groups = world.corp(app).chats.groups.values()
    found = [{"chatid": group.chatid} for group in groups if word in group.name.casefold()]
    page, more = _page(_CHATS, world, app, request, word, found)
    return accepted(**more, chat_list=page)


def search_contact_or_customer(world: World, app: App, request: SearchPeople) -> Answer:
    """Return the employees and customers with the word in a name."""
    question = f"{request.query_user_type} {request.query_word.casefold()}"
    found = [
        person.party
        for person in world.corp(app).chats.people.persons
        if person.party.type in _KINDS[request.query_user_type] and person.matches(request.query_word)
    ]
    page, more = _page(_PEOPLE, world, app, request, question, found)
    return accepted(**more, user_list=page)


def _page(
    cursors: Paging, world: World, app: App, request: SearchChat | SearchPeople, question: str, found: list[Any]
) -> tuple[list[Any], Answer]:
    """Return what is on the page that is asked for, and the fields for the next page."""
    start = cursors.read(world, app, request.cursor, question) or 0
    end = start + (request.limit or DEFAULT_LIMIT)
    cursor = cursors.write(world, app, min(end, len(found)), question)
    return found[start:end], {"has_more": int(end < len(found)), "next_cursor": cursor}

"""The SDK API that searches messages: `search_msg` [99818].

A message is found when it has every word of the query, in upper or lower case. WeCom's segmentation of Chinese text is
not modelled.
"""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.apis.paging import Paging
from wwspec_devtools.emulator.apis.searches import DEFAULT_LIMIT, Limit
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import EMPLOYEE, Conversations, Message
from wwspec_devtools.emulator.state.texts import SEARCHABLE
from wwspec_devtools.emulator.state.world import World

MAX_SPAN_SECONDS = 31 * 86400

_PAGES = Paging("m")
_SINGLE, _GROUP = 1, 2
_STOP_WORDS = re.compile(r"[\s，。？！,.?!]+|的|了|吗|呢|吧|是|我|你|您|\b(?:a|an|the|of|is|to)\b", re.IGNORECASE)


class IdInfo(Asked):
    """An employee or a customer; the employee counts when both are given."""

    open_userid: str = ""
    external_userid: str = ""

    @property
    def id(self) -> str:
        """The id of the person."""
        return self.open_userid or self.external_userid


class ChatInfo(Asked):
    """Where to search."""

    chat_type: Annotated[int, Meta(ge=1, le=2)] = 0
    id_list: list[IdInfo] = []
    chat_id: str = ""
    msg_type_list: list[int] = []
    sender: IdInfo | None = None
    sender_list: Annotated[list[IdInfo], Meta(max_length=100)] = []


class SearchMsg(Asked):
    """Request of `search_msg`."""

    query_word: Annotated[str, Meta(min_length=2)]
    chat_info: ChatInfo = msgspec.field(default_factory=ChatInfo)
    start_time: Annotated[int, Meta(ge=0)] = 0
    end_time: Annotated[int, Meta(ge=0)] = 0
    skip_stop_words: bool = False
    limit: Limit = 0
    cursor: str = ""


def search_msg(world: World, app: App, request: SearchMsg) -> Answer:
    """Return the messages that hold the words, latest first."""
    question = msgspec.json.encode(msgspec.structs.replace(request, cursor="", limit=0)).decode()
    limit = request.limit or DEFAULT_LIMIT
    chats = world.corp(app).chats
    before = _PAGES.read(world, app, request.cursor, question)
    since, until = _times(request, world.clock.seconds())
    _check_chat(chats, request.chat_info)
    words = _words(request)
    first = chats.first_since(since)
    last = min(chats.first_since(until + 1), chats.end if before is None else before)
    found: list[int] = []
    for position in range(last - 1, first - 1, -1):
        if _fits(request.chat_info, words, chats.at(position)):
            found.append(position)
            if len(found) > limit:
                break
    page = found[:limit]
    cursor = _PAGES.write(world, app, page[-1] if page else first, question)
    return accepted(
        has_more=int(len(found) > limit),
        next_cursor=cursor,
        msg_list=[{"msgid": chats.at(position).msgid} for position in page],
    )


def _times(request: SearchMsg, now: int) -> tuple[int, int]:
    start, end = request.start_time, request.end_time
    if not start and not end:
        return now - MAX_SPAN_SECONDS, now
    if not start or not end:
        raise RefusedError(40058, "start_time and end_time go together")
    if not start < end <= start + MAX_SPAN_SECONDS:
        raise RefusedError(40058, "end_time must be after start_time, by 31 days at most")
    return start, end


def _check_chat(chats: Conversations, where: ChatInfo) -> None:
    if any(kind not in SEARCHABLE for kind in where.msg_type_list):
        raise RefusedError(40058, f"chat_info.msg_type_list: only {', '.join(map(str, SEARCHABLE))}")
    if where.chat_type == _SINGLE and len(where.id_list) != 2:
        raise RefusedError(40058, "chat_info.id_list: the two parties of the chat")
    if where.chat_type == _GROUP and where.chat_id not in chats.groups:
        raise RefusedError(710624 if where.chat_id else 40063, "chat_info.chat_id")
    senders = where.sender_list or ([where.sender] if where.sender else [])
    for sender in senders:
        if chats.people.find(sender.open_userid, EMPLOYEE) is None:
            raise RefusedError(710608, "chat_info: a sender is not an employee in scope")


def _words(request: SearchMsg) -> list[str]:
    query = request.query_word.casefold()
    words = [word for word in _STOP_WORDS.split(query) if word] if request.skip_stop_words else query.split()
    return words or [query]


def _fits(where: ChatInfo, words: list[str], message: Message) -> bool:
    if message.msgtype not in (where.msg_type_list or SEARCHABLE):
        return False
    if where.chat_type == _GROUP and message.chatid != where.chat_id:
        return False
    if where.chat_type == _SINGLE and not _between(where.id_list, message):
        return False
    senders = where.sender_list or ([where.sender] if where.sender else [])
    if senders and message.sender.id not in [sender.open_userid for sender in senders]:
        return False
    text = message.text.casefold()
    return all(word in text for word in words)


def _between(ids: list[IdInfo], message: Message) -> bool:
    return isinstance(message.chatid, msgspec.UnsetType) and {party.id for party in message.parties} == {
        info.id for info in ids
    }

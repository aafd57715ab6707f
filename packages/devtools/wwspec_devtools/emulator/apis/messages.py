"""SDK APIs that pull messages: `sync_msg`, `get_msg_list_by_page_id` [99824], `get_hit_msg_list` [99830].

They return an index of messages, never the content.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.apis.paging import Paging
from wwspec_devtools.emulator.scene import WINDOW_SECONDS
from wwspec_devtools.emulator.settings import OF_PROVIDERS
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import Conversations, ExtraInfo, Message, Party
from wwspec_devtools.emulator.state.corps import MAX_PAGE_CALLS
from wwspec_devtools.emulator.state.keys import EncryptInfo
from wwspec_devtools.emulator.state.world import World

MAX_PAGE_IDS = 10
"""The most page ids that one call returns."""

DEFAULT_LIMIT = 200

_INLINE, _PAGED = 0, 1
_CURSOR, _PAGE = "s", "p"
_HITS = Paging("h", errcode=710611)

_Mark = Annotated[str, Meta(max_length=128)]


class SyncMsg(Asked):
    """Request of `sync_msg`; an empty string and a 0 are the same as none [99824]."""

    cursor: _Mark = ""
    token: _Mark = ""
    limit: Annotated[int, Meta(ge=0, le=1000)] = 0
    mode: Annotated[int, Meta(ge=0, le=2)] = _INLINE
    begin_time: Annotated[int, Meta(ge=0)] = 0


class PageId(Asked):
    """Request of `get_msg_list_by_page_id`."""

    page_id: str


class HitMsgList(Asked):
    """Request of `get_hit_msg_list`; an empty string and a 0 are the same as none."""

    cursor: Annotated[str, Meta(max_length=64)] = ""
    token: _Mark = ""
    need_detail: Annotated[int, Meta(ge=0, le=1)] = 0
    limit: Annotated[int, Meta(ge=0, le=1000)] = 0
    begin_time: Annotated[int, Meta(ge=0)] = 0


class WireDetail(msgspec.Struct, frozen=True, gc=False):
    """One message in an answer, without its id."""

    sender: Party
    receiver_list: tuple[Party, ...]
    send_time: int
    msgtype: int
    service_encrypt_info: EncryptInfo
    chatid: str | UnsetType = UNSET


class WireMessage(WireDetail, frozen=True, gc=False, kw_only=True):
    """One message in an answer."""

    msgid: str
    extra_info: ExtraInfo | UnsetType = UNSET


def sync_msg(world: World, app: App, request: SyncMsg) -> Answer:
    """Return messages from the cursor on, or the ids of their pages."""
    with world.lock:
        if world.settings.app_type in OF_PROVIDERS and not app.keys.has_public_key:
            raise RefusedError(710659, "the app has not set its public key since the corp authorised it")
        chats = world.conversations[app.corpid]
        world.admit_pull(app, request.token)
        start = _start(world, app, chats, request)
        total = chats.end
        limit = request.limit or DEFAULT_LIMIT
        paged = request.mode == _PAGED or (request.mode != _INLINE and total - start > limit)
        end = min(total, start + limit * (MAX_PAGE_IDS if paged else 1))
        messages = [] if paged else chats.between(start, end)
        answer = accepted(has_more=1 if end < total else 0, next_cursor=world.marks.write(_CURSOR, app.corpid, end))
    if paged:
        bounds = [(first, min(first + limit, end)) for first in range(start, end, limit)]
        answer["page_id_list"] = [world.marks.write(_PAGE, app.corpid, *bound) for bound in bounds]
    else:
        answer["msg_list"] = _wire(app, messages)
    return answer


def get_msg_list_by_page_id(world: World, app: App, request: PageId) -> Answer:
    """Return the messages of one page."""
    with world.lock:
        running = world.corp(app).page_calls
    if not running.acquire(blocking=False):
        raise RefusedError(45033, f"{MAX_PAGE_CALLS} at a time")
    try:
        with world.lock:
            messages = _page(world, app, request.page_id)
        return accepted(msg_list=_wire(app, messages))
    finally:
        running.release()


def get_hit_msg_list(world: World, app: App, request: HitMsgList) -> Answer:
    """Return messages that hit keyword rules, from the cursor on."""
    with world.lock:
        world.admit_pull(app, request.token)
        book = world.corp(app).rules
        since = int(world.clock.now() - WINDOW_SECONDS)
        start = _HITS.read(world, app, request.cursor)
        if start is None:
            start, since = 0, max(since, request.begin_time)
        start = max(start, book.first_since(since), app.authorisation.first_hit)
        page = book.between(start, start + (request.limit or DEFAULT_LIMIT))
        end = start + len(page)
        answer = accepted(has_more=int(end < book.end), next_cursor=_HITS.write(world, app, end))
    answer["msg_list"] = [
        {"msgid": hit.message.msgid, "hit_rule_list": hit.rules}
        | ({"msg_detail": WireDetail(*_detail(app, hit.message))} if request.need_detail else {})
        for hit in page
    ]
    return answer


def _page(world: World, app: App, page_id: str) -> list[Message]:
    bounds = world.marks.read(_PAGE, app.corpid, page_id)
    if bounds is None:
        raise RefusedError(40058, f"page_id is not one of sync_msg, {OR_EARLIER_LIFE}")
    chats = world.conversations[app.corpid]
    oldest = max(chats.first_since(world.clock.now() - WINDOW_SECONDS), app.authorisation.first_message)
    start = max(bounds[0], oldest)
    return chats.between(start, bounds[1])


def _start(world: World, app: App, chats: Conversations, request: SyncMsg) -> int:
    """Return the position to pull from: at most five days back, and nothing of an earlier authorisation."""
    oldest = max(chats.first_since(world.clock.now() - WINDOW_SECONDS), app.authorisation.first_message)
    if not request.cursor:
        return max(oldest, chats.first_since(request.begin_time))
    position = world.marks.read(_CURSOR, app.corpid, request.cursor)
    if position is None:
        raise RefusedError(710611, f"cursor is not one of sync_msg, {OR_EARLIER_LIFE}")
    return max(oldest, position[0])


def _wire(app: App, messages: list[Message]) -> list[WireMessage]:
    """Add the keys. With a real public key that takes time, so the lock is not held."""
    return [
        WireMessage(*_detail(app, message), msgid=message.msgid, extra_info=message.extra_info) for message in messages
    ]


def _detail(app: App, message: Message) -> tuple[Any, ...]:
    """Return the fields of a `WireDetail`."""
    key = app.keys.wrap(message.msgid)
    return message.sender, message.receiver_list, message.send_time, message.msgtype, key, message.chatid

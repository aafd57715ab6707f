"""SDK APIs about knowledge bases: `knowledge_base_*` [99836].

What a knowledge base is, and how it learns, is in `wwspec_devtools.emulator.state.knowledge`.
"""

import unicodedata
from collections import deque
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.state import knowledge
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.corps import Corp
from wwspec_devtools.emulator.state.world import World

MAX_NAME_BYTES = 200
MAX_URL_BYTES = 1024

_Title = Annotated[str, Meta(max_length=20)]


class AskedContent(Asked):
    """A content to add."""

    doc_name: str
    type: int
    file_media_id: str = ""
    web_url: str = ""


class Create(Asked):
    """Request of `knowledge_base_create`."""

    kb_name: _Title
    doc_list: list[AskedContent]


class AddDoc(Asked):
    """Request of `knowledge_base_add_doc`."""

    kb_id: str
    doc_list: list[AskedContent]


class RemoveDoc(Asked):
    """Request of `knowledge_base_remove_doc`."""

    kb_id: str
    docid_list: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(max_length=knowledge.MAX_CONTENTS)]


class ModifyName(Asked):
    """Request of `knowledge_base_modify_name`."""

    kb_id: str
    kb_name: _Title


class BaseId(Asked):
    """Request of `knowledge_base_detail` and `knowledge_base_delete`."""

    kb_id: str


class Nothing(Asked):
    """Request of `knowledge_base_list`."""


def knowledge_base_list(world: World, app: App, request: Nothing) -> Answer:
    """Return every knowledge base that is authorised to the app, its own and the corp's."""
    bases = world.corp(app).knowledge.authorised()
    return accepted(kb_info_list=[{"kb_id": base.kb_id, "kb_name": base.name} for base in bases])


def knowledge_base_create(world: World, app: App, request: Create) -> Answer:
    """Make a knowledge base and begin to learn its contents."""
    _check_title(request.kb_name)
    corp, now = world.corp(app), world.clock.now()
    contents = _check_contents(corp, app, request.doc_list, now)
    base = corp.knowledge.create(request.kb_name, app.agentid, contents, now)
    added = list(base.contents.values())
    _learn(world, app, base, added)
    return accepted(kb_id=base.kb_id, doc_list=[_added(content) for content in added])


def knowledge_base_detail(world: World, app: App, request: BaseId) -> Answer:
    """Return the contents of one knowledge base and how far they are learnt."""
    base = _owned(world, app, request.kb_id)
    now = world.clock.now()
    contents = [_detail(content, now) for content in base.contents.values()]
    return accepted(kb_id=base.kb_id, kb_name=base.name, doc_list=contents)


def knowledge_base_add_doc(world: World, app: App, request: AddDoc) -> Answer:
    """Add contents and begin to learn them."""
    base = _owned(world, app, request.kb_id)
    now = world.clock.now()
    corp = world.corp(app)
    added = corp.knowledge.add(base, _check_contents(corp, app, request.doc_list, now), now)
    _learn(world, app, base, added)
    return accepted(doc_list=[_added(content) for content in added])


def knowledge_base_remove_doc(world: World, app: App, request: RemoveDoc) -> Answer:
    """Remove contents, but never all."""
    _owned(world, app, request.kb_id).remove(request.docid_list)
    return accepted()


def knowledge_base_modify_name(world: World, app: App, request: ModifyName) -> Answer:
    """Rename a knowledge base."""
    _check_title(request.kb_name)
    _owned(world, app, request.kb_id).name = request.kb_name
    return accepted()


def knowledge_base_delete(world: World, app: App, request: BaseId) -> Answer:
    """Delete a knowledge base."""
    base = _owned(world, app, request.kb_id)
    world.corp(app).knowledge.delete(base)
    return accepted()


def _owned(world: World, app: App, kb_id: str) -> knowledge.KnowledgeBase:
    return world.corp(app).knowledge.owned(kb_id, app.agentid)


def _learn(world: World, app: App, base: knowledge.KnowledgeBase, added: list[knowledge.Content]) -> None:
    """Send the program an event for each content when it is learnt, one after the other."""
    waiting = deque((content.docid, content.ready) for content in added)

    def next_one() -> None:
        if waiting:
            world.timers.schedule(waiting[0][1] - world.clock.now(), report)

    def report() -> None:
        docid, _ = waiting.popleft()
        with world.lock:
            content = base.contents.get(docid)
            name = base.name
        if content is not None:
            world.raise_event(
                app,
                "knowledge_base_learn_done",
                {
                    "knowledge_base_id": base.kb_id,
                    "knowledge_base_name": name,
                    "doc_id": docid,
                    "learn_status": knowledge.ADDED if content.new.learnable else knowledge.FAILED,
                },
            )
        next_one()

    next_one()


def _check_title(title: str) -> None:
    if _invisible(title):
        raise RefusedError(790033, "kb_name")


def _invisible(text: str) -> bool:
    return not text.strip() or any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") for char in text)


def _check_contents(corp: Corp, app: App, asked: list[AskedContent], now: float) -> list[knowledge.NewContent]:
    if len(asked) > knowledge.MAX_CONTENTS:
        raise RefusedError(790026, f"doc_list: {knowledge.MAX_CONTENTS} contents")
    return [_check_content(corp, app, content, f"doc_list[{place}]", now) for place, content in enumerate(asked)]


def _check_content(corp: Corp, app: App, asked: AskedContent, place: str, now: float) -> knowledge.NewContent:
    if asked.type != knowledge.WEB_LINK and asked.type not in knowledge.SUFFIXES:
        raise RefusedError(40058, f"{place}.type: {', '.join(map(str, [*knowledge.SUFFIXES, knowledge.WEB_LINK]))}")
    if _invisible(asked.doc_name):
        raise RefusedError(790033 if asked.doc_name else 40063, f"{place}.doc_name")
    suffix = knowledge.SUFFIXES.get(asked.type, "")
    if len(asked.doc_name.encode(errors="replace")) > MAX_NAME_BYTES or not asked.doc_name.lower().endswith(suffix):
        raise RefusedError(790032, f"{place}.doc_name: {suffix or 'any'} suffix, {MAX_NAME_BYTES} bytes")
    if asked.type == knowledge.WEB_LINK:
        _check_url(asked.web_url, f"{place}.web_url")
        return knowledge.NewContent(doc_name=asked.doc_name, type=knowledge.WEB_LINK, web_url=asked.web_url)
    if not asked.file_media_id:
        raise RefusedError(40063, f"{place}.file_media_id")
    if corp.media.get(app.agentid, asked.file_media_id, now) is None:
        raise RefusedError(40145, f"{place}.file_media_id")
    return knowledge.NewContent(doc_name=asked.doc_name, type=asked.type, file_media_id=asked.file_media_id)


def _check_url(url: str, place: str) -> None:
    if not url:
        raise RefusedError(40063, place)
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound or len(url.encode(errors="replace")) > MAX_URL_BYTES:
        raise RefusedError(790025, f"{place}: http or https, {MAX_URL_BYTES} bytes")


def _added(content: knowledge.Content) -> dict[str, Any]:
    return {"docid": content.docid, **msgspec.to_builtins(content.new)}


def _detail(content: knowledge.Content, now: float) -> dict[str, Any]:
    return {
        "docid": content.docid,
        "doc_name": content.new.doc_name,
        "type": content.new.type,
        "web_url": content.new.web_url,
        "status": content.status(now),
    }

"""The nine events that WeCom sends to a program, built from the emulator's data [99852, 99853, 99855].

It only builds JSON values. The caller holds the emulator's lock.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import msgspec

from wwspec_devtools.emulator.answers import RefusedError, read
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.knowledge import CORP_BASE_ID, CORP_BASE_NAME
from wwspec_devtools.emulator.state.rules import rule_of_word
from wwspec_devtools.emulator.state.world import World

Fields = dict[str, Any]

_CONSENT = "chat_archive_audit_approved"
_WORD = "关键词"
"""Of the rule that is made when there is none; no seeded message has it."""


def _consent_single(world: World, app: App) -> Fields:
    chats = world.conversations[app.corpid]
    return {"userid": world.rng.choice(chats.employees).id, "external_userid": world.rng.choice(chats.customers).id}


def _consent_room(world: World, app: App) -> Fields:
    chats = world.conversations[app.corpid]
    group = world.rng.choice([group for group in chats.groups.values() if not group.internal])
    customer = next(member for member in group.members if member in chats.customers)
    return {"external_userid": customer.id, "chatid": group.chatid}


def _new_message(world: World, app: App) -> Fields:
    world.conversations[app.corpid].say(world.clock.seconds())
    return {"token": world.issue_event_token(app)}


def _hit_keyword(world: World, app: App) -> Fields:
    return {"token": world.issue_event_token(app)}


class _Hit(msgspec.Struct, frozen=True):
    """The message that hits a rule."""

    text: str = ""
    """What is said; by default the first word of the rule."""
    rule_id: str = ""
    """By default the newest rule, or with a text the newest that has a word of it; one is made when there is none."""


def _make_hit(world: World, app: App, hit: _Hit) -> None:
    """Append a message that hits a rule."""
    corp, now = world.corp(app), world.clock.seconds()
    rule = corp.rules.get(hit.rule_id) if hit.rule_id else None
    if rule is not None and hit.text and rule.words and not any(word in hit.text for word in rule.words):
        raise RefusedError(40058, f"text has none of the words of {rule.rule_id}: {', '.join(rule.words)}")
    newest = reversed(corp.rules.after(0))
    rule = rule or next((rule for rule in newest if not hit.text or any(word in hit.text for word in rule.words)), None)
    rule = rule or corp.rules.add(rule_of_word(hit.text or _WORD), now)
    text = hit.text or (rule.words[0] if rule.words else None)
    corp.rules.hit(corp.chats.say(now, text, with_listeners=False), rule)


def _knowledge_base(world: World, app: App) -> Fields:
    return {"knowledge_base_id": CORP_BASE_ID, "knowledge_base_name": CORP_BASE_NAME}


def _learn_done(world: World, app: App) -> Fields:
    return {**_knowledge_base(world, app), "doc_id": world.rng.randrange(1, 1000), "learn_status": 0}


def _export_finished(world: World, app: App) -> Fields:
    return {"jobid": f"export_{world.ids.getrandbits(128):032x}"}


def _agree(chat: str, world: World, app: App, fields: Fields) -> None:
    """Let the customer agree; `chat` is the field of the employee or of the group."""
    where, customer = fields.get(chat), fields.get("external_userid")
    if isinstance(where, str) and isinstance(customer, str):
        world.corp(app).consents.answer(where, customer, True, world.clock.seconds())


def _authorise(authorised: bool, world: World, app: App, fields: Fields) -> None:
    world.corp(app).knowledge.authorise(str(fields.get("knowledge_base_id")), authorised)


def _delete(world: World, app: App, fields: Fields) -> None:
    knowledge = world.corp(app).knowledge
    knowledge.delete(knowledge.find(str(fields.get("knowledge_base_id"))))


class _Event(NamedTuple):
    own: str
    """The name of its own object."""
    build: Callable[[World, App], Fields]
    take_effect: Callable[[World, App, Fields], None] | None = None
    """Changes the emulator's state so that the event is true."""


_EVENTS = {
    "chat_archive_audit_approved_single": _Event(_CONSENT, _consent_single, partial(_agree, "userid")),
    "chat_archive_audit_approved_room": _Event(_CONSENT, _consent_room, partial(_agree, "chatid")),
    "conversation_new_message": _Event("conversation_new_message", _new_message),
    "hit_keyword": _Event("hit_keyword", _hit_keyword),
    "auth_knowledge_base": _Event("auth_knowledge_base", _knowledge_base, partial(_authorise, True)),
    "unauth_knowledge_base": _Event("unauth_knowledge_base", _knowledge_base, partial(_authorise, False)),
    "delete_knowledge_base": _Event("delete_knowledge_base", _knowledge_base, _delete),
    "knowledge_base_learn_done": _Event("knowledge_base_learn_done", _learn_done),
    "chat_archive_export_finished": _Event("chat_archive_export_finished", _export_finished),
}

EVENT_TYPES = tuple(_EVENTS)
"""The names of the nine events."""

OPTIONS: Mapping[str, tuple[str, ...]] = {"hit_keyword": _Hit.__struct_fields__}
"""What may be said of an event beside its fields, by its name."""

OF_MESSAGES = ("conversation_new_message", "hit_keyword")
"""The events that come with a new message."""


def build_event(world: World, app: App, event_type: str, overrides: Mapping[str, Any]) -> Fields:
    """Return an event as the program's decoder shows it.

    Args:
        world: The emulator's state. It changes so that the event is true: `conversation_new_message` appends its
            message, `hit_keyword` one that hits a rule, consent is given, a knowledge base is authorised, withdrawn or
            deleted.
        app: The app of the event.
        event_type: One of `EVENT_TYPES`.
        overrides: Fields of the event's own object, and `timestamp`; new names are added. And its `OPTIONS`.

    Raises:
        RefusedError: There is no such rule, or an option is no text.
    """
    given = dict(overrides)
    if event_type == "hit_keyword":
        options = {name: given.pop(name) for name in OPTIONS[event_type] if name in given}
        _make_hit(world, app, read(_Hit, msgspec.json.encode(options)))
    event = _EVENTS[event_type]
    fields = {**event.build(world, app), **given}
    timestamp = fields.pop("timestamp", world.clock.seconds())
    if event.take_effect is not None:
        with suppress(RefusedError):  # overrides may name what does not exist
            event.take_effect(world, app, fields)
    return wrap_event(event_type, fields, timestamp)


def wrap_event(event_type: str, fields: Fields, timestamp: int) -> Fields:
    """Return an event with its own object inside; needs no lock."""
    return {"event_type": event_type, "timestamp": timestamp, _EVENTS[event_type].own: fields}

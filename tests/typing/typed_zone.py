"""What a type checker knows of a test's calls; read by mypy and pyright, never run."""

from typing import Any, assert_type

from schemas.archive import Digest
from schemas.chat_digest import Response
from wwspec_contracts import get_group_chat, sync_msg
from wwspec_contracts.events import hit_keyword
from wwspec_devtools.testing.zone import Answer, Zone, ZoneTask


def typed(zone: Zone) -> None:
    """A request of an SDK API knows its reply; for others the test says which one it expects."""
    assert_type(zone.call(sync_msg.Request(limit=200)), Answer[sync_msg.Response])
    assert_type(zone.call(sync_msg.Request(limit=200)).reply, sync_msg.Response)
    assert_type(zone.call(get_group_chat.Request(chatid="x"), notify_id="n").reply.members, list[get_group_chat.Member])
    assert_type(zone.call("chat_digest", {"limit": 200}).reply, Any)
    assert_type(zone.call("chat_digest", {"limit": 200}, reply=Response).reply, Response)
    assert_type(zone.call("chat_digest").raise_for_error().errcode, int)


def typed_asynchronous(zone: Zone) -> None:
    assert_type(zone.submit(sync_msg.Request()), ZoneTask[sync_msg.Response])
    assert_type(zone.submit(sync_msg.Request()).result(5.0), Answer[sync_msg.Response])
    assert_type(zone.submit("chat_digest", reply=Response).result().reply, Response)
    assert_type(zone.submit("chat_digest").result().reply, Any)


def typed_notifications(zone: Zone) -> None:
    """A notification is of the type that is waited for; a name gives plain JSON, and nothing the latest notify_id."""
    assert_type(zone.notified(Digest), Digest)
    assert_type(zone.notified(hit_keyword.Event, timeout=5.0).hit_keyword.token, str)
    assert_type(zone.notified("daily_digest"), dict[str, Any])
    assert_type(zone.notified(), str)


def wrong(zone: Zone) -> None:
    """Mistakes that mypy finds; each comment is needed, since unused ones are errors."""
    zone.call(sync_msg.Request(), reply=Response)  # type: ignore[call-overload]
    zone.call(Response())  # type: ignore[call-overload]
    assert zone.call(sync_msg.Request()).reply.msg_lists  # type: ignore[attr-defined]
    zone.notified(5)  # type: ignore[call-overload]
    zone.answer("sync_msg", "text")  # type: ignore[arg-type]
    assert zone.call("chat_digest").err_code  # type: ignore[attr-defined]

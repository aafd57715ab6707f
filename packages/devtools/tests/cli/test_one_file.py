"""A folder without a registry file whose `program.py` is the program: every verb finds it, and needs no argument."""

from pathlib import Path

import pytest

from tests.support.apps import write_files
from tests.support.command import pytest_session, wwspec

PROGRAM = """\
from wwspec_contracts import get_group_chat, get_hit_msg_list
from wwspec_contracts.events import hit_keyword
from wwspec_router import Context, Contract, EventContext, Output, ability, notification, on_event

class SizeRequest(Contract):
    chatid: str

class SizeReply(Output):
    members: int = 0

@notification
class HitCount(Contract):
    messages: int

@ability(timeout=5)
def group_size(request: SizeRequest, ctx: Context) -> SizeReply:
    return SizeReply(members=len(ctx.invoke(get_group_chat.Request(chatid=request.chatid)).members))

@on_event
def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
    page = ctx.invoke(get_hit_msg_list.Request(token=event.hit_keyword.token))
    ctx.notify(HitCount(messages=len(page.msg_list)))
"""
TEST = """\
import pytest
from program import HitCount
from wwspec_contracts import sync_msg
from wwspec_contracts.errors import ConfigurationError
from wwspec_router import Contract

def test_an_ability(zone):
    assert zone.call("group_size", {"chatid": "no such group"}).errcode == 710624
    assert len(zone.call(sync_msg.Request(limit=3)).reply.msg_list) == 3

def test_an_event_and_a_notification(zone):
    event = zone.fire("hit_keyword")["event"]
    assert zone.notified("hit_keyword")["event_type"] == event["event_type"]
    assert zone.notified(HitCount).messages > 0

def test_a_notification_may_be_named(zone):
    zone.fire("hit_keyword")
    assert zone.notified("hit_count")["hit_count"]["messages"] > 0

def test_a_contract_that_is_no_notification(zone):
    class Derived(HitCount):
        pass

    for each in (Contract, Derived):
        with pytest.raises(ConfigurationError, match="it has no mark @notification"):
            zone.notified(each)
"""
PYTEST = "[pytest]\npythonpath = .\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(tmp_path / "shop", {"program.py": PROGRAM, "tests/test_program.py": TEST, "pytest.ini": PYTEST})


@pytest.mark.parametrize("form", ["in-process", pytest.param("served", marks=pytest.mark.slow)])  # processes
def test_the_fixture_zone_finds_it(app: Path, form: str) -> None:
    done = pytest_session(app, "-q", "--zone", form)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_check_doctor_config_and_abilities_find_it(app: Path) -> None:
    assert wwspec(app, "check").stdout.startswith(
        f"{app / 'program.py'}: 45 abilities, 43 SDK APIs, 9 events: no fault"
    )
    assert f"registry  {app / 'program.py'}: 45 abilities" in wwspec(app, "doctor").stdout
    assert str(app / "program.py") in wwspec(app, "config").stdout
    lines = {" ".join(line.split()) for line in wwspec(app, "abilities").stdout.splitlines()}
    assert lines >= {
        "answers with declared at",
        "group_size handler program:group_size, within 5 s program.py:15 group_size",
        "get_callback_data stored event by notify_id program.py [abilities.get_callback_data]",
        "invoke_sync_msg SDK API sync_msg program.py [passthrough]",
        "event hit_keyword handler program:on_hit; the app is told now program.py:19 on_hit",
        "notification hit_count program.py:11 HitCount",
    }


def test_without_either_the_error_names_both(tmp_path: Path) -> None:
    done = wwspec(tmp_path, "check")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path / 'abilities/registry.toml'}: there is no such file; ")
    assert done.stderr.endswith("; or write program.py\n")


def test_a_fault_of_it_names_its_line_alone(app: Path) -> None:
    write_files(app, {"program.py": PROGRAM.replace("request: SizeRequest", "request")})
    assert wwspec(app, "check").stderr == (
        "Error: program can't be imported: program.py:15: TypeError: group_size: "
        "annotate request with a subclass of wwspec_router.Contract\n"
    )


def test_it_is_needed_in_the_image(app: Path) -> None:
    write_files(app, {".dockerignore": "*\n!abilities\n"})
    done = wwspec(app, "check")
    assert ".dockerignore:1: `*` keeps program.py out of the image" in done.stderr
    assert "add a line !program.py at its end" in done.stderr

"""Scenes: a TOML file says who exists and what was said."""

import random
from pathlib import Path

import msgspec
import pytest

from tests.emulator.conftest import StartEmulator
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.scene import WINDOW_SECONDS, Scene, load_scene
from wwspec_devtools.emulator.settings import EmulatorSettings, read_settings
from wwspec_devtools.emulator.state.seeds import make_conversations

START = 1_750_000_000


def rng() -> random.Random:
    return random.Random(1)  # noqa: S311


SCENE = """
[[employees]]
userid = "anna"
name = "安娜"
[[employees]]
userid = "bert"
[[customers]]
id = "wmCustomer1"
name = "李女士"
remark = "老客户"
[[robots]]
id = "wbRobot1"
[[groups]]
chatid = "wrGroup1"
name = "项目"
members = ["anna", "bert"]
[[groups]]
chatid = "wrGroup2"
members = ["wmCustomer1", "bert"]
[[messages]]
from = "anna"
group = "wrGroup2"
text = "later"
[[messages]]
from = "wmCustomer1"
to = ["anna"]
text = "您好"
ago = 3600
[[messages]]
from = "bert"
group = "wrGroup1"
msgtype = 2
ago = 60
"""


def load(folder: Path, text: str) -> Scene:
    path = folder / "scene.toml"
    path.write_text(text)
    return load_scene(path)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return load(tmp_path, SCENE)


def test_people_and_messages_of_a_scene_are_seen_by_app_and_program(start: StartEmulator, scene: Scene) -> None:
    emulator = start(scene=scene, messages=0)
    users = emulator.app_call("get_auth_user_list", {})["auth_user_list"]
    assert [user["userid"] for user in users] == ["anna", "bert"]
    group = emulator.sdk("get_group_chat", {"chatid": "wrGroup1"})
    assert group["creator"] == "anna"
    assert [member["memberid"] for member in group["members"]] == ["anna", "bert"]
    assert emulator.sdk("get_group_chat", {"chatid": "wrGroup2"})["errcode"] == 710624, "it holds a customer"
    messages = emulator.sdk("sync_msg", {})["msg_list"]
    shown = [
        (each["sender"]["id"], [receiver["id"] for receiver in each["receiver_list"]], each.get("chatid"))
        + (each["send_time"] - START, each["msgtype"])
        for each in messages
    ]
    assert shown == [
        ("wmCustomer1", ["anna"], None, -3600, 1),
        ("bert", ["anna"], "wrGroup1", -60, 2),
        ("anna", ["wmCustomer1", "bert"], "wrGroup2", 0, 1),
    ]


def test_messages_of_the_seed_come_on_top_and_stay_among_the_scenes_people(scene: Scene) -> None:
    chats = make_conversations(rng(), START, 200, scene)
    ids = {party.id for message in chats.messages for party in message.parties}
    assert ids == {"anna", "bert", "wmCustomer1", "wbRobot1"}
    assert len(chats.messages) == 203
    times = [message.send_time for message in chats.messages]
    assert times == sorted(times)
    assert times[0] > START - WINDOW_SECONDS


@pytest.mark.parametrize(
    "part",
    [
        '[[messages]]\nfrom = "zhangwei"\nto = ["lina"]\n',
        '[[employees]]\nuserid = "anna"\n',
        '[[customers]]\nid = "wmOnly"\n',
        "[[employees]]\nuserid = 'a'\n[[customers]]\nid = 'b'\n[[groups]]\nchatid = 'c'\nmembers = ['a', 'b']\n",
        "",
    ],
)
def test_a_list_that_is_left_out_is_made_from_the_seed(tmp_path: Path, start: StartEmulator, part: str) -> None:
    emulator = start(scene=load(tmp_path, part), messages=20)
    emulator.receive_events()
    world = emulator.platform.world
    chats = world.conversations[emulator.settings.corpid]
    assert all((chats.employees, chats.customers, chats.robots, chats.groups, chats.pairs))
    assert len(chats.messages) >= 20
    assert emulator.sdk("sync_msg", {"limit": 1000})["errcode"] == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[employees", "']]'"),
        ("x = [\n]]\n", ":2: not valid TOML"),
        ("\ufeff[[employees]]", "byte order mark"),
        ("[[employees]]\nname = 'x'\n", "userid"),
        ("[[people]]\n", "people"),
        ("[[customers]]\nid = 'a'\nalias = 'x'\n", "`alias` - at `$.customers[0]`"),
        ("[[robots]]\nid = 'a'\nname = 'x'\n", "`name` - at `$.robots[0]`"),
        ("[[employees]]\nuserid = 'a'\n[[customers]]\nid = 'a'\n", "'a' occurs twice"),
        ("[[groups]]\nchatid = 'g'\nmembers = ['a']\n", "groups[0].members"),
        ("[[groups]]\nchatid = 'g'\nmembers = ['a', 'a']\n", "groups[0].members"),
        ("[[messages]]\nfrom = 'a'\n", "messages[0]"),
        ("[[messages]]\nfrom = 'a'\nto = ['b']\ngroup = 'g'\n", "one of to and group - at `$.messages[0]`"),
        ("[[messages]]\nfrom = 'a'\nto = ['b']\nmsgtype = 29\n", "msgtype"),
        ("[[messages]]\nfrom = 'a'\nto = ['b']\nago = 432000\n", "ago"),
    ],
)
def test_a_scene_that_can_not_be_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path, text)
    assert str(tmp_path / "scene.toml") in str(raised.value)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[messages]]\nfrom = 'nobody'\nto = ['lina']\n", "nobody"),
        ("[[messages]]\nfrom = 'lina'\nto = ['nobody']\n", "nobody"),
        ("[[messages]]\nfrom = 'lina'\ngroup = 'nowhere'\n", "'nowhere'"),
        ("[[groups]]\nchatid = 'g'\nmembers = ['lina', 'nobody']\n", "nobody"),
        ("customers = [{id = 'a'}, {id = 'b'}]\n[[groups]]\nchatid = 'g'\nmembers = ['a', 'b']\n", "no employee"),
    ],
)
def test_a_scene_that_names_nobody_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_conversations(rng(), START, 0, load(tmp_path, text))


def settings(folder: Path, text: str, **given: object) -> EmulatorSettings:
    path = folder / "scene.toml"
    path.write_text(text)
    return read_settings(path, **given)


def test_an_emulator_without_settings_has_these() -> None:
    found = msgspec.structs.asdict(EmulatorSettings())
    assert {name: value for name, value in found.items() if isinstance(value, int | float)} == {
        **{"seed": 1, "messages": 500, "corps": 1, "machines": 1, "port": 8090, "agentid": 1000002},
        **{"connect_timeout": 3, "call_timeout": 10, "tokenless_pulls": 10, "knowledge_fragments": 3},
        **{"gone_errcode": 0, "route_notify_ids": True, "renew_notify_ids": True, "suite_doc_ticket": False},
        **{"authorised": True, "expired_errcode": 710726, "expiry_keeps_setup": False},
    }


@pytest.mark.parametrize("corps", [0, 21])
def test_an_emulator_has_1_to_20_corps(corps: int) -> None:
    with pytest.raises(ConfigurationError, match=f"corps: 1 to 20, not {corps}"):
        EmulatorSettings(corps=corps)
    assert EmulatorSettings(corps=20).corps == 20


def test_a_scene_has_settings_of_the_emulator_and_those_that_are_given_go_before_them(tmp_path: Path) -> None:
    text = "[emulator]\nseed = 7\napp_type = 'third'\ncall_timeout = 3\nallowed_hosts = ['a.example']\n"
    found = settings(tmp_path, text, seed=8)
    assert (found.seed, found.app_type, found.call_timeout, found.allowed_hosts) == (8, "third", 3.0, ("a.example",))
    assert found.scene is None, "people and messages are those of the seed, as without a scene"
    assert settings(tmp_path, f"{SCENE}\n[emulator]\nseed = 7").scene is not None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("corp = 2", "corp: unknown key; did you mean corps?"),
        ("corps = 'two'", "corps: Expected `int`, got `str`"),
        ("app_type = 'thrid'", "app_type: Invalid enum value 'thrid'"),
        ("secret = 's3cret'", "secret: a secret does not belong in this file"),
        *(
            (f"{name} = 's3cret'", f"{name}: a secret does not belong in this file: set WWSPEC_{name.upper()}")
            for name in ("callback_token", "encoding_aes_key", "command_token", "command_encoding_aes_key")
        ),
        ("contracts = {}", "contracts: unknown key; "),
    ],
)
def test_a_setting_that_can_not_be_is_refused_with_its_key(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings(tmp_path, f"[emulator]\n{row}\n")
    assert str(raised.value).startswith(f"{tmp_path / 'scene.toml'}: [emulator] {said}")
    assert "s3cret" not in str(raised.value)


def test_faults_of_a_scene_are_set_at_the_start_and_after_a_reset(tmp_path: Path, start: StartEmulator) -> None:
    text = "[[faults]]\non = 'sdk'\neffect = 'errcode'\nvalue = 45009\napi = 'sync_msg'\ncount = 1\n"
    emulator = start(faults=settings(tmp_path, text).faults)
    emulator.receive_events()
    for _ in range(2):
        assert emulator.sdk("sync_msg", {})["errcode"] == 45009
        assert emulator.sdk("sync_msg", {})["errcode"] == 0
        assert emulator.http.post("/emulator/reset").json()["errcode"] == 0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("on = 'sdk'\neffect = 'late'", "on sdk the effect is one of "),
        ("on = 'sdk'\neffect = 'drop'\napi = 'sync_mgs'", "the SDK has no API of this name; did you mean sync_msg?"),
        ("on = 'sdk'", "effect"),
    ],
)
def test_a_fault_of_a_scene_that_makes_no_sense_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^\[\[faults\]\] 1: ") as raised:
        create_app(settings(tmp_path, f"[[faults]]\n{row}\n"))
    assert said in str(raised.value)


def test_a_scene_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_scene(tmp_path / "missing.toml")
    with pytest.raises(ConfigurationError, match="is a folder"):
        load_scene(tmp_path)


@pytest.mark.slow  # a hundred thousand messages
def test_a_corp_has_up_to_a_hundred_thousand_messages(start: StartEmulator) -> None:
    emulator = start(messages=100_000)
    seen, cursor, more = 0, "", 1
    with_token = {"limit": 1000, "mode": 1, "token": emulator.event_token()}
    while more:
        answer = emulator.sdk("sync_msg", {**with_token, "cursor": cursor})
        seen += len(answer["page_id_list"]) * 1000
        cursor, more = answer["next_cursor"], answer["has_more"]
    assert seen == 100_000
    assert len(make_conversations(rng(), START, 1000, Scene()).messages) == 1000


def test_a_message_may_be_of_the_moment_of_the_start_and_is_never_of_a_later_one(tmp_path: Path) -> None:
    text = "[[messages]]\nfrom = 'lina'\nto = ['zhangwei']\nago = "
    [message] = make_conversations(rng(), START, 0, load(tmp_path, f"{text}0\n")).messages
    assert message.send_time == START
    with pytest.raises(ConfigurationError, match=r"\$\.messages\[0\]\.ago"):
        load(tmp_path, f"{text}-1\n")

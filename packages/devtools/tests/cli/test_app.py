"""`wwspec app check` walks a rollout, also with answers that no emulator gives: state, errcode, and what to do next."""

import json
from pathlib import Path

import httpx
import pytest

from tests.cli.wecom import Shell
from tests.client.scripted import Script, answer, reply
from tests.support.rsa_keys import new_rsa_key
from wwspec_client import RetryPolicy, ZoneClient
from wwspec_client.key_folder import KeyFolder
from wwspec_devtools.cli.app_check import Trial, walk
from wwspec_devtools.cli.wecom import WeCom
from wwspec_devtools.testing.zone import Zone

TOPICS = ["token", "scope", "members", "program", "debug", "ability", "keys", "callback"]


def test_a_rollout_without_a_fault_leaves_what_no_api_tells(shell: Shell, zone: Zone) -> None:
    KeyFolder(Path("keys")).make(1).set_registered()
    with zone.app_client() as client:
        client.set_public_key(KeyFolder(Path("keys")).keys[0].ring().public_key(), 1)
    code, lines = shell.lines("app", "check")
    assert code == 0
    assert list(lines) == TOPICS
    assert {topic for topic, line in lines.items() if not line.startswith("ok ")} == {"callback"}
    assert lines["scope"].startswith("ok internal and external chats, and voice calls, paid until 20")
    assert lines["members"] == "ok the chats of 20 are archived"
    assert lines["keys"] == "ok 500 messages are sealed with version 1; keys opens them"
    assert lines["callback"].startswith("look no API tells where events and notifications go: ")


def test_as_json_each_step_is_an_object(shell: Shell) -> None:
    done = shell("app", "check", "--json", WWSPEC_PROGRAM_ID="another")
    rows = {row["topic"]: row for row in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert list(rows) == TOPICS
    assert (rows["program"]["state"], rows["program"]["errcode"]) == ("fix", 790020)
    assert rows["program"]["text"].endswith(
        "; link the program with the app in the admin console, and check the program_id"
    )
    assert [rows[topic]["state"] for topic in ("debug", "ability", "keys")] == ["skip"] * 3


def test_without_an_access_token_nothing_else_is_tried(shell: Shell, zone: Zone) -> None:
    code, lines = shell.lines("app", "check", WWSPEC_CORPSECRET="another")
    assert code == 1
    assert list(lines) == ["token", "the rest"]
    assert lines["token"].endswith("; each app has its own; check WWSPEC_CORPID and the app's secrets")
    assert {each["name"] for each in zone.client.traffic(kind="app")} == {"gettoken"}
    _, lines = shell.lines("app", "check", WWSPEC_BASE_URL="http://127.0.0.1:1")
    assert lines["token"].endswith("; check WWSPEC_BASE_URL, the network and the proxy")


@pytest.mark.parametrize(
    ("api", "errcode", "topic", "said"),
    [
        ("get_corp_auth_info", 48002, "scope", "look WeCom does not tell it to this app (48002)"),
        ("get_corp_auth_info", 710651, "scope", "fix chatdata/get_corp_auth_info: WeCom refuses"),
        ("get_auth_user_list", 48002, "members", "fix chatdata/get_auth_user_list: WeCom refuses"),
        ("check_debug_mode", 710645, "debug", "fix chatdata/check_debug_mode: WeCom refuses"),
        ("invoke_sync_msg", 710674, "ability", "fix sync_call_program of invoke_sync_msg: WeCom refuses"),
        ("invoke_sync_msg", 710674, "keys", "skip needs sync_msg, since only messages show which key WeCom has"),
    ],
)
def test_a_step_that_wecom_refuses_says_so(
    shell: Shell, zone: Zone, api: str, errcode: int, topic: str, said: str
) -> None:
    side = "program" if api.startswith("invoke_") else "app"
    zone.client.add_fault(side, "errcode", api, errcode)
    code, lines = shell.lines("app", "check")
    assert lines[topic].startswith(said)
    assert code == any(line.startswith("fix ") for line in lines.values())


def test_an_archive_whose_time_is_over_is_to_be_renewed(shell: Shell, zone: Zone) -> None:
    zone.client.advance(400 * 86400)
    code, lines = shell.lines("app", "check")
    assert code == 1
    assert lines["scope"].startswith("fix internal and external chats, and voice calls, paid time over until ")
    assert lines["scope"].endswith(": let the corp's administrator renew it")


def test_an_ability_of_ones_own_is_called_as_asked(shell: Shell) -> None:
    own = ("app", "check", "--ability", "chat_digest", "--request")
    assert shell.lines(*own, '{"limit": 1}')[1]["ability"] == "ok the program answers chat_digest"
    code, lines = shell.lines(*own, '{"limit": "1"}')
    assert code == 1
    assert "790016" in lines["ability"]
    done = shell("app", "check", "--request", "{}")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, "Error: --request goes with --ability")


def test_the_keys_of_the_folder_are_compared_with_those_that_seal_messages(shell: Shell, zone: Zone) -> None:
    def keys(**variables: str) -> str:
        return shell.lines("app", "check", "--keys", "held", **variables)[1]["keys"]

    folder = KeyFolder(Path("held"))
    with zone.app_client() as client:
        client.set_public_key(new_rsa_key().public_key().export_key().decode(), 3)
    assert keys().startswith("look 500 messages are sealed with version 3; held has no key: name the folder ")
    file = folder.make(2, "sesame")
    file.set_registered()
    assert keys().endswith("its passphrase is another one; set WWSPEC_KEY_PASSPHRASE if the keys have one")
    known = {"WWSPEC_KEY_PASSPHRASE": "sesame"}
    assert keys(**known) == "fix 500 messages are sealed with version 3; held has version 2: put key-3.pem there"
    (folder.path / "key-3.unregistered").touch()
    file.path.rename(folder.path / "key-3.pem").chmod(0o644)
    lines = shell("app", "check", "--keys", "held", **known).stdout
    assert "another public key than the one that WeCom has under this version" in lines
    assert "version 3 in held is not registered: `wwspec keys new` or `rotate` goes on" in lines
    assert "held/key-3.pem can be read by others (mode 0644): chmod 600 held/key-3.pem" in lines


def test_a_third_party_app_names_its_suite(shell: Shell, tmp_path: Path) -> None:
    ticket = tmp_path / "ticket"
    ticket.write_text("emulator-suite-ticket\n")
    suite = {
        "WWSPEC_CORPSECRET": None,
        "WWSPEC_SUITE_ID": "emulator-suite",
        "WWSPEC_SUITE_SECRET": "emulator-suite-secret",
        "WWSPEC_PERMANENT_CODE": "emulator-permanent-code",
    }
    _, lines = shell.lines("app", "check", "--suite-ticket-file", ticket, **suite)
    assert lines["ability"] == "ok the program answers invoke_sync_msg"
    ticket.write_text("an older one\n")
    _, lines = shell.lines("app", "check", "--suite-ticket-file", ticket, **suite)
    assert "40085" in lines["token"]
    done = shell("app", "check", **suite)
    assert done.exit_code == 2
    assert "set WWSPEC_SUITE_TICKET (a secret may be in a file: WWSPEC_SUITE_TICKET_FILE)" in done.stderr
    suite["WWSPEC_CORPSECRET"] = "s3cret"
    assert shell("app", "check", "--suite-ticket-file", ticket, **suite).exit_code == 1


SCOPE = {"edition": 2, "status": 3, "end_time": 1806451200}
MEMBERS = [{"userid": "zhangwei", "edition_list": [2]}]
ANSWERS = {
    "scope": answer(auth_edition_list=[SCOPE]),
    "members": answer(auth_user_list=MEMBERS),
    "program": answer(log_level=2),
    "debug": answer(debug_mode_status=1),
    "call": reply(errcode=0, msg_list=[]),
}
"""In the order in which they are asked for."""


@pytest.mark.parametrize(
    ("topic", "answers", "said"),
    [
        ("scope", {}, "ok internal and external chats, paid until 2027-03-31"),
        ("scope", {"scope": answer()}, "fix the corp has authorised no chat archive: "),
        (
            "scope",
            {"scope": answer(auth_edition_list=[{"edition": 9, "status": 7, "begin_time": 1806451200}])},
            "look edition 9, from 2027-03-31: nothing is archived before that",
        ),
        (
            "scope",
            {"scope": answer(auth_edition_list=[SCOPE, {"edition": 1, "status": 2}])},
            "ok internal and external chats, paid until 2027-03-31; internal chats, trial over",
        ),
        ("members", {"members": answer()}, "fix no member's chats are archived: choose members in the admin console"),
        ("members", {"members": answer(auth_user_list=MEMBERS, has_more=1)}, "ok the chats of 1 or more are archived"),
        ("debug", {"debug": answer(debug_mode_status=2)}, "prod debug mode is open: calls and events go to the debug"),
        ("keys", {}, "look no message of the last 5 days shows which key WeCom has, and no API does; "),
        ("keys", {"call": reply(errcode=710659, errmsg="no key")}, "fix sync_call_program of invoke_sync_msg: "),
        ("ability", {"call": answer(800003)}, "fix sync_call_program of invoke_sync_msg: WeCom refuses with errcode"),
        (
            "keys",
            {"call": reply(has_more=1, msg_list=[{"service_encrypt_info": {"encrypted_secret_key": "x"}}])},
            "look 1 message is sealed with version 0; there are newer ones; ",
        ),
        ("program", {"program": httpx.Response(502)}, "fix chatdata/get_log_level: the answer has HTTP status 502"),
    ],
)
def test_an_answer_of_wecom_becomes_a_line(
    tmp_path: Path, topic: str, answers: dict[str, httpx.Response], said: str
) -> None:
    script = Script({**ANSWERS, **answers}.values())
    wecom = WeCom(corpid="corp", corpsecret="s3cret", program_id="program")
    trial = Trial("invoke_", "", "{}", None)
    with ZoneClient("corp", "s3cret", program_id="program", retries=RetryPolicy(1), transport=script) as client:
        found = {each.topic: f"{each.state} {each.text}" for each in walk(client, wecom, KeyFolder(tmp_path), trial)}
    assert found[topic].startswith(said)

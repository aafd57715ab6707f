"""What `wwspec app check` says of answers that the emulator does not give."""

from pathlib import Path

import httpx
import pytest

from tests.client.scripted import Script, answer, reply
from wwspec_client import RetryPolicy, ZoneClient
from wwspec_client.key_folder import KeyFolder
from wwspec_devtools.cli.app_check import Trial, walk
from wwspec_devtools.cli.wecom import WeCom

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


def walked(folder: Path, **answers: httpx.Response) -> dict[str, str]:
    """Walk over these answers; return the lines by topic."""
    script = Script({**ANSWERS, **answers}.values())
    wecom = WeCom(corpid="corp", corpsecret="s3cret", program_id="program")
    trial = Trial("invoke_", "", "{}", None)
    with ZoneClient("corp", "s3cret", program_id="program", retries=RetryPolicy(1), transport=script) as client:
        return {each.topic: f"{each.state} {each.text}" for each in walk(client, wecom, KeyFolder(folder), trial)}


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
    assert walked(tmp_path, **answers)[topic].startswith(said)

"""What the emulator keeps is bounded in bytes, and the oldest goes first."""

import io
import json
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.emulator.apis.conftest import SECOND_PROGRAM, EmulatedZone, zone as zone
from tests.support.emulator import Json, SealedProgram
from tests.support.rsa_keys import new_rsa_key
from tests.support.waiting import DEADLINE
from wwspec_devtools.child import Child
from wwspec_devtools.emulator.bounded import MIB
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.state import conversations, exports, jobs, tasks
from wwspec_devtools.emulator.state.knowledge import MAX_BYTES as KNOWLEDGE_BYTES
from wwspec_devtools.emulator.state.rules import MAX_BYTES as RULE_BYTES
from wwspec_devtools.testing.app import App


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> EmulatedZone:
    """A zone that keeps a sixteenth; what the emulator tells shows the true bounds."""
    for module in (conversations, exports, jobs, tasks):
        monkeypatch.setattr(module, "KEPT_BYTES", module.KEPT_BYTES // 16)
    return EmulatedZone()


def kept(zone: EmulatedZone, what: str) -> Json:
    found: Json = msgspec.to_builtins(zone.world.kept(zone.app)[what])
    assert found["bytes"] <= found["max_bytes"]
    return found


def resident_bytes(pid: int) -> int:
    """What a process has in memory."""
    [line] = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def exported(http: httpx.Client, info: Json, media_id: str) -> int:
    """Return the errcode of a program that lets an uploaded file be exported."""
    caller = {"ww-corpid": info["corpid"], "ww-agentid": str(info["agentid"])}
    asked = {"code": media_id, "media_id": media_id}
    answer = http.post("/emulator/sdk/create_chatdata_export_job", json=asked, headers=caller)
    return int(answer.json()["errcode"])


@pytest.mark.slow  # uploads and replies of hundreds of megabytes
def test_large_uploads_and_long_calls_stay_within_bounds(stack: ExitStack, tmp_path: Path) -> None:
    """Row 7: 10 uploads of 40 MiB and 300 calls of 85,000 CJK characters, by the memory of the process."""
    program = SealedProgram(stack)
    arguments = ["emulate", "--port", "0", "--messages", "10", "--program-url", program.url]
    emulator = Child(arguments, output=tmp_path / "log")
    stack.callback(emulator.stop)
    url = emulator.announced_url()
    with EmulatorClient(url) as client, httpx.Client(base_url=url, trust_env=False, timeout=DEADLINE) as http:
        program.key = http.get("/emulator/zone-key").content
        before = resident_bytes(emulator.process.pid)
        app = App(client)
        files = ((io.BytesIO(bytes([number]) * (40 * MIB)), f"{number}.doc") for number in range(10))
        uploads = [app.client.upload_media(file, name=name).media_id for file, name in files]
        media = client.info()["kept"]["media"]
        assert media["bytes"] <= media["max_bytes"] == 128 * MIB
        assert [exported(http, client.info(), media_id) for media_id in uploads] == [40145] * 7 + [0] * 3

        call = json.dumps({"text": "智" * 85_000}, ensure_ascii=False)
        for _ in range(300):
            assert app.call("echo", call).errcode == 0
        traffic = client.info()["kept"]["traffic"]
        assert traffic["bytes"] <= traffic["max_bytes"] == 128 * MIB
        assert traffic["entries"] < 500, "600 exchanges of 170,000 bytes or more on both sides are more than fit"
        numbers = [entry["number"] for entry in client.traffic(kind="call")]
        assert client.replay(numbers[-1]) == call
        with pytest.raises(EmulatorError, match="no call or event of this number"):
            client.replay(numbers[0] - 2)
        grown = resident_bytes(emulator.process.pid) - before
        assert grown < (128 + 128 + 128 + 96) * MIB, "uploads, exports, traffic, and some for what was on its way"


def test_results_of_jobs_are_bounded(small: EmulatedZone) -> None:
    result = json.dumps({"text": "x" * (9 * MIB // 16)})
    small.link()
    jobids = []
    for _ in range(10):
        small.program.reply = lambda call: _report(small, call, result)
        jobids.append(small.called("async_program_task")["jobid"])
    kept(small, "jobs")
    errcodes = [small.app_call("async_program_result", jobid=jobid)["errcode"] for jobid in jobids]
    assert errcodes == [40088] * 3 + [0] * 7
    assert small.app_call("async_program_result", jobid=jobids[-1])["response_data"] == result


def test_results_of_tasks_are_bounded(small: EmulatedZone) -> None:
    """Row 7: of a program's, and what WeCom's own say of ids that can't be read."""
    small.link()
    result = json.dumps({"text": "x" * (9 * MIB // 16)})
    small.program.reply = lambda call: _report(small, call, result)
    messages = small.talk("您好")
    jobids = [
        small.ok("create_program_task", program_id=SECOND_PROGRAM, ability_id="a", msg_list=messages)["jobid"]
        for _ in range(10)
    ]
    found = [small("get_program_task_result", jobid=jobid)["errcode"] for jobid in jobids]
    assert found == [40088] * 3 + [0] * 7
    unreadable = [{"msgid": "x" * (9 * MIB // 16), "encrypt_info": {"secret_key": ""}}]
    for _ in range(10):
        small.ok("create_summary_task", msg_list=unreadable)
    kept(small, "tasks")
    assert small.refused("get_program_task_result", jobid=jobids[-1]) == 40088


def test_exported_files_are_bounded(small: EmulatedZone) -> None:
    jobids = []
    for number in range(4):
        media_id = small.upload(f"{number}.txt", bytes([65 + number]) * (50 * MIB // 16))
        jobids.append(small.ok("create_chatdata_export_job", code=str(number), media_id=media_id)["jobid"])
    small.advance(3)
    assert kept(small, "exports")["entries"] == 2
    for jobid in jobids:
        assert small.ok("get_chatdata_export_job_status", jobid=jobid)["status"] == 3


def test_a_template_that_unpacks_to_more_than_a_file_may_have_is_refused(zone: EmulatedZone) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as document:
        document.writestr("word/document.xml", b"x" * (65 * MIB))
    jobid = zone.ok("create_chatdata_export_job", code="c", media_id=zone.upload("a.docx", packed.getvalue()))["jobid"]
    zone.advance(3)
    assert zone.ok("get_chatdata_export_job_status", jobid=jobid)["result_errcode"] == 45029


def test_codes_of_exports_are_bounded_whatever_their_length(zone: EmulatedZone) -> None:
    media_id = zone.upload("a.txt")
    for number in range(5):
        code = f"{number}" + "x" * (5 * MIB)
        zone.ok("create_chatdata_export_job", code=code, media_id=media_id)
        assert zone.refused("create_chatdata_export_job", code=code, media_id=media_id) == 42022
    assert kept(zone, "codes")["bytes"] < 10_000


def test_messages_said_are_bounded_and_the_oldest_leave_the_archive(small: EmulatedZone) -> None:
    """Row 7: cursors go on, and what is gone is unknown."""
    first = small.say("第一")
    seeded = small.chats.messages[0]
    start = small.ok("sync_msg", limit=1)["next_cursor"]
    for number in range(16):
        small.say(f"{number}" + "x" * (9 * MIB // 16))
    kept(small, "messages")
    assert small.chats.find(seeded.msgid) is None
    pulled = small.ok("sync_msg", cursor=start, limit=1000)
    assert [message["msgid"] for message in pulled["msg_list"]] == [each.msgid for each in small.chats.messages]
    assert pulled["has_more"] == 0
    assert len(pulled["msg_list"]) == 14
    ids = {message.msgid for message in small.chats.messages} | {first.msgid}
    assert small.say("最后").msgid not in ids, "numbers are not given twice"
    shown = small.ok("create_sentiment_task", msg_list=[small.key_of(first), *small.talk("好")])
    small.advance(2)
    results = small.ok("get_sentiment_result", jobid=shown["jobid"])["analyze_result_list"]
    assert [each.get("errcode", 0) for each in results if each["msgid"] == first.msgid] == [710601]
    found = small.ok("search_msg", query_word="最后")["msg_list"]
    assert len(found) == 1


@pytest.mark.slow  # 375,000 hits: 500 rules that 750 messages hit
def test_hits_are_bounded(zone: EmulatedZone) -> None:
    for number in range(500):
        zone.ok("create_rule", name=f"r{number}", keyword={"word_list": ["命中"]})
    messages = [zone.say("命中", parties=zone.customer_first) for _ in range(750)]
    zone.platform.wait_idle()
    assert kept(zone, "hits")["max_bytes"] == 32 * MIB
    pulled = [each["msgid"] for page in zone.pages("get_hit_msg_list", "msg_list", {"limit": 1000}) for each in page]
    assert 0 < len(pulled) < 750
    assert pulled == [message.msgid for message in messages[-len(pulled) :]]


def test_rules_are_bounded(zone: EmulatedZone) -> None:
    """Row 7: no rule is dropped, but no more are made."""
    assert RULE_BYTES == 16 * MIB
    large = {"external_contact": {"id_list": ["x" * (6 * MIB)]}}
    rule_id = ""
    for _ in range(2):
        rule_id = zone.ok("create_rule", name="r", keyword={"word_list": ["a"]}, applicable_range=large)["rule_id"]
    assert zone.refused("create_rule", name="r", keyword={"word_list": ["a"]}, applicable_range=large) == 710619
    larger = {"external_contact": {"id_list": ["x" * (11 * MIB)]}}
    assert zone.refused("update_rule", rule_id=rule_id, applicable_range=larger) == 710619
    zone.ok("delete_rule", rule_id=rule_id)
    zone.ok("create_rule", name="r", keyword={"word_list": ["a"]}, applicable_range=large)


@pytest.mark.slow  # hundreds of megabytes
def test_contents_of_knowledge_bases_are_bounded(zone: EmulatedZone) -> None:
    """Row 7: WeCom's own limits allow more than a machine has; a deleted knowledge base makes room."""
    assert KNOWLEDGE_BYTES == 64 * MIB

    def contents(number: int) -> list[Json]:
        url = f"https://a/{number}/{'x' * 900}"
        return [{"doc_name": "x" * 200, "type": 101, "web_url": f"{url}/{each}"} for each in range(1000)]

    answers = [zone("knowledge_base_create", kb_name="a", doc_list=contents(number)) for number in range(50)]
    errcodes = [answer["errcode"] for answer in answers]
    made = errcodes.index(790026)
    assert 25 < made < 50
    assert errcodes == [0] * made + [790026] * (50 - made)
    assert "64 MiB" in answers[-1]["errmsg"]
    zone.ok("knowledge_base_delete", kb_id=answers[0]["kb_id"])
    assert zone.refused("knowledge_base_detail", kb_id=answers[0]["kb_id"]) == 790034
    zone.ok("knowledge_base_create", kb_name="a", doc_list=contents(99))


def test_tickets_that_never_expire_are_bounded(zone: EmulatedZone) -> None:
    first = zone.event_token()
    tokens = [zone.event_token() for _ in range(60_000)]
    assert kept(zone, "event_tokens")["max_bytes"] == 16 * MIB
    assert zone.refused("sync_msg", token=first) == 40058
    zone.ok("sync_msg", token=tokens[-1])
    assert kept(zone, "notify_ids")["max_bytes"] == 16 * MIB


def test_sealed_keys_of_messages_are_bounded(zone: EmulatedZone) -> None:
    """Row 7: a key that made room is sealed again, to the same."""
    pem = new_rsa_key().public_key().export_key().decode()
    zone.app_call("set_public_key", public_key=pem, public_key_ver=1)
    pulled = zone.ok("sync_msg", limit=100)["msg_list"]
    assert kept(zone, "sealed_keys")["entries"] == 100
    assert kept(zone, "sealed_keys")["max_bytes"] == 64 * MIB
    assert zone.ok("sync_msg", limit=100)["msg_list"] == pulled


def test_the_emulator_tells_what_it_keeps(zone: EmulatedZone) -> None:
    assert kept(zone, "messages")["entries"] == 200
    bounds = {
        128: "traffic media exports messages",
        64: "jobs tasks sealed_keys",
        32: "codes hits",
        4: "page_logins frames",
    }
    bounds[16] = "event_tokens notify_ids logins"
    shown = {name: each.max_bytes for name, each in zone.world.kept(zone.app).items()}
    assert shown == {name: mib * MIB for mib, names in bounds.items() for name in names.split()}


def _report(zone: EmulatedZone, call: Any, result: str) -> str:
    """Report the result before the call is answered, as a program may."""
    zone.ok("program_async_job_call_back", {"errcode": 0, "result": result}, job_info=call.job_info)
    return "{}"

import io
import zipfile

import pytest

from tests.emulator.apis.conftest import EmulatedZone, Json
from wwspec_devtools.emulator.scene import Customer, Employee, Scene
from wwspec_devtools.emulator.state import corps, exports
from wwspec_devtools.emulator.state.conversations import CUSTOMER, Message

SECONDS = 3
"""Until a job is finished."""


def ended(zone: EmulatedZone, name: str, template: bytes) -> Json:
    """Let a template be filled and return what is said of the job when it has ended."""
    request = {"code": f"{name} {len(template)}", "media_id": zone.upload(name, template)}
    jobid = zone.ok("create_chatdata_export_job", request)["jobid"]
    zone.advance(SECONDS)
    return zone.ok("get_chatdata_export_job_status", jobid=jobid)


def export(zone: EmulatedZone, name: str, template: bytes) -> bytes:
    """Let a template be filled and return the file."""
    result_id = ended(zone, name, template)["result_id"]
    with zone.world.lock:
        content = zone.corp.exports.results.get(result_id)
    assert content is not None
    return content


def test_a_job_waits_runs_and_finishes_and_the_program_is_told(zone: EmulatedZone) -> None:
    jobid = zone.ok("create_chatdata_export_job", code="c1", media_id=zone.upload("a.txt"))["jobid"]
    seen = []
    for _ in range(SECONDS + 1):
        answer = zone.ok("get_chatdata_export_job_status", jobid=jobid)
        seen.append(answer["status"])
        assert ("result_id" in answer) == ("result_errcode" in answer) == (answer["status"] == 3)
        assert zone.events("chat_archive_export_finished") == ([{"jobid": jobid}] if answer["status"] == 3 else [])
        zone.advance(1)
    assert seen == [1, 2, 2, 3]


def test_99987_every_mark_of_a_template_is_filled(zone: EmulatedZone) -> None:
    customer = zone.chats.people.find(zone.chats.customers[0].id, CUSTOMER)
    assert customer is not None
    group = next(group for group in zone.chats.groups.values() if group.name and not group.internal)
    guest = next(member for member in group.members if member.type == CUSTOMER)
    person = zone.chats.people.find(guest.id, CUSTOMER)
    assert person is not None
    assert customer.alias not in ("", customer.name), "an employee has made a remark on him"
    message = zone.say("原文")
    secret = zone.world.app.keys.secret_key(message.msgid)
    template = (
        "$departmentName=2$ $userName=lina$ $userAlias=zhangwei$ $userAliasOrName=zhangwei$ "
        f"$chatName={group.chatid}$ $msgContent={message.msgid}/{secret}$ "
        f"$externalUserName={customer.party.id}$ $externalUserName={group.chatid}/{guest.id}$"
    )
    expected = f"销售部 李娜 David David {group.name} 原文 "
    expected += f"{customer.alias}({customer.name}) {person.alias}({person.name})"
    assert export(zone, "a.txt", template.encode()).decode() == expected


def test_99987_marks_that_are_wrong_stay_as_they_are(zone: EmulatedZone) -> None:
    template = b"$userName=nobody$ $unknown=1$ $chatName=wr-none$ $departmentName=x$ $departmentName=99$ $userName$"
    assert export(zone, "a.txt", template) == template


def content_of(zone: EmulatedZone, message: Message, secret: str = "") -> str:
    """Return what an export shows of a message."""
    mark = f"$msgContent={message.msgid}/{secret or zone.world.app.keys.secret_key(message.msgid)}$"
    return export(zone, f"{message.msgid}.txt", mark.encode()).decode()


SHOWN = """
[暂不支持的消息类型] 原文 [图片] [表情] URL [小程序] [语音] [视频] [文件] [名片]
[转发消息] [视频号] [日程] [红包] [地理位置] [快速会议] [待办] [投票] [在线文档] URL
原文[图片] [音频存档] [音视频通话] [微盘文件] 同意会话存档 拒绝会话存档 [群接龙] [markdown] [笔记]
""".split()
"""What is shown of a message, by its msgtype from 0."""


def test_99987_a_message_is_shown_by_its_kind_or_by_why_it_is_not(zone: EmulatedZone) -> None:
    said = [zone.say("原文", msgtype=msgtype) for msgtype in range(29)]
    shown = [content_of(zone, message).replace(f"https://example.com/{message.msgid}", "URL") for message in said]
    assert shown == SHOWN
    assert content_of(zone, zone.say("原文"), "wrong") == "消息密钥错误"
    assert export(zone, "a.txt", b"$msgContent=made-up/key$").decode() == "消息已过期，消息内容无法展示"


def test_99987_groups_without_a_name_and_who_is_no_customer_are_shown_as_such(zone: EmulatedZone) -> None:
    unnamed = [group for group in zone.chats.groups.values() if not group.name]
    names = [export(zone, f"{group.chatid}.txt", f"$chatName={group.chatid}$".encode()).decode() for group in unnamed]
    assert {group.internal: name for group, name in zip(unnamed, names, strict=True)} == {
        True: "未命名内部群",
        False: "未命名客户群",
    }
    group = zone.group(internal=False)
    stranger = next(customer for customer in zone.chats.customers if customer not in group.members)
    for number, value in enumerate(("wm-none", f"{group.chatid}/{stranger.id}", f"wr-none/{stranger.id}", "lina")):
        assert export(zone, f"{number}.txt", f"$externalUserName={value}$".encode()).decode() == "非企业客户"


def test_99987_an_alias_that_is_not_set_or_is_the_name_is_not_shown() -> None:
    zone = EmulatedZone(scene=Scene(employees=[Employee(userid="lina", name="李娜")]))
    filled = export(zone, "a.txt", b"$userAlias=lina$ $userAliasOrName=lina$").decode()
    assert filled == "$userAlias=lina$ 李娜"
    scene = Scene(
        employees=[Employee(userid="lina")],
        customers=[Customer(id="wm1", name="王", remark="王"), Customer(id="wm2", name="林")],
    )
    zone = EmulatedZone(scene=scene)
    for customer, name in (("wm1", "王"), ("wm2", "林")):
        assert export(zone, f"{customer}.txt", f"$externalUserName={customer}$".encode()).decode() == name


def test_the_text_inside_an_office_file_is_filled(zone: EmulatedZone) -> None:
    message = zone.say("a < b & c")
    secret = zone.world.app.keys.secret_key(message.msgid)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", f"<w:t>$msgContent={message.msgid}/{secret}$</w:t>")
        archive.writestr("picture.png", b"$userName=lina$")
    with zipfile.ZipFile(io.BytesIO(export(zone, "a.docx", file.getvalue()))) as archive:
        assert archive.read("word/document.xml").decode() == "<w:t>a &lt; b &amp; c</w:t>"
        assert archive.read("picture.png") == b"$userName=lina$"


@pytest.mark.parametrize(
    ("name", "template"), [("a.doc", b"$userName=lina$"), ("a.txt", b"\xff$userName=lina$"), ("a.xlsx", b"no archive")]
)
def test_a_file_that_is_not_understood_comes_back_as_it_was(zone: EmulatedZone, name: str, template: bytes) -> None:
    assert export(zone, name, template) == template


def test_99987_too_many_messages_or_too_large_a_file_fail_when_the_job_ends(zone: EmulatedZone) -> None:
    answer = ended(zone, "a.txt", b"$msgContent=a/b$" * 100_001)
    assert (answer["status"], answer["result_errcode"]) == (3, 710629)
    assert "result_id" not in answer
    message = zone.say("x" * 1024 * 1024)
    mark = f"$msgContent={message.msgid}/{zone.world.app.keys.secret_key(message.msgid)}$"
    for marks, errcode in [(64, 0), (65, 45029)]:
        assert ended(zone, "a.txt", mark.encode() * marks)["result_errcode"] == errcode


def test_99987_a_code_is_good_for_one_use_and_a_template_must_be_uploaded_and_known(zone: EmulatedZone) -> None:
    media_id = zone.upload("a.txt")
    zone.ok("create_chatdata_export_job", code="c", media_id=media_id)
    assert zone.refused("create_chatdata_export_job", code="c", media_id=media_id) == 42022
    assert zone.refused("create_chatdata_export_job", code="c", media_id="made-up") == 40145
    assert zone.refused("create_chatdata_export_job", code="c", media_id=zone.upload("a.pdf")) == 40058
    assert zone.refused("create_chatdata_export_job", code="", media_id="x") == 40063
    zone.advance(3 * 86400)
    assert zone.refused("create_chatdata_export_job", code="c", media_id=media_id) == 40145


def test_a_jobid_is_usable_for_a_day_after_the_end(zone: EmulatedZone) -> None:
    jobid = zone.ok("create_chatdata_export_job", code="c", media_id=zone.upload("a.txt"))["jobid"]
    zone.advance(SECONDS + 86400 - 1)
    zone.ok("get_chatdata_export_job_status", jobid=jobid)
    zone.advance(1)
    assert zone.refused("get_chatdata_export_job_status", jobid=jobid) == 40088
    assert zone.refused("get_chatdata_export_job_status", jobid="made-up") == 40088
    assert zone.refused("get_chatdata_export_job_status", jobid="") == 40063


def test_99987_a_corp_exports_1000_times_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exports.MAX_EXPORTS == 1000
    monkeypatch.setattr(corps, "MAX_EXPORTS", 50)
    zone = EmulatedZone()
    media_id = zone.upload("a.txt")
    for number in range(50):
        zone.ok("create_chatdata_export_job", code=str(number), media_id=media_id)
    assert zone.refused("create_chatdata_export_job", code="one more", media_id=media_id) == 45009
    zone.advance(86400)
    zone.ok("create_chatdata_export_job", code="tomorrow", media_id=media_id)

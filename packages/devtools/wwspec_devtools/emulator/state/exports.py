"""Chat exports: codes, jobs, the filling of templates, and what is shown in place of ids [99838, 99987].

A mark that can't be filled stays as it is. Text files are filled, and the XML inside docx and xlsx files; the old
formats doc and xls come back as they were. Not modelled: recalled messages, customer groups of other corps, schools.
The page says both that a mark with a wrong key or msgid stays as it is, and which text it becomes: the emulator writes
the text. Plain state: the caller holds the emulator's lock and brings the time.
"""

import hashlib
import html
import io
import random
import re
import zipfile
from collections.abc import Callable

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.conversations import CUSTOMER, Conversations, Group, Message

WAITING_SECONDS, RUNNING_SECONDS = 1, 2
JOBID_SECONDS = 86400
"""Seconds that a jobid stays usable after its job has finished."""

MAX_EXPORTS = 1000
"""The most exports a day."""

KEPT_BYTES = 128 * MIB
"""The most bytes of all filled files; the oldest are dropped."""
KEPT_JOBS = 10_000
KEPT_CODES = 100_000
"""The codes of a hundred days; older ones are forgotten, and count as fresh."""

MAX_MARKS = 100_000
MAX_FILE_BYTES = 64 * MIB

WAITING, RUNNING, FINISHED = 1, 2, 3
SUFFIXES = (".doc", ".docx", ".xls", ".xlsx", ".txt")

_ZIPPED = (".docx", ".xlsx")
_MARK = re.compile(
    r"\$(departmentName|userName|userAlias|userAliasOrName|chatName|msgContent|externalUserName)=([^$\s]{1,512})\$"
)

Fill = Callable[[str, str], str | None]
"""Returns the text for a mark's name and value; None leaves the mark."""


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """The job of one export."""

    agentid: int
    created: float
    errcode: int
    result_id: str
    """Empty when it failed."""

    @property
    def finished(self) -> float:
        """Unix seconds at which it ends."""
        return self.created + WAITING_SECONDS + RUNNING_SECONDS

    def status(self, now: float) -> int:
        """Return the `status` in an answer."""
        if now < self.created + WAITING_SECONDS:
            return WAITING
        return RUNNING if now < self.finished else FINISHED


class Exports:
    """The exports of one corp.

    Args:
        rng: Makes the ids.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._jobs = BoundedDict[str, Export](8 * MIB, KEPT_JOBS)
        self.codes = BoundedDict[bytes, None](32 * MIB, KEPT_CODES)
        """Those that were used, by digest, since a code may have any length."""
        self.results = BoundedDict[str, bytes](KEPT_BYTES)
        """The filled files, by result_id."""

    def use_code(self, code: str) -> None:
        """Use up a code. The chat component issues codes, and the emulator takes any: their age is not known.

        Raises:
            RefusedError: 42022.
        """
        if (key := _digest(code)) in self.codes:
            raise RefusedError(42022, "code")
        self.codes.put(key, None, 0)

    def add(self, agentid: int, content: bytes | None, errcode: int, now: float) -> tuple[str, Export]:
        """Start a job.

        Args:
            agentid: The app that starts it.
            content: The filled file; None when it could not be filled.
            errcode: Why it could not be filled.
            now: Unix seconds.

        Returns:
            Its jobid, and the job.
        """
        jobid = f"export_{self._rng.getrandbits(128):032x}"
        result_id = "" if content is None else f"result_{self._rng.getrandbits(128):032x}"
        if content is not None:
            self.results.put(result_id, content, len(content))
        job = Export(agentid=agentid, created=now, errcode=errcode, result_id=result_id)
        self._jobs.put(jobid, job, len(jobid) + len(result_id))
        return jobid, job

    def get(self, jobid: str, agentid: int, now: float) -> Export:
        """Return a job.

        Raises:
            RefusedError: 40088 when it is unknown or too old.
        """
        job = self._jobs.get(jobid)
        if job is None or job.agentid != agentid or now >= job.finished + JOBID_SECONDS:
            raise RefusedError(40088, "jobid")
        return job


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="surrogatepass")).digest()


def filled(name: str, content: bytes, fill: Fill) -> bytes:
    """Return a template with its marks filled.

    Raises:
        RefusedError: 710629 for too many messages, 45029 for a file that became too large.
    """
    result = content
    if name.endswith(_ZIPPED):
        result = _filled_zip(content, fill) or content
    elif name.endswith(".txt"):
        result = _filled_text(content, fill)
    if len(result) > MAX_FILE_BYTES:
        raise RefusedError(45029, f"the filled file: {MAX_FILE_BYTES} bytes")
    return result


def _filled_zip(content: bytes, fill: Fill) -> bytes | None:
    result = io.BytesIO()

    def fill_xml(name: str, value: str) -> str | None:
        text = fill(name, html.unescape(value))
        return None if text is None else html.escape(text, quote=False)

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
            if sum(member.file_size for member in old.infolist()) > MAX_FILE_BYTES:
                raise RefusedError(45029, f"the unpacked file: {MAX_FILE_BYTES} bytes")
            for member in old.infolist():
                data = old.read(member)
                new.writestr(member, _filled_text(data, fill_xml) if member.filename.endswith(".xml") else data)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None
    return result.getvalue()


def _filled_text(data: bytes, fill: Fill) -> bytes:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    if len(_MARK.findall(text)) > MAX_MARKS:
        raise RefusedError(710629, f"{MAX_MARKS} messages")

    room = MAX_FILE_BYTES

    def replace(mark: re.Match[str]) -> str:
        nonlocal room
        value = fill(mark[1], mark[2])
        room -= len(value or "")
        if room < 0:
            raise RefusedError(45029, f"the filled file: {MAX_FILE_BYTES} bytes")
        return mark[0] if value is None else value

    return _MARK.sub(replace, text).encode()


EXPIRED = "消息已过期，消息内容无法展示"
"""For a msgid that does not exist, or no longer."""
WRONG_KEY = "消息密钥错误"
NO_CUSTOMER = "非企业客户"

_IMAGE = "[图片]"
_UNNAMED_INTERNAL, _UNNAMED_CUSTOMERS = "未命名内部群", "未命名客户群"
_NAMES = {
    0: "暂不支持的消息类型",
    3: "表情",
    texts.MINI_PROGRAM: "小程序",
    texts.VOICE: "语音",
    7: "视频",
    texts.FILE: "文件",
    texts.CARD: "名片",
    10: "转发消息",
    11: "视频号",
    12: "日程",
    texts.RED_PACKET: "红包",
    14: "地理位置",
    15: "快速会议",
    16: "待办",
    17: "投票",
    texts.ONLINE_DOCUMENT: "在线文档",
    texts.AUDIO_ARCHIVE: "音频存档",
    texts.CALL: "音视频通话",
    texts.DRIVE_FILE: "微盘文件",
    26: "群接龙",
    texts.MARKDOWN: "markdown",
    28: "笔记",
}
"""The kinds that are shown by their names alone [99968]."""
_CONSENT = {texts.AGREE: "同意会话存档", texts.REFUSE: "拒绝会话存档"}
"""The texts of answers about consent. Which words the chat component has there is not known."""


def content_of(message: Message) -> str:
    """Return what is shown of a message's content. The emulator has no URLs: those of links are made from the msgid."""
    match message.msgtype:
        case texts.TEXT:
            return message.text
        case texts.IMAGE:
            return _IMAGE
        case texts.MIXED:
            return message.text + _IMAGE
        case texts.LINK | texts.ARTICLE:
            return f"https://example.com/{message.msgid}"
        case texts.AGREE | texts.REFUSE:
            return _CONSENT[message.msgtype]
        case _:
            return f"[{_NAMES[message.msgtype]}]"


def name_of_group(group: Group) -> str:
    """Return the name of a group, or what stands there for a group without a name."""
    return group.name or (_UNNAMED_INTERNAL if group.internal else _UNNAMED_CUSTOMERS)


def name_of_customer(chats: Conversations, customer: str) -> str:
    """Return a customer's name: behind an employee's remark on him, if there is one and it is another.

    Args:
        chats: Of the corp.
        customer: The external_userid; `CHATID/EXTERNAL_USERID` for the member of a group.
    """
    chatid, _, external_userid = customer.rpartition("/")
    person, group = chats.people.find(external_userid, CUSTOMER), chats.groups.get(chatid)
    if person is None or (chatid and (group is None or person.party not in group.members)):
        return NO_CUSTOMER
    return f"{person.alias}({person.name})" if person.alias not in ("", person.name) else person.name

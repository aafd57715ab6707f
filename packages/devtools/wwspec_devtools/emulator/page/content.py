"""What the frame shows of a message or a name, for a member who looks at it [100076].

WeCom's page has the attributes of the elements, and the errors of a login that has ended. Inferred are the errcodes and
the words in place of a message that can't be shown, which are those of a chat export [99987], and how much of a number
is masked.
"""

import re

import msgspec

from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted
from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.authorisations import CHAT
from wwspec_devtools.emulator.state.conversations import Conversations, Message
from wwspec_devtools.emulator.state.corps import Corp, Masking
from wwspec_devtools.emulator.state.documents import DOCUMENTS
from wwspec_devtools.emulator.state.exports import name_of_customer, name_of_group
from wwspec_devtools.emulator.state.page_logins import PageLogin
from wwspec_devtools.emulator.state.people import EMPLOYEE
from wwspec_devtools.emulator.state.rule_matching import BANK_CARD, ID_CARD, MOBILE
from wwspec_devtools.emulator.state.world import World

SHOWN_SECONDS = 90 * 86400
"""Seconds for which a message can be shown: the corp chooses, and this is the default [93221]."""

EXPIRED, WRONG_KEY, NO_RIGHT, UNKNOWN, MISSING = 710652, 710603, 48002, 710601, 710726

TYPES = {
    2: "图片",
    3: "表情",
    texts.VOICE: "语音",
    7: "视频",
    texts.CARD: "名片",
    10: "聊天记录",
    11: "视频号",
    12: "日程",
    texts.RED_PACKET: "红包",
    14: "位置",
    15: "快速会议",
    16: "待办",
    17: "投票",
    19: "图文",
    texts.AUDIO_ARCHIVE: "音频存档",
    texts.CALL: "音视频通话",
    texts.AGREE: "同意存档会话内容",
    texts.REFUSE: "不同意存档会话内容",
    26: "接龙",
    28: "笔记",
}
"""What is shown in brackets for the kinds that are not words alone."""
PREVIEWED = (2, 7, 10)
"""Kinds that open in a preview: image, video, forwarded messages."""
_PREVIEW = "v"
_TITLED = (texts.LINK, texts.MINI_PROGRAM, texts.FILE, texts.ONLINE_DOCUMENT, texts.DRIVE_FILE)


class AskedMessage(msgspec.Struct, frozen=True):
    """A `ww-open-message`."""

    msgid: str = ""
    secret_key: str = ""
    highlight: str = ""
    """A text whose words are highlighted."""


class AskedName(msgspec.Struct, frozen=True):
    """A `ww-open-data`."""

    type: str = ""
    openid: str = ""


def shown_message(world: World, app: App, login: PageLogin, asked: AskedMessage) -> Answer:
    """Return what a `ww-open-message` shows; needs the lock.

    Raises:
        RefusedError: The app may not show messages, or not this one.
    """
    position, message = _showable(world, app, world.corp(app).chats.position(asked.msgid))
    if asked.secret_key != app.keys.secret_key(message.msgid):
        raise RefusedError(WRONG_KEY, "secret-key: the key of the message in clear, opened with the app's private key")
    shown = _content(world.corp(app), message, login)
    if message.msgtype in PREVIEWED:
        shown["preview"] = world.marks.write(_PREVIEW, app.corpid, app.agentid, position)
    return accepted(**shown, words=asked.highlight.split())


def previewed_message(world: World, login: PageLogin, mark: str) -> Answer:
    """Return what the preview of a message shows; needs the lock.

    Args:
        world: The state.
        login: Who looks at it.
        mark: The `preview` of a shown message.

    Raises:
        RefusedError: There is no such preview, or the app may not show messages any more, or not this one.
    """
    numbers = world.marks.read(_PREVIEW, login.corpid, mark)
    if numbers is None:
        raise RefusedError(UNKNOWN, "there is no such preview")
    agentid, position = numbers
    app = world.accounts.app(login.corpid, agentid)
    _, message = _showable(world, app, position)
    return accepted(**_content(world.corp(app), message, login))


def _showable(world: World, app: App, position: int | None) -> tuple[int, Message]:
    """Return the position of a message that an app may show now, and the message.

    Raises:
        RefusedError: The app may not show messages, or not this one.
    """
    check_right(world, app)
    message = None if position is None else world.corp(app).chats.archive.get(position)
    if message is None or position is None:
        raise RefusedError(UNKNOWN, "message-id")
    if position < app.authorisation.first_message:
        raise RefusedError(UNKNOWN, "message-id: the message is from before the corp authorised the app again")
    if world.clock.now() > message.send_time + SHOWN_SECONDS:
        raise RefusedError(EXPIRED, "message-id")
    return position, message


def check_right(world: World, app: App) -> None:
    """Check that an app may show messages: what a corp grants, takes back or lets end; needs the lock.

    Raises:
        RefusedError: 48002 without the right to use the component, 48004 after a cancelled authorisation, 710726
            without data permission, or the errcode of the settings after its end.
    """
    settings, granted = world.settings, app.authorisation
    if not app.authorised or settings.app_type == "external":
        raise RefusedError(NO_RIGHT, "the app has no right to use the chat component")
    if not granted.is_installed:
        raise RefusedError(48004)
    if settings.app_type and not granted.has(CHAT, world.clock.now()):
        raise RefusedError(
            settings.expired_errcode if CHAT in granted.grants else MISSING, "the data permission of chats"
        )


def shown_name(world: World, app: App, asked: AskedName) -> Answer:
    """Return what a `ww-open-data` shows; needs the lock.

    Raises:
        RefusedError: 40058 for a type that there is not.
    """
    if asked.type not in _NAMES:
        raise RefusedError(40058, f"type: one of {', '.join(_NAMES)}")
    check_right(world, app)
    text = _NAMES[asked.type](world.corp(app).chats, asked.openid)
    return accepted(text=text, is_avatar=asked.type.endswith("Avatar"))


def _content(corp: Corp, message: Message, login: PageLogin) -> Answer:
    if message.msgid in corp.chats.recalled:
        return {"label": "", "text": "撤回了一条消息", "is_recalled": True}
    text = masked(message.text, corp.masking.get(login.userid, Masking()))
    label = TYPES.get(message.msgtype, "")
    if message.msgtype == texts.MIXED:
        text += "[图片]"
    return {
        "label": label,
        "text": text or ("" if label else "[不支持的消息]"),
        "is_titled": message.msgtype in _TITLED,
    }


def masked(text: str, masking: Masking) -> str:
    """Return a text with the numbers masked that a member must not see."""
    for hides, pattern in (
        (masking.hide_idcard, ID_CARD),
        (masking.hide_bankno, BANK_CARD),
        (masking.hide_mobile, MOBILE),
    ):
        if hides:
            text = pattern.sub(_stars, text)
    return text


def _stars(found: "re.Match[str]") -> str:
    number = found[0]
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"


def _user(chats: Conversations, userid: str) -> str:
    person = chats.people.find(userid, EMPLOYEE)
    return "" if person is None else person.name


def _chat(chats: Conversations, chatid: str) -> str:
    group = chats.groups.get(chatid)
    return "非企业客户群" if group is None else name_of_group(group)


def _file(_: Conversations, url: str) -> str:
    """Return the title of a document by its URL, whose last part is the emulator's docid."""
    document = DOCUMENTS.get(url.rstrip("/").rpartition("/")[2])
    return "链接错误" if document is None else document.name


_NAMES = {
    "userName": _user,
    "userAvatar": _user,
    "externalUserName": name_of_customer,
    "externalUserAvatar": name_of_customer,
    "chatName": _chat,
    "fileName": _file,
}

"""What an exported file shows in place of ids: of messages, groups and customers, by WeCom's tables [99987].

Not modelled: recalled messages, customer groups of other corps, and schools. The page says both that a mark with a
wrong key or msgid stays as it is, and which text it becomes: the emulator writes the text.
"""

from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.conversations import Group, Message
from wwspec_devtools.emulator.state.people import Person

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
"""As the chat component shows it: which words it has there is not known."""


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


def name_of_customer(person: Person) -> str:
    """Return a customer's name: behind an employee's remark on him, if there is one and it is another."""
    return f"{person.alias}({person.name})" if person.alias not in ("", person.name) else person.name

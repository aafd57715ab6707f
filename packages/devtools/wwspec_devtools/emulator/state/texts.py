"""The texts of the seeded messages by kind, and which kinds a search or an analysis reads.

A program never gets these texts [99824]. Searches, keyword rules and analyses work on them.
"""

import random

TEXT, IMAGE, LINK, MINI_PROGRAM, VOICE, FILE, CARD = 1, 2, 4, 5, 6, 8, 9
RED_PACKET, ONLINE_DOCUMENT, ARTICLE, MIXED, AUDIO_ARCHIVE, CALL, DRIVE_FILE = 13, 18, 19, 20, 21, 22, 23
AGREE, REFUSE, MARKDOWN = 24, 25, 27

SEARCHABLE = (TEXT, LINK, MINI_PROGRAM, FILE, ONLINE_DOCUMENT, MIXED, DRIVE_FILE)
"""Kinds that `search_msg` searches [99818]."""

ANALYSABLE = (TEXT, VOICE, AUDIO_ARCHIVE)
"""Kinds that the analysis tasks accept [99831]."""

SPOKEN = (VOICE, AUDIO_ARCHIVE)
"""Kinds whose text is a transcript."""

QR_CODE = "[二维码]"
"""The text of an image that shows a QR code; other images have none."""

_SAID = (
    "您好，请问这款产品现在有货吗？",
    "有货的，今天下单明天就能发出。",
    "谢谢，你们的服务非常好，我很满意！",
    "发票什么时候可以开？",
    "我想了解一下企业版的价格。",
    "报价单已经发您邮箱 sales@example.com 了，请查收。",
    "快递三天了还没到，太慢了，我要投诉。",
    "收到的东西是坏的，我要求退款。",
    "抱歉给您带来不便，我马上为您处理。",
    "明天上午十点开会讨论合同，可以吗？",
    "可以，那就明天见。",
    "我的手机号是 13800138000，方便时请联系我。",
    "收款账号是 6222020200112233446，请核对。",
    "身份证号码 11010519491231002X，请帮我登记。",
    "这个方案太好了，我们决定续签一年。",
    "客户对交货时间不满意，希望能提前。",
    "培训资料在哪里可以下载？",
    "优惠活动到本月底结束。",
    "请把合同发给法务审核。",
    "你们的售后真差，再也不买了。",
    "好的，收到。",
    "这个价格太贵了，能不能便宜一点？",
    "感谢支持，祝您生活愉快！",
    "系统登录不上去，麻烦看一下。",
)
_CONTENTS: dict[int, tuple[str, ...]] = {
    TEXT: _SAID,
    IMAGE: ("", QR_CODE, ""),
    LINK: ("新品发布会回顾", "企业版价格说明", "售后服务政策"),
    MINI_PROGRAM: ("企业商城", "预约报名", "发票助手"),
    VOICE: _SAID,
    FILE: ("报价单.xlsx", "服务合同.docx", "产品手册.pdf"),
    ONLINE_DOCUMENT: ("项目周报", "客户跟进表", "培训资料"),
    MIXED: ("这是收到的货物照片，外包装破损了。", "门店效果图请看，非常喜欢。"),
    AUDIO_ARCHIVE: _SAID,
    DRIVE_FILE: ("合同模板.docx", "客户名单.csv"),
    MARKDOWN: ("**本周目标**：完成十家客户回访",),
}

POSITIVE = ("谢谢", "满意", "太好了", "非常好", "喜欢", "感谢", "愉快", "great", "thanks", "love")
NEGATIVE = ("投诉", "退款", "太慢", "不满意", "太贵", "真差", "破损", "坏的", "terrible", "angry", "refund")
POLITICAL = ("涉政测试词", "emulator-political")
PORNOGRAPHIC = ("涉黄测试词", "emulator-porn")
"""Stand-ins: a message with one of them is found by the anti-spam check."""


def content(rng: random.Random, msgtype: int) -> str:
    """Return a text for a new message of a kind; empty for the kinds without words."""
    choices = _CONTENTS.get(msgtype)
    return rng.choice(choices) if choices else ""


def sentiment(text: str) -> int:
    """Return 0 for a neutral text, 1 for a positive one, 2 for a negative one [99831]."""
    lowered = text.lower()
    bad = sum(word in lowered for word in NEGATIVE)
    good = sum(word in lowered for word in POSITIVE) - ("不满意" in lowered)
    if good == bad:
        return 0
    return 1 if good > bad else 2


def spam(text: str) -> int:
    """Return 0 for a clean text, 1 for a political one, 2 for a pornographic one [100036]."""
    lowered = text.lower()
    if any(word in lowered for word in POLITICAL):
        return 1
    return 2 if any(word in lowered for word in PORNOGRAPHIC) else 0

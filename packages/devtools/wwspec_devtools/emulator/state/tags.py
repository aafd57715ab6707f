"""The customer tag groups of an emulated corp, and which of their tags fits a text.

They are the same for every seed: the APIs that list tag groups belong to the app's side, so programs need fixed ids.
"""

import msgspec


class Tag(msgspec.Struct, frozen=True):
    """A tag, and the words that suggest it."""

    tag_id: str
    name: str
    words: tuple[str, ...]


class TagGroup(msgspec.Struct, frozen=True):
    """Tags that exclude one another."""

    group_id: str
    name: str
    tags: tuple[Tag, ...]

    def fitting(self, text: str) -> Tag | None:
        """Return the tag with the most words in the text: the first of several, or None."""
        scores = [sum(text.count(word) for word in tag.words) for tag in self.tags]
        best = max(scores)
        return self.tags[scores.index(best)] if best else None


TAG_GROUPS = {
    group.group_id: group
    for group in (
        TagGroup(
            "et_emulator_intent",
            "购买意向",
            (
                Tag("et_emulator_intent_high", "高", ("续签", "下单", "合同", "决定")),
                Tag("et_emulator_intent_middle", "中", ("价格", "报价", "了解", "优惠")),
                Tag("et_emulator_intent_low", "低", ("不买", "太贵")),
            ),
        ),
        TagGroup(
            "et_emulator_topic",
            "关注点",
            (
                Tag("et_emulator_topic_delivery", "物流", ("快递", "交货", "发出", "包装")),
                Tag("et_emulator_topic_service", "售后", ("退款", "投诉", "售后", "坏的")),
                Tag("et_emulator_topic_price", "价格", ("价格", "报价", "优惠", "发票")),
            ),
        ),
    )
}
"""By group_id."""

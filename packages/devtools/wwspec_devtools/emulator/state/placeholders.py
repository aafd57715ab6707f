"""What fills the placeholders of a prompt or of an input contract [99875, 101373, 99985, 99988].

WeCom's pages name speakers A and B and no more, and do not say how many fragments of a knowledge base are taken: both
are settings of the emulator. Plain state: the caller holds the emulator's lock.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from wwspec_devtools.emulator.settings import Speakers
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE, ROBOT, Conversations, Message
from wwspec_devtools.emulator.state.documents import Excerpt
from wwspec_devtools.emulator.state.knowledge import XLSX, Content
from wwspec_devtools.emulator.state.tags import TagGroup

_ROLES = {EMPLOYEE: "员工", CUSTOMER: "客户", ROBOT: "机器人"}
"""The page shows the first two."""
_PLACEHOLDER = re.compile(r"\{(\w+|\$[^{}$]+\$)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders that have a value; other braces stay, also those inside of a value."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def chat(chats: Conversations, messages: Iterable[Message], speakers: Speakers, *, roles: bool) -> str:
    """Return `{chat}`: a line for each message, such as `A(员工)说：你好`, or `A说：你好` without roles."""
    names: dict[str, str] = {}
    lines = []
    for message in messages:
        sender = message.sender
        name = names.setdefault(
            sender.id, chats.people.name_of(sender) if speakers == "names" else _letters(len(names))
        )
        lines.append(f"{name}{f'({_ROLES[sender.type]})' if roles else ''}说：{message.text}")
    return "\n".join(lines)


def chat_content(messages: Iterable[Message]) -> str:
    """Return `{chatcontent}`: a line for each message, without who said it."""
    return "\n".join(message.text for message in messages)


def knowledge(contents: list[Content], messages: Iterable[Message], most: int, *, general: bool) -> str:
    """Return `{knowledge}`: a line for each of the nearest contents, such as `文档1：退货说明.pdf`.

    The emulator knows contents by name only. A table of questions and answers has one pair: its name as the question.

    Args:
        contents: Of the knowledge base, as far as it has learnt them.
        messages: What is compared with them.
        most: How many are taken.
        general: Whether a general model reads it; for an own model a pair is written in another way.
    """
    found = nearest(contents, chat_content(messages))[:most]
    return "\n".join(f"文档{number}：{_fragment(content, general)}" for number, content in enumerate(found, 1))


def nearest(contents: list[Content], text: str) -> list[Content]:
    """Return contents by similarity: those whose names have the most characters of the text first."""
    return sorted(contents, key=lambda content: -len(set(content.new.doc_name) & set(text)))


def tag_json(groups: Iterable[TagGroup]) -> str:
    """Return `{tagjson}`: tag groups with their tags, as JSON."""
    shown = [
        {
            "group_id": group.group_id,
            "group_name": group.name,
            "tag_list": [{"tag_id": tag.tag_id, "tag_name": tag.name} for tag in group.tags],
        }
        for group in groups
    ]
    return msgspec.json.encode({"tag_group": shown}).decode()


def doc_fragments(found: Iterable[Excerpt]) -> str:
    """Return `{doc_fragments}`: two lines for each fragment, its reference and its text."""
    return "\n".join(f"资料{number}[ref:{each.ref}]\n{each.text}" for number, each in enumerate(found, 1))


def _fragment(content: Content, general: bool) -> str:
    name = content.new.doc_name
    if content.new.type != XLSX:
        return name
    question, answer = name.rpartition(".")[0], f"见{name}"
    return f"问题：{question}, 回答：{answer}" if general else f"{question}：{answer}"


def _letters(number: int) -> str:
    """Return A to Z, AA, AB and so on."""
    before, last = divmod(number, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)

"""The results of the emulator's models for texts: moods, spam, tags, summaries, suggestions, answers.

They are plain rules instead of language models: the same messages give the same result.
"""

from typing import Any

from wwspec_devtools.emulator.answers import errmsg
from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.conversations import CUSTOMER, Message
from wwspec_devtools.emulator.state.knowledge import Content
from wwspec_devtools.emulator.state.placeholders import nearest
from wwspec_devtools.emulator.state.tags import TagGroup
from wwspec_devtools.emulator.state.tasks import MAX_CHARACTERS, ChosenMessages

QUICK_MODELS = ("hunyuan-quick", "deepseek-quick")
THINKING_MODELS = ("hunyuan-think", "deepseek-think")
GENERAL_MODELS = (*QUICK_MODELS, *THINKING_MODELS)
"""Ids of the general models; the first one answers when none is named."""

_QUOTED_CHARACTERS = 40


def moods(chosen: ChosenMessages) -> list[dict[str, Any]]:
    """Return the `analyze_result_list` of a sentiment task."""
    return _each(chosen, "sentiment_result", [texts.sentiment(message.text) for message in chosen.readable])


def findings(chosen: ChosenMessages) -> list[dict[str, Any]]:
    """Return the `analyze_result_list` of an anti-spam task."""
    return _each(chosen, "spam_result", [texts.spam(message.text) for message in chosen.readable])


def _each(chosen: ChosenMessages, field: str, results: list[int]) -> list[dict[str, Any]]:
    read = [
        {"errcode": 0, "errmsg": errmsg(0), "msgid": message.msgid, field: result}
        for message, result in zip(chosen.readable, results, strict=True)
    ]
    return [*read, *chosen.fail_list]


def fitting_tags(groups: list[TagGroup], messages: list[Message]) -> list[dict[str, str]]:
    """Return the `tag_result_list` of a tag task."""
    text = "\n".join(message.text for message in messages)
    fitting = [(group, group.fitting(text)) for group in groups]
    return [{"group_id": group.group_id, "tag_id": tag.tag_id} for group, tag in fitting if tag is not None]


def summary(chat: str, messages: list[Message]) -> str:
    """Return the numbers of people and messages, and the first, the first negative and the last line of the chat."""
    said = chat[:MAX_CHARACTERS].split("\n")
    speakers = len({message.sender.id for message in messages})
    upset = [line for line in said if texts.sentiment(line) == 2]
    points = dict.fromkeys([said[0], *upset[:1], said[-1]])
    return f"{speakers} 人共 {len(messages)} 条消息。" + "".join(f"\n- {_quote(line)}" for line in points)


def suggestion(base_name: str, contents: list[Content], messages: list[Message]) -> str:
    """Return an answer to the customer's last message, from the content with the most words in common."""
    asked = next((message for message in reversed(messages) if message.sender.type == CUSTOMER), messages[-1])
    if not contents:
        return f"您好，关于“{_quote(asked.text)}”，我为您核实后回复。"
    found = nearest(contents, asked.text)[0]
    return f"您好，关于“{_quote(asked.text)}”，请参考{base_name}中的《{found.new.doc_name}》。"


def answer(model_id: str, prompt: str, *, think: bool) -> str:
    """Return a general model's text: the prompt, after what it thought if that is wanted and it is a thinking model."""
    thought = f"<think>输入共 {len(prompt)} 个字符。</think>" if think and model_id in THINKING_MODELS else ""
    return f"{thought}[{model_id}] {prompt}"


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTED_CHARACTERS else text[: _QUOTED_CHARACTERS - 1] + "…"

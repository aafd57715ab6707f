"""A program that counts messages: own code on events that follows, keeps values and has a step.

A test watches it through files in the folder that the environment variable COUNTING names.
"""

import os
import threading
from pathlib import Path

from wwspec_contracts import sync_msg
from wwspec_contracts.events import conversation_new_message
from wwspec_router import Context, Contract, EventContext, Output, ability


class Ask(Contract):
    """Nothing is asked."""


class Total(Contract):
    messages: int = 0


class Counted(Output):
    messages: int = 0


def folder() -> Path:
    return Path(os.environ["COUNTING"])


def note(line: str) -> None:
    with (folder() / "notes").open("a") as file:
        file.write(f"{line}\n")


def write_invoice() -> int:
    note("step")
    return 1


def on_message(event: conversation_new_message.Event, ctx: EventContext) -> None:
    request = sync_msg.Request(token=event.conversation_new_message.token, limit=3)
    new = [each.msgid for page in ctx.follow(request, name="count") for each in page.msg_list]
    total = ctx.kept.get("total", Total) or Total()
    ctx.kept.set("total", Total(messages=total.messages + len(new)), unchanged=True)
    ctx.step("invoice", write_invoice)
    note(f"run {ctx.attempt}")
    while (folder() / "wait").exists():
        threading.Event().wait(0.01)


@ability
def counted(request: Ask, ctx: Context) -> Counted:
    total = ctx.kept.get("total", Total) or Total()
    return Counted(messages=total.messages)

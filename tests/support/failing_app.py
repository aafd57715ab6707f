"""An application whose code logs, prints, calls the SDK and fails: what the emulator is told of it is seen in tests."""

from pathlib import Path

from tests.support.apps import write_files

SHOP = """
import json
import logging
from threading import Event

from wwspec_router import AsyncContext, Context, Contract, EventContext, Output, ability
from wwspec_contracts.api import get_group_chat, sync_msg
from wwspec_contracts.events import hit_keyword

log = logging.getLogger("shop")
never = Event()

class Order(Contract):
    text: str = ""

class Sum(Output):
    sum: int = 0

class Late(Contract):
    text: str = ""

@ability
def total(request: Order, ctx: Context) -> Sum:
    log.warning("about to add %s", request.text)
    print("printed", "<img src=x onerror=alert(1)>")
    return Sum(sum=parsed(request.text))

def parsed(text: str) -> int:
    return int(json.loads(text))

@ability
async def later(request: Order, ctx: AsyncContext) -> Sum:
    print("no end", end="")
    log.info("in a task")
    return Sum(sum=parsed(request.text))

@ability
def stuck(request: Order) -> Sum:
    return Sum(sum=int(never.wait(1)))

@ability
def wrong(request: Order) -> Sum:
    return Sum(sum=request.text)

class Recent(Contract):
    limit: int = 1

@ability
def recent(request: Recent, ctx: Context) -> Sum:
    return Sum(sum=len(ctx.invoke(sync_msg.Request(limit=request.limit)).msg_list))

def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
    print("attempt", ctx.attempt)
    ctx.invoke(get_group_chat.Request(chatid="none"), check=False)
    ctx.notify(Late(text="soon"))
    raise ValueError("no such group <script>alert(1)</script>")
"""
REGISTRY = """
[abilities.total]
handler = "shop:total"
[abilities.later]
handler = "shop:later"
[abilities.stuck]
handler = "shop:stuck"
timeout = 0.1
[abilities.wrong]
handler = "shop:wrong"
[abilities.recent]
handler = "shop:recent"
[events.hit_keyword]
handler = "shop:on_hit"
retries = 1
notify = "never"
[notifications.late]
contract = "shop:Late"
"""


def failing_app(folder: Path) -> Path:
    return write_files(folder, {"shop.py": SHOP, "abilities/registry.toml": REGISTRY})

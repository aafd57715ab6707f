"""An application whose code logs, prints, calls the SDK and fails: what the emulator is told of it is seen in tests."""

from pathlib import Path

from tests.support.apps import write_files

SHOP = """
import json
import logging

from wwspec_router import AsyncContext, Context, Contract, EventContext, Output, ability
from wwspec_router.wecom.api import get_group_chat
from wwspec_router.wecom.events import hit_keyword

log = logging.getLogger("shop")


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
[events.hit_keyword]
handler = "shop:on_hit"
retries = 1
notify = "never"
[notifications.late]
contract = "shop:Late"
"""


def failing_app(folder: Path) -> Path:
    """Write the application, and return its folder."""
    return write_files(folder, {"shop.py": SHOP, "abilities/registry.toml": REGISTRY})

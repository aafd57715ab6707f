"""Handlers that say which release ran them, and wait while the test holds them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from wwspec_router import Contract, EventContext, Output, ability
from wwspec_router.wecom.events import conversation_new_message, hit_keyword, knowledge_base_learn_done


class Work(Contract):
    name: str


class Order(Contract):
    order_id: str
    sent_at: int = 0


class Done(Output):
    release: str = ""


class Handled(Contract):
    release: str


class Greeting(Contract):
    text: str


@contextmanager
def lifespan() -> Iterator[str]:
    yield os.environ["UPGRADE_RELEASE"]


def ran(name: str) -> str:
    """Note that something began, wait while the file `hold` is there, and return the release."""
    folder, release = Path(os.environ["UPGRADE_FOLDER"]), os.environ["UPGRADE_RELEASE"]
    with (folder / "begun").open("a") as file:
        file.write(f"{name} {release}\n")
    while (folder / "hold").exists():
        Event().wait(0.01)
    return release


@ability
def work(request: Work) -> Done:
    return Done(release=ran(request.name))


@ability
def place_order(request: Order) -> Done:
    return Done(release=ran(f"order-{request.order_id}"))


def on_hit(event: hit_keyword.Event) -> Handled:
    return Handled(release=ran("after"))


def on_new_message(event: conversation_new_message.Event) -> None:
    ran("now")


def on_learnt(event: knowledge_base_learn_done.Event, ctx: EventContext[str]) -> None:
    ran("never")
    if ctx.state == "old":
        raise RuntimeError("it is tried again later")

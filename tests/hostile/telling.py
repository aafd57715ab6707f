"""Handlers that fail with the secret of their request in the text of what they raise.

Copied into the application of the program whose log is searched.
"""

import asyncio
import threading
import time
import warnings

from wwspec_contracts import sync_msg
from wwspec_router import AbilityError, AsyncContext, Context, Contract, Output, ability


class Wish(Contract):
    name: str
    secret: str = ""


class Result(Output):
    text: str = ""
    numbers: list[int] = []


class Sore:
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __del__(self) -> None:
        raise ValueError(self.secret)

    def __repr__(self) -> str:
        return self.secret


def _fail(wish: Wish) -> Result:
    match wish.name:
        case "good":
            return Result(text=wish.secret)
        case "fail" | "fail under a number":
            raise AbilityError(wish.secret, errcode=None if wish.name == "fail" else 777)
        case "drop":
            Sore(wish.secret)
            return Result()
        case "warning":
            warnings.warn(wish.secret, UserWarning, stacklevel=1)
            return Result()
        case "misfit":
            return Result(numbers=[wish.secret])  # type: ignore[list-item]  # it must not fit
        case "group":
            raise ExceptionGroup(wish.secret, [ValueError(wish.secret)])
        case "chain":
            try:
                raise KeyError(wish.secret)
            except KeyError as error:
                raise RuntimeError(wish.secret) from error
        case "exit":
            raise SystemExit(wish.secret)
        case _:
            raise ValueError(wish.secret)


@ability
def fail(wish: Wish, ctx: Context) -> Result:
    if wish.name == "slow":
        time.sleep(0.5)
    if wish.name == "thread":
        thread = threading.Thread(target=_fail, args=(wish,), name=wish.secret)
        thread.start()
        thread.join()
        return Result()
    if wish.name == "ask":
        return Result(text=ctx.invoke(sync_msg.Request(cursor=wish.secret)).next_cursor)
    return _fail(wish)


@ability
async def fail_later(wish: Wish, ctx: AsyncContext) -> Result:
    if wish.name == "slow":
        await asyncio.sleep(60)
    if wish.name == "task":
        asyncio.get_running_loop().create_task(_fail_later(wish), name=wish.secret)
        await asyncio.sleep(0)
        return Result()
    if wish.name == "callback":
        asyncio.get_running_loop().call_soon(_fail, wish)
        await asyncio.sleep(0)
        return Result()
    if wish.name == "ask":
        return Result(text=(await ctx.invoke(sync_msg.Request(cursor=wish.secret))).next_cursor)
    return _fail(wish)


async def _fail_later(wish: Wish) -> Result:
    return _fail(wish)

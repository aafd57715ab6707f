"""A store whose methods are `async def`, as one over an asynchronous driver has them."""

from typing import Any

import anyio.lowlevel


class AsyncStore:
    """Calls the methods of a plain store."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if not callable(found):
            return found

        async def method(*arguments: Any, **named: Any) -> Any:
            await anyio.lowlevel.checkpoint()
            return found(*arguments, **named)

        return method

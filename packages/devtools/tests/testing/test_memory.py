"""An application in memory: started and stopped with its lifespan, called from any thread."""

import threading

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from tests.support.waiting import DEADLINE
from wwspec_devtools.testing.memory import MemoryServer


class App:
    """Answers /echo, and waits at /slow until it is cancelled."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.cancelled = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["path"] == "/echo":
            await send({"type": "http.response.start", "status": 201})
            await send({"type": "http.response.body"})
        else:
            try:
                await anyio.sleep_forever()
            finally:
                self.cancelled.set()

    async def lifespan(self, receive: Receive, send: Send) -> None:
        for moment in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{moment}"
            if self.fails_at == moment:
                await send({"type": f"lifespan.{moment}.failed", "message": "no"})
                raise ValueError(moment)
            await send({"type": f"lifespan.{moment}.complete"})


def test_a_client_that_hangs_up_ends_its_request() -> None:
    app = App()
    with MemoryServer(app, "the-app") as server:
        with pytest.raises(TimeoutError):
            server.request("GET", "/slow", [], b"", limit=0.05)
        assert app.cancelled.wait(DEADLINE)
        assert server.request("GET", "/echo", [], b"").status == 201


@pytest.mark.parametrize("moment", ["startup", "shutdown"])
def test_an_application_that_fails_at_its_start_or_stop_is_told_with_the_cause(moment: str) -> None:
    app = App(fails_at=moment)
    with pytest.raises(RuntimeError, match="could not be started or stopped") as raised, MemoryServer(app, "the-app"):
        pass
    assert isinstance(raised.value.__cause__, ValueError)
    assert "the-app" not in {each.name for each in threading.enumerate()}

"""What is answered beside the zone path, and over the ASGI protocol of the lifespan."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.serving.conftest import Program
from wwspec_router.serving.pages import Pages

Message = dict[str, Any]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow", "text"),
    [
        ("GET", "/healthz", 200, None, "ok\n"),
        ("HEAD", "/healthz", 200, None, ""),
        ("POST", "/healthz", 405, "GET, HEAD", "Method Not Allowed"),
        ("GET", "/readyz", 200, None, "ok\n"),
        ("DELETE", "/readyz", 405, "GET, HEAD", "Method Not Allowed"),
        ("GET", "/readyz/", 404, None, "Not Found"),
        ("GET", "/healthz?verbose", 200, None, "ok\n"),
        ("GET", "/other", 404, None, "Not Found"),
        ("TRACE", "/", 405, "POST", "the channel POSTs here\n"),
    ],
)
def test_each_page_answers_its_methods(
    start: Callable[..., Program], method: str, path: str, status: int, allow: str | None, text: str
) -> None:
    response = httpx.request(method, f"{start().url}{path}", trust_env=False)
    assert (response.status_code, response.headers.get("allow"), response.text) == (status, allow, text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_process_with_faults_is_not_ready_and_names_each() -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Pages(lambda: ["one", "two"], living)), base_url="http://program"
    ) as client:
        response = await client.get("/readyz")
        assert (response.status_code, response.text) == (503, "one\ntwo\n")
        assert (await client.get("/healthz")).status_code == 200


async def test_the_server_is_told_that_start_and_stop_are_complete() -> None:
    assert await messages(living) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(("moment", "told"), [("startup", 1), ("shutdown", 2)])
async def test_the_server_is_told_of_a_start_or_stop_that_fails(moment: str, told: int) -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        if moment == "startup":
            raise ValueError("no store")
        yield
        raise ValueError("no store")

    sent: list[str] = []
    with pytest.raises(ValueError, match="no store"):
        await messages(failing, sent)
    assert len(sent) == told
    assert sent[-1] == f"lifespan.{moment}.failed"


def test_a_served_program_imports_no_web_framework() -> None:
    code = "import sys, wwspec_router.serving.server; print(*(each for each in sys.modules if 'starlette' in each))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["starlette", "starlette.types"]


@asynccontextmanager
async def living() -> AsyncIterator[None]:
    yield


async def messages(lifespan: Any, sent: list[str] | None = None) -> list[str]:
    """Return the types of what a server is sent from the start of an application to its stop."""
    sent = [] if sent is None else sent

    async def receive() -> Message:
        return {"type": "lifespan"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await Pages(list, lifespan)({"type": "lifespan"}, receive, send)
    return sent

"""A receiver where apps put it, with the emulator as WeCom."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from tests.client.notify.stand import AES_KEY, CALLBACK, TOKEN, async_app_client, serve_wsgi
from tests.support.apps import ROOT
from tests.support.emulator import free_socket, running, url_of
from tests.support.waiting import wait_until
from wwspec_client import AsyncNotifyReceiver, NotifyEvent, NotifyReceiver
from wwspec_contracts.events import conversation_new_message, hit_keyword
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.zone import Zone

RECEIVER: dict[str, Any] = {**CALLBACK, "receive_id": EmulatorSettings().corpid}


@contextmanager
def zone_that_calls(url: str) -> Iterator[Zone]:
    """A zone whose emulator brings notifications to a URL."""
    callback: dict[str, Any] = {"callback_url": url, "callback_token": TOKEN, "encoding_aes_key": AES_KEY}
    with Zone.in_process(ROOT, **callback) as zone:
        yield zone


def check(zone: Zone, events: list[NotifyEvent]) -> None:
    """Let WeCom verify the URL and send two events."""
    assert zone.client.verify_callback()
    zone.fire("hit_keyword")
    zone.fire("conversation_new_message")
    wait_until(lambda: len(events) == 2)
    assert {type(event.data) for event in events} == {hit_keyword.Event, conversation_new_message.Event}
    wait_until(lambda: [each["state"] for each in zone.client.notifications()] == ["delivered"] * 2)


@pytest.mark.parametrize("place", ["alone", "route", "mount"])
def test_an_event_reaches_an_app_by_asgi(place: str) -> None:
    events: list[NotifyEvent] = []

    async def handler(event: NotifyEvent) -> None:
        events.append(event)

    path = f"/hooks/wecom{'/' if place == 'mount' else ''}"
    with free_socket() as port, zone_that_calls(f"{url_of(port)}{path}") as zone:
        receiver = AsyncNotifyReceiver(async_app_client(zone), handler, **RECEIVER)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with receiver:
                yield

        routes = {"route": Route("/hooks/wecom", receiver), "mount": Mount("/hooks/wecom", receiver)}
        app: Any = receiver if place == "alone" else Starlette(routes=[routes[place]], lifespan=lifespan)
        with running(uvicorn.Server(uvicorn.Config(app, log_config=None)), port):
            check(zone, events)


def test_an_event_reaches_an_app_by_wsgi(stack: ExitStack) -> None:
    events: list[NotifyEvent] = []
    receivers: list[NotifyReceiver] = []
    url = serve_wsgi(lambda *request: receivers[0](*request), stack) + "/callback"
    with zone_that_calls(url) as zone, zone.app_client() as client:
        receivers.append(NotifyReceiver(client, events.append, **RECEIVER))
        with receivers[0]:
            check(zone, events)

"""Events by a loop instead of a handler."""

import asyncio
from typing import Any

import pytest

from tests.client.notify.stand import Stand
from tests.client.notify.test_receiver import HIT
from wwspec_client import NotifyReceiver
from wwspec_contracts.errors import ConfigurationError


def test_a_loop_gets_events_and_that_at_which_it_ended_again() -> None:
    with Stand("wsgi", [HIT], handler=None) as stand:
        receiver = stand.receiver
        assert isinstance(receiver, NotifyReceiver)
        for notify_id in ("n1", "n2"):
            stand.notify(notify_id)
        seen = []
        for event in receiver.events():
            seen.append(event.notify_id)
            if len(seen) == 2:
                break
        assert sorted(seen) == ["n1", "n2"]
        assert next(receiver.events()).notify_id == seen[1]


def test_an_async_loop_gets_events_until_the_receiver_stops() -> None:
    with Stand("asgi", [HIT], handler=None) as stand:
        receiver: Any = stand.receiver
        for notify_id in ("n1", "n2"):
            assert stand.notify(notify_id).status_code == 200

        async def first_two() -> list[str]:
            events = receiver.events()
            return sorted([(await anext(events)).notify_id for _ in range(2)])

        assert stand.call(first_two) == ["n1", "n2"]

    async def next_event() -> None:
        await anext(receiver.events())

    with pytest.raises(ConfigurationError, match="start the receiver"):
        asyncio.run(next_event())


def test_a_loop_beside_a_handler_is_refused() -> None:
    with Stand("wsgi", [HIT]) as stand:
        assert isinstance(stand.receiver, NotifyReceiver)
        with pytest.raises(ConfigurationError, match="without a handler"):
            next(stand.receiver.events())

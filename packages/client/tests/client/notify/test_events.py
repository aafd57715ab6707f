"""Events by a loop instead of a handler."""

import time

import httpx
import pytest

from tests.client.notify.stand import AES_KEY, CLIENT, CORPID, CRYPTO, TOKEN, OnThread, Stand
from tests.client.notify.test_receiver import HIT
from tests.client.scripted import Script
from wwspec_client import AsyncNotifyReceiver, AsyncZoneClient, NotifyReceiver
from wwspec_contracts.callbacks import write_xml
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


async def test_an_async_loop_gets_events_until_the_receiver_stops() -> None:
    client = AsyncZoneClient(**CLIENT, transport=OnThread(Script([HIT])))
    receiver = AsyncNotifyReceiver(client, token=TOKEN, encoding_aes_key=AES_KEY, receive_id=CORPID)
    transport = httpx.ASGITransport(app=receiver)
    async with receiver, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        for notify_id in ("n1", "n2"):
            encrypted = CRYPTO.encrypt(write_xml({"Event": "program_notify", "NotifyId": notify_id}))
            query = CRYPTO.query(int(time.time()), encrypted)
            assert (await http.post("/", params=query, content=write_xml({"Encrypt": encrypted}))).status_code == 200
        got = []
        async for event in receiver.events():
            got.append(event.notify_id)
            if len(got) == 2:
                break
    assert sorted(got) == ["n1", "n2"]
    with pytest.raises(ConfigurationError, match="start the receiver"):
        await anext(receiver.events())


def test_a_loop_beside_a_handler_is_refused() -> None:
    with Stand("wsgi", [HIT]) as stand:
        assert isinstance(stand.receiver, NotifyReceiver)
        with pytest.raises(ConfigurationError, match="without a handler"):
            next(stand.receiver.events())

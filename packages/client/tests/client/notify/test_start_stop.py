"""The receiver and the suite for an event loop, started and stopped by functions that run in tasks of their own."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import anyio
import pytest

from tests.client.notify.stand import AES_KEY, CALLBACK, CLIENT, CORPID, CRYPTO, TOKEN, sealed
from tests.support.waiting import DEADLINE
from wwspec_client import AsyncNotifyReceiver, AsyncSuite, AsyncZoneClient, SuiteEvent
from wwspec_client.models import HttpAnswer
from wwspec_client.stores import MemoryInstallationStore, SqlitePendingStore
from wwspec_contracts.callbacks import Callback, CallbackCrypto, write_xml
from wwspec_contracts.errors import ConfigurationError


async def post(receiver: AsyncNotifyReceiver, crypto: CallbackCrypto, **fields: str) -> HttpAnswer:
    query, body = sealed(write_xml(fields), crypto)
    return await receiver.handle_request("POST", urlencode(query), body)


async def test_a_receiver_works_from_start_to_stop_in_whichever_tasks_these_are_called() -> None:
    others: asyncio.Queue[Callback] = asyncio.Queue()

    with anyio.fail_after(DEADLINE):
        client = AsyncZoneClient(**CLIENT)
        receiver = AsyncNotifyReceiver(client, **CALLBACK, receive_id=CORPID, on_other=others.put)
        await receiver.stop()
        for number in range(2):
            await asyncio.create_task(receiver.start())
            await receiver.start()
            assert receiver.problems() == []
            assert (await post(receiver, CRYPTO, MsgType="text", MsgId=f"{number}")).status == 200
            assert (await others.get()).fields["MsgId"] == f"{number}"
            await asyncio.create_task(receiver.stop())
            assert (await post(receiver, CRYPTO, MsgType="text", MsgId="late")).status == 503
        await client.aclose()
    assert others.empty()


async def test_a_store_that_can_not_be_opened_is_an_error_of_start() -> None:
    with anyio.fail_after(DEADLINE):
        async with AsyncZoneClient(**CLIENT) as client:
            store = SqlitePendingStore("/nowhere/pending.db")
            receiver = AsyncNotifyReceiver(client, **CALLBACK, receive_id=CORPID, on_other=print, store=store)
            with pytest.raises(ConfigurationError, match="/nowhere"):
                await receiver.start()
            await receiver.stop()


async def test_a_suite_works_from_start_to_stop() -> None:
    events: asyncio.Queue[SuiteEvent] = asyncio.Queue()

    with anyio.fail_after(DEADLINE):
        given: dict[str, Any] = {"installations": MemoryInstallationStore(), "provider_corpid": "provider"}
        suite = AsyncSuite("suite", "secret", **CALLBACK, **given, on_event=events.put)
        await asyncio.create_task(suite.start())
        crypto = CallbackCrypto(TOKEN, AES_KEY, "suite")
        assert (await post(suite.commands, crypto, SuiteId="suite", InfoType="new")).status == 200
        assert (await events.get()).info_type == "new"
        await asyncio.create_task(suite.stop())
        assert suite.commands.problems() == ["the receiver is not started in this process"]
        await AsyncSuite("suite", "secret", installations=MemoryInstallationStore()).stop()

"""`SqlKeyStore`: each corp has its own private keys, which all machines share."""

from typing import Any, cast

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.client.sql.conftest import ENGINES
from tests.client.sql.test_installations import Backwards, dump
from wwspec_client.keys import KeyRing, new_pem
from wwspec_client.sql import SqlKeyStore
from wwspec_contracts.errors import StoreError
from wwspec_devtools.testing.stores.rig import Loop


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_each_corp_of_each_app_has_keys_of_its_own_until_it_is_forgotten(engine: Engine | AsyncEngine) -> None:
    with Loop.running() as run:
        store, other = SqlKeyStore(engine), SqlKeyStore(engine, name="other")
        first, second = new_pem(), new_pem()
        assert run(store.ring("corp")).versions == ()
        assert [run(store.add("corp", version, first)) for version in (1, 1_800_000_000, 1)] == [True, True, False]
        run(store.add("Corp", 2, second))
        run(other.add("corp", 3, second))
        assert run(store.ring("corp")).versions == (1, 1_800_000_000)
        assert run(store.ring("corp")).fingerprint(1) != run(store.ring("Corp")).fingerprint(2)
        run(cast(Any, store.forget("corp")))
        assert [run(each.ring("corp")).versions for each in (store, other)] == [(), (3,)]
        assert run(store.ring("Corp")).versions == (2,)
        if isinstance(engine, AsyncEngine):
            run(cast(Any, engine.dispose()))


def test_keys_are_sealed_at_rest_and_read_with_the_same_cipher_only(database: Engine) -> None:
    store, pem = SqlKeyStore(database, cipher=Backwards()), new_pem()
    store.add("corp", 1, pem)
    assert "PRIVATE" not in dump(database)
    with database.connect() as connection:
        assert store.ring("corp", connection).versions == (1,)
    with pytest.raises(StoreError, match="a private key is sealed: give the store the cipher="):
        SqlKeyStore(database).ring("corp")


class Counting(Backwards):
    """Counts what it unseals."""

    unsealed = 0

    def decrypt(self, token: bytes) -> bytes:
        self.unsealed += 1
        return super().decrypt(token)


def test_a_key_is_unsealed_and_parsed_once_for_each_version(database: Engine) -> None:
    cipher = Counting()
    store = SqlKeyStore(database, cipher=cipher)
    seen = []
    for version in (2, 1):
        store.add("corp", version, new_pem())
        seen += [(cast(KeyRing, store.ring("corp")).versions, cipher.unsealed) for _ in range(3)]
    assert seen == [((2,), 1)] * 3 + [((1, 2), 2)] * 3
    store.forget("corp")
    assert cast(KeyRing, store.ring("corp")).versions == ()

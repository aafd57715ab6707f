"""`SqlInstallationStore` on each database, plain and sealed."""

import base64
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.client.sql.conftest import with_each_engine
from wwspec_client.sql import SqlInstallationStore
from wwspec_client.stores import Installation, InstallationStore
from wwspec_contracts.errors import StoreError
from wwspec_devtools.testing.stores import InstallationStoreSuite

SECRET = Installation(suite_id="suite", corpid="corp", permanent_code="the-permanent-code", corp_name="Name")


class Backwards:
    """A cipher that anybody can undo, and that knows what it has sealed."""

    def encrypt(self, data: bytes) -> bytes:
        return b"\xff" + data[::-1]

    def decrypt(self, token: bytes) -> bytes:
        if not token.startswith(b"\xff"):
            raise ValueError(f"not mine: {token!r}")
        return token[:0:-1]


@with_each_engine("kind", "plain", "sealed")
class TestSqlInstallationStore(InstallationStoreSuite):
    @pytest.fixture
    def open_store(self, engine: Engine | AsyncEngine, kind: str) -> Callable[[], SqlInstallationStore]:
        return partial(SqlInstallationStore, engine, cipher=Backwards() if kind == "sealed" else None)


def dump(engine: Engine) -> str:
    """Return all secrets that are stored."""
    with engine.connect() as connection:
        tables = ("wwspec_installations", "wwspec_suite_tickets", "wwspec_tokens", "wwspec_keys")
        return str([connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables])  # noqa: S608 - names


def test_with_a_cipher_no_secret_is_stored_as_it_is(database: Engine) -> None:
    plain, sealed = (SqlInstallationStore(database, cipher=cipher) for cipher in (None, Backwards()))
    for store, is_plain in ((plain, True), (sealed, False)):
        before = store.find("suite", "corp")
        assert before is None or isinstance(before, Installation)
        assert store.replace(before, SECRET)
        store.save_ticket("suite", "the-ticket", 1.0)
        found = dump(database)
        shown = [secret in found for secret in ("the-permanent-code", "the-ticket")]
        assert shown == [is_plain] * 2
        assert "Name" in found
    hidden = base64.b64encode(b"\xff" + b"the-permanent-code"[::-1]).decode()
    assert f"sealed:{hidden}" in dump(database)
    assert sealed.find("suite", "corp") == SECRET
    assert sealed.ticket("suite") == "the-ticket"


def test_what_was_stored_without_a_cipher_is_read_with_one(database: Engine) -> None:
    SqlInstallationStore(database).replace(None, SECRET)
    assert SqlInstallationStore(database, cipher=Backwards()).find("suite", "corp") == SECRET


def test_a_cipher_that_is_missing_or_another_one_is_named_and_no_secret_is(database: Engine) -> None:
    class Other(Backwards):
        def decrypt(self, token: bytes) -> bytes:
            return super().decrypt(token[1:])

    SqlInstallationStore(database, cipher=Backwards()).replace(None, SECRET)
    fix = "give the store the cipher= that it was stored with"
    with pytest.raises(StoreError, match=f"^a permanent code is sealed: {fix}$"):
        SqlInstallationStore(database).find("suite", "corp")
    with pytest.raises(StoreError, match=rf"^a permanent code can't be unsealed \(ValueError\): {fix}$") as caught:
        SqlInstallationStore(database, cipher=Other()).find("suite", "corp")
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__context__ is None, "the text of the cipher's error may have the secret"


def test_fernet_of_cryptography_is_a_cipher(database: Engine) -> None:
    from cryptography.fernet import Fernet

    store: InstallationStore = SqlInstallationStore(database, cipher=Fernet(Fernet.generate_key()))
    store.replace(None, SECRET)
    assert store.find("suite", "corp") == SECRET
    assert "the-permanent-code" not in dump(database)

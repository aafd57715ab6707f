"""The app's private keys in the app's database: each corp has its own, and all machines share them."""

from collections.abc import Awaitable
from functools import lru_cache, partial
from typing import overload

from sqlalchemy import ColumnElement, Connection, Engine, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wwspec_client.keys import KeyRing, joined
from wwspec_client.sql.database import Database, insert_new
from wwspec_client.sql.suites import Cipher, check_cipher, seal, unseal
from wwspec_client.sql.tables import KEYS
from wwspec_contracts.errors import ConfigurationError

_KEPT_KEYS = 4096
"""Keys that stay in memory, a few KiB each: to read one from its PEM takes more time than to decrypt with it."""


class SqlKeyStore:
    """Keeps the private keys of each corp in the table `wwspec_keys`; for `ProviderApp`, which makes them.

    Args:
        engine: An engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB. With an async one, methods return
            awaitables.
        name: Keeps the keys of apps apart that share the table.
        cipher: Seals private keys at rest, such as a `Fernet` of the package cryptography.

    Raises:
        ConfigurationError: `engine` is not an engine, or the name is too long.

    Examples:
        >>> import sqlalchemy
        >>> from Crypto.PublicKey import RSA
        >>> from wwspec_client.sql import SqlKeyStore, create_tables
        >>> engine = sqlalchemy.create_engine("sqlite:///keys.db")
        >>> with engine.begin() as connection:
        ...     create_tables(connection)
        >>> store = SqlKeyStore(engine)
        >>> store.add("corp", 1, RSA.generate(2048).export_key().decode())
        True
        >>> store.ring("corp")
        KeyRing(versions=[1])
    """

    def __init__(self, engine: Engine | AsyncEngine, *, name: str = "keys", cipher: Cipher | None = None) -> None:
        if not 0 < len(name.encode()) <= 64:
            raise ConfigurationError("name has 1 to 64 bytes")
        self._database = Database(engine, KEYS)
        self._name = name
        self._cipher = check_cipher(cipher)
        self._opened = lru_cache(_KEPT_KEYS)(self._open)

    @overload
    def ring(self, corpid: str, connection: None = None) -> KeyRing | Awaitable[KeyRing]: ...

    @overload
    def ring(self, corpid: str, connection: Connection) -> KeyRing: ...

    @overload
    def ring(self, corpid: str, connection: AsyncConnection) -> Awaitable[KeyRing]: ...

    def ring(self, corpid: str, connection: Connection | AsyncConnection | None = None) -> KeyRing | Awaitable[KeyRing]:
        """Return the keys of a corp; a ring without keys when it has none.

        The rows are read at each call. A key is unsealed and parsed once, and stays in memory, until a `forget` here.

        Args:
            corpid: The corp.
            connection: Read them in this transaction: that of `store` of an archiver. By default in one of its own.

        Raises:
            StoreError: They can't be read.
        """
        query = select(KEYS.c.version, KEYS.c.pem).where(*self._is_of(corpid))

        def work(bound: Connection) -> KeyRing:
            return joined(self._opened(row.version, row.pem) for row in bound.execute(query).all())

        if connection is None:
            return self._database.run(work)
        return work(connection) if isinstance(connection, Connection) else connection.run_sync(work)

    def add(self, corpid: str, version: int, pem: str) -> bool | Awaitable[bool]:
        """Store a key; return False when the corp has one of this version, which stays.

        Args:
            corpid: The corp.
            version: The version of the public key at WeCom, which takes no lower one afterwards.
            pem: The private key.

        Raises:
            StoreError: It can't be stored.
        """
        row = {"name": self._name, "corpid": corpid, "version": version, "pem": seal(pem, self._cipher)}
        return self._database.run(partial(insert_new, table=KEYS, values=row))

    def forget(self, corpid: str) -> None | Awaitable[None]:
        """Remove all keys of a corp.

        Args:
            corpid: The corp.

        Raises:
            StoreError: They can't be removed.
        """
        self._opened.cache_clear()
        statement = delete(KEYS).where(*self._is_of(corpid))
        return self._database.run(lambda connection: connection.execute(statement).close())

    def _open(self, version: int, stored: str) -> KeyRing:
        return KeyRing({version: unseal(stored, self._cipher, "a private key")})

    def _is_of(self, corpid: str) -> tuple[ColumnElement[bool], ...]:
        return KEYS.c.name == self._name, KEYS.c.corpid == corpid

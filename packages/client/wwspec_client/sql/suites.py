"""What all machines of an app share, in the app's database: installations, the suite's ticket, and access tokens."""

import base64
import time
from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_client.arguments import check_has
from wwspec_client.installations import Installation
from wwspec_client.sql.database import Database, insert_new, upsert
from wwspec_client.sql.tables import INSTALLATIONS, TICKETS, TOKENS
from wwspec_client.tokens import Token
from wwspec_contracts.errors import StoreError

_COMPARED = tuple(name for name in Installation.__struct_fields__ if name != "permanent_code")
"""All but the code, which a cipher seals in another way each time: `code_digest` is another one with each code."""

_MARK = "sealed:"


class Cipher(Protocol):
    """Seals secrets before they are stored, such as `Fernet` and `MultiFernet` of the package cryptography."""

    def encrypt(self, data: bytes, /) -> bytes:
        """Return a text sealed.

        Args:
            data: The text.
        """
        ...

    def decrypt(self, token: bytes, /) -> bytes:
        """Return what was sealed; raise an error if it is another's, or was changed.

        Args:
            token: What `encrypt` has returned.
        """
        ...


def check_cipher(cipher: Cipher | None) -> Cipher | None:
    """Return the cipher of a store.

    Raises:
        ConfigurationError: It is none.
    """
    if cipher is not None:
        check_has("decrypt", cipher, "cipher has encrypt(bytes) and decrypt(bytes), such as Fernet(key)")
    return cipher


def seal(secret: str, cipher: Cipher | None) -> str:
    """Return a secret as it is stored."""
    if cipher is None:
        return secret
    return _MARK + base64.b64encode(cipher.encrypt(secret.encode())).decode()


def unseal(stored: str, cipher: Cipher | None, what: str) -> str:
    """Return a stored secret. One that was stored without a cipher is read with one too.

    Args:
        stored: What `seal` has returned.
        cipher: The app's.
        what: Names it in errors.

    Raises:
        StoreError: It is sealed, and not by this cipher.
    """
    if not stored.startswith(_MARK):
        return stored
    if cipher is None:
        raise StoreError(f"{what} is sealed: give the store the cipher= that it was stored with")
    try:
        return cipher.decrypt(base64.b64decode(stored.removeprefix(_MARK), validate=True)).decode()
    except Exception as error:  # the class is the cipher's
        name = type(error).__name__
    raise StoreError(f"{what} can't be unsealed ({name}): give the store the cipher= that it was stored with")


class SqlInstallationStore:
    """Keeps installations and tickets in the tables `wwspec_installations` and `wwspec_suite_tickets`.

    Args:
        engine: An engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB. With an async one, methods return
            awaitables.
        cipher: Seals permanent codes and tickets at rest, such as a `Fernet` of the package cryptography. Without one
            they are stored as they are. What was stored without one is still read; `replace` seals it.

    Raises:
        ConfigurationError: `engine` is not an engine.

    Examples:
        >>> import sqlalchemy
        >>> from wwspec_client.sql import SqlInstallationStore, create_tables
        >>> from wwspec_client.stores import Installation
        >>> engine = sqlalchemy.create_engine("sqlite:///installations.db")
        >>> with engine.begin() as connection:
        ...     create_tables(connection)
        >>> store = SqlInstallationStore(engine)
        >>> store.replace(None, Installation(suite_id="suite", corpid="corp", permanent_code="code"))
        True
        >>> store.corps("suite")
        ['corp']
    """

    def __init__(self, engine: Engine | AsyncEngine, *, cipher: Cipher | None = None) -> None:
        self._installations = Database(engine, INSTALLATIONS)
        self._tickets = Database(engine, TICKETS)
        self._cipher = check_cipher(cipher)

    def replace(self, old: Installation | None, new: Installation | None) -> bool | Awaitable[bool]:
        """Store an installation in place of another one; see `InstallationStore`."""
        values = {}
        if new is not None:
            values = {**msgspec.structs.asdict(new), "permanent_code": seal(new.permanent_code, self._cipher)}

        def work(connection: Connection) -> bool:
            if old is None:
                return new is None or insert_new(connection, INSTALLATIONS, values)
            is_old = [INSTALLATIONS.c[name] == getattr(old, name) for name in _COMPARED]
            change = delete(INSTALLATIONS) if new is None else update(INSTALLATIONS).values(**values)
            return connection.execute(change.where(*is_old)).rowcount == 1

        return self._installations.run(work)

    def find(self, suite_id: str, corpid: str) -> Installation | None | Awaitable[Installation | None]:
        """Return the installation at a corp; see `InstallationStore`."""
        query = select(INSTALLATIONS).where(INSTALLATIONS.c.suite_id == suite_id, INSTALLATIONS.c.corpid == corpid)

        def work(connection: Connection) -> Installation | None:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            values: dict[str, Any] = {name: row[name] for name in Installation.__struct_fields__}
            values["permanent_code"] = unseal(row["permanent_code"], self._cipher, "a permanent code")
            return Installation(**values)

        return self._installations.run(work)

    def corps(self, suite_id: str) -> Sequence[str] | Awaitable[Sequence[str]]:
        """Return the corps that have the app; see `InstallationStore`."""
        query = select(INSTALLATIONS.c.corpid).where(INSTALLATIONS.c.suite_id == suite_id)
        return self._installations.run(lambda connection: sorted(connection.execute(query).scalars()))

    def save_ticket(self, suite_id: str, ticket: str, time: float) -> None | Awaitable[None]:
        """Store a suite's ticket, unless a newer one is stored; see `InstallationStore`."""
        values = {"suite_id": suite_id, "ticket": seal(ticket, self._cipher), "made": time}

        def work(connection: Connection) -> None:
            newer = upsert(connection, TICKETS, values, lambda old, new: new.made >= old.made)
            connection.execute(newer).close()

        return self._tickets.run(work)

    def ticket(self, suite_id: str) -> str | Awaitable[str]:
        """Return a suite's latest ticket; see `InstallationStore`."""
        query = select(TICKETS.c.ticket).where(TICKETS.c.suite_id == suite_id)
        return self._tickets.run(
            lambda connection: unseal(connection.execute(query).scalar() or "", self._cipher, "a suite's ticket")
        )


class SqlTokenStore:
    """Keeps access tokens in the table `wwspec_tokens`; for `StoredTokenProvider`, and for `tokens` of `Suite`.

    Args:
        engine: An engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB. With an async one, methods return
            awaitables.
        cipher: Seals tokens at rest, such as a `Fernet` of the package cryptography.

    Raises:
        ConfigurationError: `engine` is not an engine.

    Examples:
        >>> import sqlalchemy
        >>> from wwspec_client import AppSecret
        >>> from wwspec_client.sql import SqlTokenStore, create_tables
        >>> from wwspec_client.stores import StoredTokenProvider
        >>> engine = sqlalchemy.create_engine("sqlite:///tokens.db")
        >>> with engine.begin() as connection:
        ...     create_tables(connection)
        >>> tokens = StoredTokenProvider(AppSecret("corp", "secret"), SqlTokenStore(engine), name="corp")
    """

    def __init__(self, engine: Engine | AsyncEngine, *, cipher: Cipher | None = None) -> None:
        self._database = Database(engine, TOKENS)
        self._cipher = check_cipher(cipher)

    def load(self, name: str) -> Token | None | Awaitable[Token | None]:
        """Return a token; see `TokenStore`."""
        query = select(TOKENS.c.value, TOKENS.c.usable_until, TOKENS.c.owner).where(TOKENS.c.name == name)

        def work(connection: Connection) -> Token | None:
            row = connection.execute(query).first()
            if row is None:
                return None
            left = None if row.usable_until is None else row.usable_until - time.time()
            return Token(unseal(row.value, self._cipher, "an access token"), left, row.owner)

        return self._database.run(work)

    def save(self, name: str, token: Token) -> None | Awaitable[None]:
        """Store a token; see `TokenStore`."""
        value = seal(token.value, self._cipher)
        until = None if token.expires_in is None else time.time() + token.expires_in
        values = {"name": name, "value": value, "usable_until": until, "owner": token.owner}
        return self._database.run(lambda connection: connection.execute(upsert(connection, TOKENS, values)).close())

    def forget(self, name: str) -> bool | Awaitable[bool]:
        """Remove a token; see `TokenStore`."""
        statement = delete(TOKENS).where(TOKENS.c.name == name)
        return self._database.run(lambda connection: connection.execute(statement).rowcount == 1)

"""Access tokens that all machines of an app share, in the app's database."""

import time
from collections.abc import Awaitable

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_client.sql.database import Database, upsert
from wwspec_client.sql.sealing import Cipher, check_cipher, seal, unseal
from wwspec_client.sql.tables import TOKENS
from wwspec_client.tokens import Token


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

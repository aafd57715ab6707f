"""Access tokens that all machines of an app share, in the app's database."""

from collections.abc import Awaitable

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wwspec_router.client.arguments import check_has
from wwspec_router.client.shared_tokens import StoredToken, StoredTokenProvider
from wwspec_router.client.sql.database import Database, upsert
from wwspec_router.client.sql.sealing import Cipher, check_cipher, seal, unseal
from wwspec_router.client.sql.tables import TOKENS
from wwspec_router.client.tokens import TokenProvider
from wwspec_router.errors import ConfigurationError


class SqlTokenStore:
    """Keeps access tokens in the table `wwspec_tokens`; what `Suite` takes as `tokens`.

    Args:
        engine: An engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB. With an async one, methods return
            awaitables.
        cipher: Seals tokens at rest, such as a `Fernet` of the package cryptography.

    Raises:
        ConfigurationError: `engine` is not an engine.
    """

    def __init__(self, engine: Engine | AsyncEngine, *, cipher: Cipher | None = None) -> None:
        self._database = Database(engine, TOKENS)
        self._cipher = check_cipher(cipher)

    def provider(self, name: str, source: TokenProvider) -> TokenProvider:
        """Return a source of one token that all machines share; see `SharedTokens`."""
        return StoredTokenProvider(source, self, name=name)

    def load(self, name: str) -> StoredToken | None | Awaitable[StoredToken | None]:
        """Return a token; see `TokenStore`."""
        query = select(TOKENS.c.value, TOKENS.c.usable_until, TOKENS.c.owner).where(TOKENS.c.name == name)

        def work(connection: Connection) -> StoredToken | None:
            row = connection.execute(query).first()
            return None if row is None else StoredToken(unseal(row[0], self._cipher, "an access token"), *row[1:])

        return self._database.run(work)

    def save(self, name: str, token: StoredToken) -> None | Awaitable[None]:
        """Store a token; see `TokenStore`."""
        value = seal(token.value, self._cipher)
        values = {"name": name, "value": value, "usable_until": token.usable_until, "owner": token.owner}
        return self._database.run(lambda connection: connection.execute(upsert(connection, TOKENS, values)).close())

    def forget(self, name: str) -> bool | Awaitable[bool]:
        """Remove a token; see `TokenStore`."""
        statement = delete(TOKENS).where(TOKENS.c.name == name)
        return self._database.run(lambda connection: connection.execute(statement).rowcount == 1)


class SqlTokenProvider(StoredTokenProvider):
    """A source of access tokens that shares one token between all machines, in the table `wwspec_tokens`.

    Args:
        engine: An engine of SQLAlchemy; an async one for `AsyncZoneClient`.
        provider: Where a new token comes from, such as `AppSecret` or `SuiteApp`.
        name: The name of the row. Use one for each corp and app: the same name stands for the same token.
        cipher: Seals tokens at rest, such as a `Fernet` of the package cryptography.

    Raises:
        ConfigurationError: An argument is of another type, or the name is empty or too long.

    Examples:
        >>> import sqlalchemy
        >>> from wwspec_router.client import AppSecret
        >>> from wwspec_router.client.sql import SqlTokenProvider, create_tables
        >>> engine = sqlalchemy.create_engine("sqlite:///tokens.db")
        >>> with engine.begin() as connection:
        ...     create_tables(connection)
        >>> tokens = SqlTokenProvider(engine, AppSecret("corp", "secret"), name="corp")
    """

    def __init__(
        self,
        engine: Engine | AsyncEngine,
        provider: TokenProvider,
        *,
        name: str,
        cipher: Cipher | None = None,
    ) -> None:
        check_has("fetch", provider, "provider is a TokenProvider, such as AppSecret(corpid, secret)")
        if not 1 <= len(name.encode()) <= 255:
            raise ConfigurationError("the name of a SqlTokenProvider has 1 to 255 bytes: one name for each token")
        super().__init__(provider, SqlTokenStore(engine, cipher=cipher), name=name)

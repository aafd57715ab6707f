"""The tables of the app's stores, and the function that makes them.

Each table is made by one statement, its indexes within: so a process that starts at the same moment finds all of it.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.schema import CreateTable

from wwspec_contracts.errors import ConfigurationError

METADATA = MetaData()
"""All tables; an Alembic environment takes it beside the app's own."""

_MYSQL: dict[str, Any] = {
    f"{name}_{option}": value
    for name in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
_LOCK = 90_603_100_776
"""The number of PostgreSQL's lock of those that make tables."""


class KeyText(TypeDecorator[str]):
    """Text that is compared as it is: by default MySQL takes "Corp" for "corp", and "corp " even in utf8mb4_bin."""

    impl: type[String] = String
    cache_ok: bool = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return the type of a column in a database."""
        if not is_mysql(dialect):
            return dialect.type_descriptor(String(self.length))
        collation = "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        return dialect.type_descriptor(VARCHAR(self.length, collation=collation))


def is_mysql(dialect: Dialect) -> bool:
    """Return whether a database is MySQL or MariaDB."""
    return dialect.name in ("mysql", "mariadb")


def _long() -> Text:
    return Text().with_variant(LONGTEXT(), "mysql", "mariadb")


PENDING = Table(
    "wwspec_pending",
    METADATA,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("receiver", KeyText(64), nullable=False),
    Column("corpid", KeyText(128), nullable=False),
    Column("notify_id", KeyText(255), nullable=False),
    Column("notification", _long(), nullable=False),
    Column("stage", KeyText(32), nullable=False),
    Column("noted", Double, nullable=False),
    Column("due", Double, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("event", _long(), nullable=False),
    Column("reason", _long(), nullable=False),
    Column("holder", KeyText(32), nullable=False),
    Column("held_until", Double, nullable=False),
    UniqueConstraint("receiver", "corpid", "notify_id", name="wwspec_pending_key"),
    UniqueConstraint("receiver", "stage", "position", name="wwspec_pending_stage"),
    **_MYSQL,
)
"""Callbacks of `SqlPendingStore`. `holder` has the row until `held_until`."""

CURSORS = Table(
    "wwspec_cursors",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("next_cursor", String(255)),
    Column("covered_until", BigInteger, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("pull", String(32), nullable=False, server_default=text("''")),
    **_MYSQL,
)
"""Places of pulls, of `SqlCursor`."""

INSTALLATIONS = Table(
    "wwspec_installations",
    METADATA,
    Column("suite_id", KeyText(128), primary_key=True),
    Column("corpid", KeyText(128), primary_key=True),
    Column("permanent_code", _long(), nullable=False),
    Column("corp_name", _long(), nullable=False),
    Column("agentid", BigInteger, nullable=False, autoincrement=False),
    Column("installed_at", Double, nullable=False),
    Column("data_until", Double, nullable=False),
    Column("code_digest", String(64), nullable=False),
    Column("forgetting", Boolean, nullable=False),
    Column("refused_at", Double, nullable=False, server_default=text("0")),
    **_MYSQL,
)
"""Corps that have installed an app, of `SqlInstallationStore`."""

TICKETS = Table(
    "wwspec_suite_tickets",
    METADATA,
    Column("suite_id", KeyText(128), primary_key=True),
    Column("ticket", _long(), nullable=False),
    Column("made", Double, nullable=False),
    **_MYSQL,
)
"""The latest ticket of each suite, of `SqlInstallationStore`."""

TOKENS = Table(
    "wwspec_tokens",
    METADATA,
    Column("name", KeyText(255), primary_key=True),
    Column("value", _long(), nullable=False),
    Column("usable_until", Double),
    Column("owner", KeyText(64), nullable=False, server_default=text("''")),
    **_MYSQL,
)
"""Access tokens of `SqlTokenStore`."""

ARCHIVE = Table(
    "wwspec_archive",
    METADATA,
    Column("name", KeyText(64), primary_key=True),  # of the archiver
    Column("corpid", KeyText(128), primary_key=True),
    Column("due", Double, nullable=False),  # Unix time of the next pull
    Column("requests", BigInteger, nullable=False),  # how often somebody has asked for a pull
    Column("token", _long(), nullable=False),  # of the latest event
    Column("token_until", Double, nullable=False),
    Column("holder", KeyText(32), nullable=False),
    Column("held_until", Double, nullable=False),
    Column("attempts", Integer, nullable=False),  # pulls in a row that have failed
    Column("reason", _long(), nullable=False),  # how the latest one failed
    Column("pulled", Double, nullable=False),  # end of the latest pull that has not failed
    Column("complete", Double, nullable=False),  # begin of the latest pull that has reached the end
    Column("forgotten", KeyText(255), nullable=False, server_default=text("''")),  # names a `forget`; empty when none
    **_MYSQL,
)
"""When an archiver pulls each corp. `holder` pulls it until `held_until`. That of a forgotten corp stays."""


def create_tables(connection: Connection) -> None:
    """Create the tables that are missing; any number of processes may do so at once.

    Args:
        connection: Of the app's database. With an async one: `await connection.run_sync(create_tables)`.

    Raises:
        ConfigurationError: It is no connection, or a table lacks a column; then nothing is changed.
    """
    if not isinstance(connection, Connection):
        raise ConfigurationError(
            "create_tables takes a Connection: `with engine.begin() as connection: create_tables(connection)`; of an "
            f"AsyncEngine: `await connection.run_sync(create_tables)`; not {type(connection).__name__}"
        )
    if connection.dialect.name == "postgresql":  # where IF NOT EXISTS fails when two do it at once
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    for table in METADATA.sorted_tables:
        _check_columns(connection, table)
    for table in METADATA.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))


def _check_columns(connection: Connection, table: Table) -> None:
    inspector = inspect(connection)
    if not inspector.has_table(table.name):
        return
    present = {column["name"] for column in inspector.get_columns(table.name)}
    if lacking := [name for name in table.columns.keys() if name not in present]:
        raise ConfigurationError(
            f"the table {table.name} of the app's database lacks {', '.join(lacking)}: another version of "
            "wwspec-router made it; let that version finish what is stored there, then drop the table, and call "
            "create_tables again"
        )

"""The tables of the app's stores, and the function that makes them.

Each table is made by one statement, its indexes within: so a process that starts at the same moment finds all of it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.schema import CreateTable

from wwspec_contracts.errors import ConfigurationError

METADATA = sa.MetaData()
"""All tables; an Alembic environment takes it beside the app's own."""

_MYSQL: dict[str, Any] = {
    f"{name}_{option}": value
    for name in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
_LOCK = 90_603_100_776
"""The number of PostgreSQL's lock of those that make tables."""


class KeyText(sa.TypeDecorator[str]):
    """Text that is compared as it is: by default MySQL takes "Corp" for "corp", and "corp " even in utf8mb4_bin."""

    impl: type[sa.String] = sa.String
    cache_ok: bool = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Return the type of a column in a database."""
        if not is_mysql(dialect):
            return dialect.type_descriptor(sa.String(self.length))
        collation = "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
        return dialect.type_descriptor(VARCHAR(self.length, collation=collation))


def is_mysql(dialect: sa.Dialect) -> bool:
    """Return whether a database is MySQL or MariaDB."""
    return dialect.name in ("mysql", "mariadb")


def _long() -> sa.Text:
    return sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb")


PENDING = sa.Table(
    "wwspec_pending",
    METADATA,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("receiver", KeyText(64), nullable=False),
    sa.Column("corpid", KeyText(128), nullable=False),
    sa.Column("notify_id", KeyText(255), nullable=False),
    sa.Column("notification", _long(), nullable=False),
    sa.Column("stage", KeyText(32), nullable=False),
    sa.Column("noted", sa.Double, nullable=False),
    sa.Column("due", sa.Double, nullable=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("event", _long(), nullable=False),
    sa.Column("reason", _long(), nullable=False),
    sa.Column("holder", KeyText(32), nullable=False),
    sa.Column("held_until", sa.Double, nullable=False),
    sa.UniqueConstraint("receiver", "corpid", "notify_id", name="wwspec_pending_key"),
    sa.UniqueConstraint("receiver", "stage", "position", name="wwspec_pending_stage"),
    **_MYSQL,
)
"""Callbacks of `SqlPendingStore`. `holder` has the row until `held_until`."""

CURSORS = sa.Table(
    "wwspec_cursors",
    METADATA,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("next_cursor", sa.String(255)),
    sa.Column("covered_until", sa.BigInteger, nullable=False),
    sa.Column("pages", sa.BigInteger, nullable=False),
    sa.Column("pull", sa.String(32), nullable=False, server_default=sa.text("''")),
    **_MYSQL,
)
"""Places of pulls, of `SqlCursor`."""

INSTALLATIONS = sa.Table(
    "wwspec_installations",
    METADATA,
    sa.Column("suite_id", KeyText(128), primary_key=True),
    sa.Column("corpid", KeyText(128), primary_key=True),
    sa.Column("permanent_code", _long(), nullable=False),
    sa.Column("corp_name", _long(), nullable=False),
    sa.Column("agentid", sa.BigInteger, nullable=False),
    sa.Column("installed_at", sa.Double, nullable=False),
    sa.Column("data_until", sa.Double, nullable=False),
    sa.Column("code_digest", sa.String(64), nullable=False),
    sa.Column("forgetting", sa.Boolean, nullable=False),
    sa.Column("refused_at", sa.Double, nullable=False, server_default=sa.text("0")),
    **_MYSQL,
)
"""Corps that have installed an app, of `SqlInstallationStore`."""

TICKETS = sa.Table(
    "wwspec_suite_tickets",
    METADATA,
    sa.Column("suite_id", KeyText(128), primary_key=True),
    sa.Column("ticket", _long(), nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    **_MYSQL,
)
"""The latest ticket of each suite, of `SqlInstallationStore`."""

TOKENS = sa.Table(
    "wwspec_tokens",
    METADATA,
    sa.Column("name", KeyText(255), primary_key=True),
    sa.Column("value", _long(), nullable=False),
    sa.Column("usable_until", sa.Double),
    sa.Column("owner", KeyText(64), nullable=False, server_default=sa.text("''")),
    **_MYSQL,
)
"""Access tokens of `SqlTokenStore`."""

KEYS = sa.Table(
    "wwspec_keys",
    METADATA,
    sa.Column("name", KeyText(64), primary_key=True),
    sa.Column("corpid", KeyText(128), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("pem", _long(), nullable=False),
    **_MYSQL,
)
"""Private keys of each corp, of `SqlKeyStore`."""

ARCHIVE = sa.Table(
    "wwspec_archive",
    METADATA,
    sa.Column("name", KeyText(64), primary_key=True),  # of the archiver
    sa.Column("corpid", KeyText(128), primary_key=True),
    sa.Column("due", sa.Double, nullable=False),  # Unix time of the next pull
    sa.Column("requests", sa.BigInteger, nullable=False),  # how often somebody has asked for a pull
    sa.Column("token", _long(), nullable=False),  # of the latest event
    sa.Column("token_until", sa.Double, nullable=False),
    sa.Column("holder", KeyText(32), nullable=False),
    sa.Column("held_until", sa.Double, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # pulls in a row that have failed
    sa.Column("reason", _long(), nullable=False),  # how the latest one failed
    sa.Column("pulled", sa.Double, nullable=False),  # end of the latest pull that has not failed
    sa.Column("complete", sa.Double, nullable=False),  # begin of the latest pull that has reached the end
    sa.Column(
        "forgotten", KeyText(255), nullable=False, server_default=sa.text("''")
    ),  # names a `forget`; empty when none
    **_MYSQL,
)
"""When an archiver pulls each corp. `holder` pulls it until `held_until`. That of a forgotten corp stays."""


def create_tables(connection: sa.Connection) -> None:
    """Create the tables that are missing; any number of processes may do so at once.

    Args:
        connection: Of the app's database. With an async one: `await connection.run_sync(create_tables)`.

    Raises:
        ConfigurationError: It is no connection, or a table lacks a column; then nothing is changed.
    """
    if not isinstance(connection, sa.Connection):
        raise ConfigurationError(
            "create_tables takes a Connection: `with engine.begin() as connection: create_tables(connection)`; of an "
            f"AsyncEngine: `await connection.run_sync(create_tables)`; not {type(connection).__name__}"
        )
    if connection.dialect.name == "postgresql":  # where IF NOT EXISTS fails when two do it at once
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    for table in METADATA.sorted_tables:
        _check_columns(connection, table)
    for table in METADATA.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))


def _check_columns(connection: sa.Connection, table: sa.Table) -> None:
    inspector = sa.inspect(connection)
    if not inspector.has_table(table.name):
        return
    present = {column["name"] for column in inspector.get_columns(table.name)}
    if lacking := [name for name in table.columns.keys() if name not in present]:
        raise ConfigurationError(
            f"the table {table.name} of the app's database lacks {', '.join(lacking)}: another version of "
            "wwspec-router made it; let that version finish what is stored there, then drop the table, and call "
            "create_tables again"
        )

"""The tables of the app's stores. Each module of this folder adds its own to `METADATA`."""

from sqlalchemy import Connection, MetaData

METADATA = MetaData()
"""All tables; an Alembic environment takes it beside the app's own."""


def create_tables(connection: Connection) -> None:
    """Create the tables that are missing.

    Args:
        connection: Of the app's database. With an async one: `await connection.run_sync(create_tables)`.
    """
    METADATA.create_all(connection)

"""Upgrades a SQLite file to the newest schema, and refuses files of other programs and of later releases.

It does not know what the tables are for.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from wwspec_router.errors import StoreError

APPLICATION_ID = 0x57575350
"""Marks the file as ours ("WWSP") in `PRAGMA application_id`."""


def bring_up_to_date(db: sqlite3.Connection, path: Path, schema: Sequence[Sequence[str]]) -> None:
    """Run the statements of the versions that a file does not have yet, within a transaction.

    Args:
        db: The file.
        path: What errors call it.
        schema: The statements of each version, oldest first.

    Raises:
        StoreError: It belongs to another program or to a later release.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path}: this SQLite file belongs to another program; name another path")
    if version > len(schema):
        raise StoreError(
            f"{path}: its schema version is {version}, newer than {len(schema)}, the newest known here; "
            "install the release that wrote it, or name another path"
        )
    if version < len(schema):
        for statement in (statement for step in schema[version:] for statement in step):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(schema)}")

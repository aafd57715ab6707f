"""Makes the tables of a new SQLite file, and refuses files of other programs and of other layouts.

It does not know what the tables are for.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from wwspec_contracts.errors import StoreError, other_layout

APPLICATION_ID = 0x57575350
"""Marks the file as ours ("WWSP") in `PRAGMA application_id`."""


def make_tables(db: sqlite3.Connection, path: Path, layout: int, statements: Sequence[str]) -> None:
    """Make the tables of a file that is empty, within a transaction; change nothing in another one.

    Args:
        db: The file.
        path: What errors call it.
        layout: The number of the layout that the statements make.
        statements: What makes it.

    Raises:
        StoreError: It belongs to another program, or has another layout.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path}: this SQLite file belongs to another program; name another path")
    if application and version != layout:
        raise StoreError(other_layout(str(path), version, layout, "name another path, or delete this file"))
    if not application:
        for statement in statements:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {layout}")

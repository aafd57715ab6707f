"""Keeps a SQLite file locked from a process of its own until its standard input ends.

Argument: the path.
"""

import sqlite3
import sys

with sqlite3.connect(sys.argv[1], isolation_level=None) as db:
    db.execute("BEGIN IMMEDIATE")
    sys.stdout.write("locked\n")
    sys.stdout.flush()
    sys.stdin.read()
    db.execute("ROLLBACK")

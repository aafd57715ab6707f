"""The tables are made once, by any number of processes at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import inspect, text

from tests.client.sql.conftest import opened
from tests.support.waiting import DEADLINE
from wwspec_client.sql import METADATA, create_tables
from wwspec_contracts.errors import ConfigurationError

AT_ONCE = 4


def create_at_once(url: str) -> None:
    """Make the tables on several connections at the same moment."""
    turn = Barrier(AT_ONCE)

    def create(_: int) -> None:
        with opened(url) as engine, engine.begin() as connection:
            turn.wait(DEADLINE)
            create_tables(connection)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(create, range(AT_ONCE)))


def test_processes_that_start_at_once_make_all_tables_without_an_error(new_url: str) -> None:
    for _ in range(5):
        create_at_once(new_url)
        with opened(new_url) as engine, engine.begin() as connection:
            assert {*METADATA.tables} == {*inspect(connection).get_table_names()}
            METADATA.drop_all(connection)


def test_a_table_without_a_column_is_refused_with_what_to_do_and_left_alone(new_url: str) -> None:
    with opened(new_url) as engine, engine.begin() as connection:
        connection.execute(text("CREATE TABLE wwspec_cursors (name VARCHAR(255) NOT NULL PRIMARY KEY, pages BIGINT)"))
        connection.execute(text("INSERT INTO wwspec_cursors VALUES ('corp', 1)"))
    said = "the table wwspec_cursors .* lacks next_cursor, covered_until, pull: .* finish .* drop the table"
    with opened(new_url) as engine, engine.begin() as connection, pytest.raises(ConfigurationError, match=said):
        create_tables(connection)
    with opened(new_url) as engine, engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["wwspec_cursors"]
        assert connection.execute(text("SELECT * FROM wwspec_cursors")).fetchall() == [("corp", 1)]


def test_the_columns_are_those_of_the_tables_that_an_earlier_version_has_made() -> None:
    columns = [column for table in METADATA.tables.values() for column in table.columns]
    optional = {"wwspec_cursors.next_cursor", "wwspec_tokens.usable_until"}
    assert {str(each) for each in columns if each.nullable} == optional
    assert Counter(getattr(each.type, "length", None) for each in columns) == {None: 32, 32: 4, 64: 5, 128: 6, 255: 5}
    keys = " ".join(each.name for each in columns if each.primary_key)
    assert keys == "position name suite_id corpid suite_id name name corpid version name corpid"

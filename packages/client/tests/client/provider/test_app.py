"""`ProviderApp` and `AsyncProviderApp`: a provider's whole app, at the corps of an emulator, and its settings."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.client.archive.world import async_url
from tests.client.provider.conftest import Make
from tests.client.provider.stand import ENVIRONMENT, OFTEN, SETTINGS, TABLES, Kind, Stand
from tests.client.sql.test_installations import Backwards
from tests.support.emulator import served
from tests.support.waiting import wait_until
from wwspec_client import CancelAuth, ConfigurationError, DataPermissionEnded, NotifyEvent, SuiteEvent
from wwspec_client.provider import AsyncProviderApp, ProviderApp, SuiteSettings
from wwspec_client.sql import SqlKeyStore
from wwspec_contracts.errors import StoreError


def installed(stand: Stand) -> str:
    """Let a corp install the app and say something; return it when the app has the message."""
    corpid = stand.corpids[0]
    stand.admin(corpid).authorize()
    msgid = stand.say(corpid)
    wait_until(lambda: (corpid, msgid) in stand.stored())
    return corpid


def test_a_corp_that_installs_the_app_has_each_message_stored_once_with_its_key_opened(make: Make) -> None:
    stand = make()
    said = []
    for corpid in stand.corpids:
        stand.admin(corpid).authorize()
        said += [(corpid, stand.say(corpid)) for _ in range(3)]
    wait_until(lambda: sorted(stand.stored()) == sorted(said))
    assert stand.app.problems() == []


def test_a_corp_that_removes_the_app_is_deleted_its_pull_first_and_the_app_s_rows_last(make: Make) -> None:
    left: list[Any] = []
    tables = ("wwspec_cursors", "wwspec_keys", "wwspec_pending", "messages")

    def forget(corpid: str) -> None:
        left.append([stand.count(table, corpid) for table in tables])
        stand.forget(corpid)

    events: list[SuiteEvent] = []
    stand = make(forgets=[forget], on={CancelAuth: events.append})
    corpid = installed(stand)
    wait_until(lambda: stand.say(corpid) and all(stand.count(table, corpid) for table in tables))
    stand.zone.wait_idle()  # a notification that is on its way would be stored beside the deletion
    stand.admin(corpid).cancel()
    wait_until(lambda: events)
    [(*others, messages)] = left
    assert (others, messages > 0) == ([0, 0, 0], True)
    assert stand.stored() == []
    assert installed(stand) == corpid


def test_a_corp_whose_permission_is_renewed_is_pulled_again_though_that_event_was_lost(make: Make) -> None:
    stand = make()
    corpid = installed(stand)
    stand.lose_commands()
    stand.admin(corpid).expire(["chat"])
    stand.admin(corpid).renew(["chat"])
    msgid = stand.say(corpid)
    wait_until(lambda: (corpid, msgid) in stand.stored())


def test_the_app_s_functions_get_events_of_their_class_those_of_the_program_and_pulls_that_fail(make: Make) -> None:
    ended: list[DataPermissionEnded] = []
    others: list[NotifyEvent] = []
    failures: list[tuple[str, Exception]] = []

    def on_error(corpid: str, error: Exception) -> None:
        failures.append((corpid, error))

    on = {DataPermissionEnded: ended.append}
    stand = make(on=on, on_notify=others.append, archiver={**OFTEN, "on_error": on_error})
    corpid = installed(stand)
    stand.admin(corpid).fire("hit_keyword")
    wait_until(lambda: others)
    stand.admin(corpid).expire(["chat"])
    wait_until(lambda: ended and failures)
    assert [each.event_type for each in others] == ["hit_keyword"]
    assert [(each.corpid, each.is_chat) for each in ended] == [(corpid, True)]
    assert failures[0][0] == corpid


def test_a_corp_that_leaves_while_its_keys_are_made_leaves_none(kind: Kind, make: Make, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    added: list[str] = []

    class Slow(SqlKeyStore):
        """Stores a key when the corp is gone: another machine has forgotten it meanwhile."""

        def add(self, corpid: str, version: int, pem: str) -> bool:
            with stand.database.begin() as connection:
                connection.exec_driver_sql("UPDATE wwspec_installations SET forgetting = 1")
            SqlKeyStore(stand.database).add(corpid, version, pem)
            added.append(corpid)
            return True

    engine: Any = (create_engine if kind == "wsgi" else create_async_engine)(
        url if kind == "wsgi" else async_url(url), poolclass=NullPool
    )
    stand = make(keys=Slow(engine))
    stand.admin(stand.corpids[0]).authorize()
    wait_until(lambda: added)
    wait_until(lambda: stand.count("wwspec_keys") == 0)


def test_keys_and_codes_are_sealed_at_rest(make: Make) -> None:
    stand = make(cipher=Backwards(), keys=None)
    stand.admin(stand.corpids[0]).authorize()
    wait_until(lambda: stand.count("wwspec_keys"))
    with stand.database.begin() as connection:
        [pem] = connection.exec_driver_sql("SELECT pem FROM wwspec_keys").scalars()
        [code] = connection.exec_driver_sql("SELECT permanent_code FROM wwspec_installations").scalars()
    assert pem.startswith("sealed:")
    assert code.startswith("sealed:")


def test_only_the_two_callback_urls_are_answered(make: Make) -> None:
    stand = make()
    assert {path: stand.status(path) for path in ("/callback", "/commands", "/", "/commands/", "/x/callback")} == {
        **dict.fromkeys(("/callback", "/commands"), 403),
        **dict.fromkeys(("/", "/commands/", "/x/callback"), 404),
    }


async def store_nothing(page: object, transaction: object) -> None:
    """Write nothing."""


def test_an_async_app_that_is_served_alone_starts_and_stops_with_its_server(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/app.db")
    app = AsyncProviderApp(engine, SETTINGS, store=store_nothing)
    assert len(app.problems()) == 3
    with served(app):
        assert app.problems() == []
    assert len(app.problems()) == 3


def test_a_plain_app_starts_once_and_makes_no_tables_that_a_migration_makes(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/app.db", poolclass=NullPool)
    migrated = ProviderApp(engine, SETTINGS, store=lambda page, connection: None, tables=None)
    with pytest.raises(StoreError, match="lacks the table wwspec_pending"):
        migrated.start()
    app = ProviderApp(engine, SETTINGS, store=lambda page, connection: None, tables=TABLES)
    with app:
        app.start()
        assert app.problems() == []
        assert {"messages", "wwspec_installations"} < {*inspect(engine).get_table_names()}
    assert len(app.problems()) == 3
    app.stop()


def test_an_unknown_option_is_refused() -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    with pytest.raises(TypeError, match="'forget'; did you mean forgets"):
        AsyncProviderApp(engine, SETTINGS, store=store_nothing, forget=[])  # type: ignore[call-arg]  # misspelt


def test_settings_are_variables_all_missing_ones_are_named_and_no_secret_is_shown() -> None:
    assert SETTINGS.suite_id == "emulator-suite"
    assert SETTINGS.base_url == "https://qyapi.weixin.qq.com"
    url = "http://127.0.0.1:8090"
    assert SuiteSettings.from_environment({**ENVIRONMENT, "WWSPEC_BASE_URL": url}).base_url == url
    some = {name: value for name, value in ENVIRONMENT.items() if name != "WWSPEC_PROGRAM_ID"}
    with pytest.raises(ConfigurationError, match="lacks WWSPEC_SUITE_ID, WWSPEC_PROGRAM_ID$"):
        SuiteSettings.from_environment({**some, "WWSPEC_SUITE_ID": ""})
    for name in ("SUITE_SECRET", "COMMAND_TOKEN", "COMMAND_ENCODING_AES_KEY", "CALLBACK_TOKEN", "ENCODING_AES_KEY"):
        assert ENVIRONMENT[f"WWSPEC_{name}"] not in repr(SETTINGS)

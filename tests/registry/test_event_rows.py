"""The rows `[events.…]` and `[notifications.…]`: what they make, and their faults."""

from pathlib import Path

import pytest

from tests.support import event_handlers
from tests.support.apps import ROOT, write_files
from tests.support.tables import for_each
from wwspec_contracts.errors import RegistryError
from wwspec_contracts.examples import console_example
from wwspec_devtools.console_contracts.described import ConsoleContracts
from wwspec_router.registry.table import AbilityTable, build_table

HERE = "tests.support.event_handlers"


def table_of(folder: Path, text: str) -> AbilityTable:
    (folder / "registry.toml").write_text(text)
    return build_table(ROOT, folder / "registry.toml")


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(RegistryError) as caught:
        table_of(folder, text)
    return [each.replace(f"{folder}/", "") for each in caught.value.faults]


def test_a_row_has_its_defaults(tmp_path: Path) -> None:
    table = table_of(tmp_path, f"[program]\ntimeout=7\n[events.hit_keyword]\nhandler='{HERE}:on_hit'")
    target = table.event_targets["hit_keyword"]
    assert (target.row.notify, target.row.retries, target.row.concurrency, target.timeout) == ("now", 3, None, 7.0)
    assert target.handler.function is event_handlers.on_hit
    assert table.job_names == {"event:hit_keyword", "notify:"}
    assert table.job_limits == {}


def test_several_events_may_share_a_handler_and_each_has_a_row_of_its_own(tmp_path: Path) -> None:
    text = "".join(
        f"[events.{each}]\nhandler='{HERE}:on_both'\nnotify='never'\ntimeout={number}\nconcurrency={number}\nretries=0\n"
        for number, each in enumerate(("hit_keyword", "conversation_new_message"), 1)
    )
    table = table_of(tmp_path, text)
    assert [each.timeout for each in table.event_targets.values()] == [1.0, 2.0]
    assert table.job_limits == {"event:hit_keyword": 1, "event:conversation_new_message": 2}


def test_the_contract_of_stored_events_lists_results_and_notifications(tmp_path: Path) -> None:
    text = (
        "[abilities.get_callback_data]\nkind='callback_data'\n"
        f"[events.hit_keyword]\nhandler='{HERE}:on_hit'\nnotify='after'\n"
        f"[events.conversation_new_message]\nhandler='{HERE}:on_both'\nnotify='after'\n"
        f"[notifications.hits]\ncontract='{HERE}:Hits'"
    )
    table = table_of(tmp_path, text)
    example = ConsoleContracts(table)["get_callback_data"].output
    assert example["hit_keyword_result"] == example["hits"] == {"hits": console_example(event_handlers.Hits)["hits"]}
    assert "conversation_new_message_result" not in example
    assert "conversation_new_message" in example


def test_a_result_that_the_app_is_not_given_is_not_listed(tmp_path: Path) -> None:
    text = f"[abilities.get]\nkind='callback_data'\n[events.hit_keyword]\nhandler='{HERE}:on_hit'"
    assert "hit_keyword_result" not in ConsoleContracts(table_of(tmp_path, text))["get"].output


ON_HIT = f"[events.hit_keyword]\nhandler='{HERE}:on_hit'\n"
FAULTS = [
    ("[events.moon]\nhandler='x:y'", "event moon has no contract; correct the name, or add schemas/events/moon.py"),
    ("[events.hit_keywords]\nhandler='x:y'", "event hit_keywords has no contract; did you mean hit_keyword?"),
    ("[events.hit_keyword]\nhandler='nope:y'", "handler: nope: there is no such module in "),
    ("[events.hit_keyword]\nnotify='now'", "missing key handler"),
    (f"{ON_HIT}notify='soon'", "notify: 'soon' is unknown; known: now, after, never"),
    (f"{ON_HIT}retries=-1", "retries: must be a whole number >= 0"),
    (f"{ON_HIT}concurrency=0", "concurrency: must be a whole number >= 1"),
    (f"{ON_HIT}retry=1", "unknown key retry; did you mean retries?"),
    (
        f"[events.auth_knowledge_base]\nhandler='{HERE}:on_hit'",
        f"handler: {HERE}:on_hit does not take this event; annotate its first parameter with "
        "wwspec_contracts.events.auth_knowledge_base.Event, or with a union that holds it",
    ),
    *(
        (f"[events.hit_keyword]\nhandler='{HERE}:{name}'", f"handler: {HERE}:{name}: {why}")
        for name, why in (
            ("NOTHING", "it is no function"),
            ("Hits", "it is no function"),
            ("without_event", "a handler takes an event and, if it wants, a context, by position"),
            ("with_three", "a handler takes an event and, if it wants, a context, by position"),
            ("by_name", "a handler takes an event and, if it wants, a context, by position"),
            ("of_anything", "annotate event with the Event of a module of wwspec_contracts.events"),
            ("of_nothing", "annotate event with the Event of a module of wwspec_contracts.events"),
            ("of_call", "annotate ctx of a def handler with wwspec_router.EventContext"),
            ("of_def", "annotate ctx of an async def handler with wwspec_router.AsyncEventContext"),
            ("returns_text", "annotate the return value with None or a subclass of wwspec_router.Contract"),
            ("returns", "annotate the return value with None or a subclass of wwspec_router.Contract"),
            ("yields", "a handler returns its result, it can't be a generator"),
        )
    ),
    (
        f"[events.hit_keyword]\nhandler='{HERE}:returns_null'",
        f"handler: {HERE}:returns_null returns $.maybe: may be null",
    ),
    ("[notifications.digest]\ncontract='nope:y'", "contract: nope: there is no such module in "),
    (f"[notifications.digest]\ncontract='{HERE}:on_hit'", f"contract: {HERE}:on_hit is no subclass of "),
    (f"[notifications.digest]\ncontract='{HERE}:Nullable'", f"contract: {HERE}:Nullable $.maybe: may be null"),
    (f"[notifications.daily-digest]\ncontract='{HERE}:Hits'", "a kind is a key of JSON made of letters, digits and _"),
    (f"[notifications.class]\ncontract='{HERE}:Hits'", "a kind is a key of JSON made of letters, digits and _"),
    *(
        (
            f"[notifications.{key}]\ncontract='{HERE}:Hits'",
            f"in get_callback_data {key} is a key of {of}; choose another",
        )
        for key, of in (("hit_keyword", "event hit_keyword"), ("errmsg", "every reply"))
    ),
    ("[abilities.'event:x']\napi='sync_msg'", "ability IDs that begin with event: or notify: are"),
    ("[passthrough]\nprefix='event:'", "prefix: ability IDs that begin with event: or notify: are"),
    ("[func]\nprefix='event:a'", "prefix: ability IDs that begin with event: or notify: are"),
]


@for_each(FAULTS)
def test_a_fault_is_told_with_file_line_row_and_fix(text: str, message: str, tmp_path: Path) -> None:
    [fault] = faults(tmp_path, text)
    place, _, what = fault.partition("]: ")
    assert place.startswith("registry.toml:1 [")
    assert what.startswith(message)
    assert fault.isprintable()


def test_one_type_under_two_kinds_is_a_fault(tmp_path: Path) -> None:
    text = f"[notifications.one]\ncontract='{HERE}:Hits'\n[notifications.two]\ncontract='{HERE}:Hits'"
    [fault] = faults(tmp_path, text)
    where = "registry.toml:3 [notifications.two]: contract: "
    assert fault.startswith(f"{where}{HERE}:Hits is also that of registry.toml:1 [notifications.one]; give each kind ")


def test_a_kind_must_not_be_the_key_of_a_result(tmp_path: Path) -> None:
    text = (
        f"[events.hit_keyword]\nhandler='{HERE}:on_hit'\nnotify='after'\n"
        f"[notifications.hit_keyword_result]\ncontract='{HERE}:Hits'"
    )
    [fault] = faults(tmp_path, text)
    assert fault.startswith("registry.toml:4 [notifications.hit_keyword_result]: in get_callback_data ")
    assert "is a key of registry.toml:1 [events.hit_keyword]" in fault.replace(f"{tmp_path}/", "")


def test_all_faults_of_all_rows_are_told_at_once(tmp_path: Path) -> None:
    text = (
        "[abilities.a]\napi='nope'\n[events.nope]\nhandler='x:y'\n[events.hit_keyword]\nhandler='x:y'\n"
        "[notifications.b]\ncontract='x:y'"
    )
    assert len(faults(tmp_path, text)) == 4


def test_the_program_refuses_to_start_without_threads_for_its_events(tmp_path: Path) -> None:
    from wwspec_contracts.errors import ConfigurationError
    from wwspec_router.config import SdkSource, Settings
    from wwspec_router.serving.program import create_program

    write_files(tmp_path, {"registry.toml": f"[abilities.a]\napi='sync_msg'\n{ON_HIT}"})
    settings = Settings(
        app=ROOT, registry=tmp_path / "registry.toml", store="memory:", sdk=SdkSource.EMULATOR, job_threads=0
    )
    with pytest.raises(ConfigurationError, match="--job-threads 0: the program has code that runs on events"):
        create_program(settings, is_alone=True)

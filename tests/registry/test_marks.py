"""`[program] modules`: marks become what rows of a registry file are, with the same faults; the two never mix."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apps import write_files
from wwspec_contracts.errors import RegistryError
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.registry.targets import HandlerTarget

HEAD = """\
from functools import cache, wraps
from wwspec_contracts.events import conversation_new_message, hit_keyword
from wwspec_router import Contract, Output, ability, notification, on_event
class Order(Contract):
    id: str = ""; trace: str = ""
def of_no_mark(request: Order) -> Output: ...
"""
"""Six lines, so that a mark begins at line 7."""
HELLO = "@ability\ndef hello(request: Order) -> Output: ...\n"
ON_HIT = "@on_event(retries=6, notify='never')\ndef on_hit(event: hit_keyword.Event) -> None: ...\n"
MODULES = "[program]\nmodules = ['marked']\n"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Path]:
    """A folder whose modules no other test sees."""
    before = {*sys.modules}
    yield tmp_path
    sys.path.remove(str(tmp_path.resolve()))
    for name in {"marked", "other", "shop", "shop.orders"} & (sys.modules.keys() - before):
        del sys.modules[name]


def table_of(app: Path, code: str, rows: str = "", **others: str) -> AbilityTable:
    files = {"marked.py": HEAD + code, "registry.toml": rows if "[program]" in rows else MODULES + rows}
    write_files(app, {**files, **{f"{name}.py": text for name, text in others.items()}})
    return build_table(app, app / "registry.toml")


def faults(app: Path, code: str, rows: str = "", **others: str) -> list[str]:
    with pytest.raises(RegistryError) as caught:
        table_of(app, code, rows, **others)
    return [each.replace(f"{app}/", "") for each in caught.value.faults]


def test_a_function_is_the_ability_of_its_name(app: Path) -> None:
    code = f"{HELLO}@ability(timeout=5, concurrency=2, once={{'key': 'id'}}, trace='trace')\n"
    table = table_of(app, f"{code}async def bye(request: Order) -> Output: ...\n")
    assert {name: each.place for name, each in table.abilities.items()} == {
        "hello": "marked.py:7 hello",
        "bye": "marked.py:9 bye",
    }
    bye = table.abilities["bye"]
    assert (bye.timeout, bye.concurrency) == (5.0, 2)
    assert isinstance(bye.target, HandlerTarget)
    assert bye.target.once is not None
    assert (bye.target.once.key, bye.target.trace) == (("id",), ("trace",))
    assert table.abilities["hello"].timeout is None


def test_code_runs_on_each_event_that_its_annotation_names(app: Path) -> None:
    both = "@on_event\ndef on_both(event: conversation_new_message.Event | hit_keyword.Event) -> None: ...\n"
    table = table_of(app, both.replace("on_both", "first").replace(" | hit_keyword.Event", "") + ON_HIT)
    assert {name: each.place for name, each in table.event_targets.items()} == {
        "conversation_new_message": "marked.py:7 first",
        "hit_keyword": "marked.py:9 on_hit",
    }
    assert table.event_targets["hit_keyword"].row.retries == 6
    del sys.modules["marked"]
    assert set(table_of(app, both).event_targets) == {"conversation_new_message", "hit_keyword"}


def test_a_class_is_the_notification_of_its_name_and_one_derived_from_it_is_none(app: Path) -> None:
    code = "@notification\nclass DailyDigest(Order): ...\nclass Weekly(DailyDigest): ...\nSAMPLE = DailyDigest()\n"
    table = table_of(app, code + HELLO)
    assert {type_.__name__: kind.name for type_, kind in table.kinds.items()} == {"DailyDigest": "daily_digest"}


def test_only_marks_of_modules_that_are_named_count(app: Path) -> None:
    other = HEAD + HELLO.replace("hello", "elsewhere")
    assert set(
        table_of(app, f"from other import elsewhere\nagain = elsewhere\n{HELLO}also = hello\n", other=other).abilities
    ) == {"hello"}
    rows = "[program]\nmodules = ['other', 'marked', 'other']\n"
    assert list(table_of(app, HELLO, rows).abilities) == ["elsewhere", "hello"]


def test_a_row_may_give_a_marked_function_another_id(app: Path) -> None:
    table = table_of(app, HELLO, "[abilities.greet]\nhandler = 'marked:hello'\ntimeout = 3.0\n")
    assert {name: each.timeout for name, each in table.abilities.items()} == {"greet": 3.0, "hello": None}


def marked(keywords: str, of: str = "ability") -> str:
    taken = "request: Order" if of == "ability" else "event: hit_keyword.Event"
    return f"@{of}({keywords})\ndef f({taken}) -> {'Output' if of == 'ability' else 'None'}: ...\n"


ROW = "registry.toml:3 [abilities.hello]"
TWICE = "hello is already declared at"


FAULTS_OF_A_MARK = [
    # as of a row
    (marked("timout=5"), "f: unknown key timout; did you mean timeout?"),
    (marked("once={'key': 'no'}"), "f: once: key: no: the request's contract has no key no there; known: id, trace"),
    (marked("api='sync_msg'"), "f: give exactly one of api, handler and kind (api and handler given)"),
    (marked("handler='a:b'"), "f: unknown key handler; a mark is on what it names"),
    (marked("retry=1", "on_event"), "f: unknown key retry; did you mean retries?"),
    # what has no effect
    (f"@cache\n{HELLO}", "hello: another decorator is above its mark; put the mark on top"),
]
FAULTS_OF_MODULES = [
    ("marcked", "marcked: there is no such module in {app}; did you mean marked?"),
    ("json", "json is a module of Python itself; the application's own modules are in {app}"),
    ("", "must be a text of length >= 1 - at $[0]"),
]
OF_NAMES = "@ability takes keywords only: the ability ID is the function's name, or that of a row"
FAULTS_OF_IMPORTS = [
    *((marked(given), "", OF_NAMES) for given in ("'f'", "5")),
    # reported once, though a row names it too
    (
        "@ability\ndef hello(request) -> Output: ...\n",
        "[abilities.bye]\nhandler = 'marked:hello'\n",
        "hello: annotate request with a subclass of wwspec_router.Contract",
    ),
]
TWO_FOR_ONE = [
    (HELLO, "[abilities.hello]\napi = 'sync_msg'\n", f"marked.py:7 hello: {TWICE} {ROW}; keep one of the two"),
    (
        ON_HIT + ON_HIT.replace("on_hit", "also"),
        "",
        "marked.py:9 also: hit_keyword is already declared at marked.py:7 on_hit; keep one of the two",
    ),
    (HELLO + HELLO, "", "marked.py:9 hello: its name is already marked at marked.py:7; rename one of the two"),
    (
        "@notification\nclass Hits(Order): ...\n",
        "[notifications.hits]\ncontract = 'marked:Order'\n",
        "marked.py:7 Hits: hits is already declared at registry.toml:3 [notifications.hits]; keep one of the two",
    ),
    (
        HELLO.replace("hello", "invoke_sync_msg"),
        "[passthrough]\nprefix = 'invoke_'\n",
        "registry.toml:3 [passthrough]: ability ID invoke_sync_msg is already declared at marked.py:7 "
        "invoke_sync_msg; keep one of the two, or list the wanted names in apis",
    ),
    # keywords beside a row
    (
        marked("timeout=5, concurrency=1"),
        "[abilities.other]\nhandler = 'marked:f'\n",
        "registry.toml:3 [abilities.other]: marked:f has timeout, concurrency at marked.py:7 f, too; "
        "put them into the row",
    ),
    (
        ON_HIT,
        "[program]\n[events.hit_keyword]\nhandler = 'marked:on_hit'\n",
        "registry.toml:2 [events.hit_keyword]: marked:on_hit has retries, notify at marked.py:7 on_hit, too; "
        "put them into the row",
    ),
]
FAULTS = [
    *((code, "", f"marked.py:7 {fault}") for code, fault in FAULTS_OF_A_MARK),
    *(
        ("", f"[program]\nmodules = ['{name}']\n", f"registry.toml:1 [program]: modules: {fault}")
        for name, fault in FAULTS_OF_MODULES
    ),
    *(
        (code, rows, f"registry.toml:1 [program]: modules: marked can't be imported: marked.py:7: TypeError: {fault}")
        for code, rows, fault in FAULTS_OF_IMPORTS
    ),
    *TWO_FOR_ONE,
]


@pytest.mark.parametrize(("code", "rows", "fault"), FAULTS)
def test_a_fault_names_the_mark_and_what_it_is_in_conflict_with(app: Path, code: str, rows: str, fault: str) -> None:
    assert faults(app, code, rows) == [fault.replace("{app}", str(app))]


def test_a_fault_lies_in_the_program_also_beside_its_environment(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(app / ".venv"))
    library = app / ".venv" / "lib"
    write_files(library, {"greeting.py": "def greet(): raise ValueError('no greeting')\n"})
    code = f"import runpy\nrunpy.run_path('{library / 'greeting.py'}')['greet']()\n"
    [fault] = faults(app, code)
    assert fault.endswith("marked can't be imported: marked.py:8: ValueError: no greeting")

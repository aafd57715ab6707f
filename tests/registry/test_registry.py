import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.support.apps import ROOT, check_app, write_files
from tests.support.tables import for_each
from torture.fuzz_inputs import strategies
from wwspec_contracts.errors import ConfigurationError, RegistryError
from wwspec_router.registry.file import Passthrough, Program, parse_registry
from wwspec_router.registry.table import build_table, check_configuration
from wwspec_router.registry.targets import ApiTarget


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "registry.toml"


def faults(registry: Path, text: str) -> list[str]:
    """Return the faults of a registry file over the reference application, without the folder's name."""
    registry.write_text(text, encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        build_table(ROOT, registry)
    found = [fault.replace(f"{registry.parent}/", "") for fault in caught.value.faults]
    assert all(fault.startswith("registry.toml") and fault.isprintable() for fault in found)
    return found


def test_the_reference_registry_has_no_fault() -> None:
    table = build_table(ROOT, ROOT / "abilities" / "registry.toml")
    check_configuration(table)
    assert len(table.abilities) == 2 * len(table.api_contracts) + 2 + 9


PROGRAM = (
    "errcode, input_errcode, timeout_errcode, crash_errcode, unknown_errcode, overload_errcode, once_errcode, name, "
    "notify_ttl, told_for, timeout, lifespan, settings, around, modules"
)
TABLES = "passthrough, func, abilities, events, notifications, notify_scenes"

NOPE = (
    "SDK API nope has no contract; correct the name, or add its contract: the files of its examples as input and "
    "output of a row, or schemas/api/nope.py"
)

CURSER, TRACE = "curser: the request's contract has no key curser there; did you mean cursor?", "a traceparent"
PRINTABLE = "an ability ID is printable text, as it is in the admin console"
MODULE, MARK, ASK = "abilities.chat_digest", "@wwspec_router.ability", "write a handler that asks for the API"
DIGEST, DIGSET, ONCE = f"{MODULE}:digest", f"{MODULE}:digset", "[abilities.a.once]\n"
FREE = "take one that is free, such as 9001, 9002, 9003, 9004, or leave the key out"
FAULTS = [
    ("[abilitys]\n[abilities.a]\napi='sync_msg'", "registry.toml [abilitys]: unknown table; did you mean abilities?"),
    ("\n[program]\nerrcod = 1", "registry.toml:2 [program]: unknown key errcod; did you mean errcode?"),
    (
        "\n[program]\ntimeout_errcode = 9002\nunknown_errcode = 9002\ninput_errcode = 9001",
        "registry.toml:2 [program]: unknown_errcode: 9002 is the number of timeout_errcode, too; take one that is "
        "free, such as 9003, 9004, 9005, 9006, or leave the key out",
    ),
    ("program = 1", "registry.toml program: must be a table; write [program]"),
    ("abilities = []", "registry.toml abilities: must be a table; write [abilities]"),
    ("[abilities]\na = 1", "registry.toml [abilities.a]: must be a table of keys and values"),
    ("[abilities.\"a\\nb\"]\napi='sync_msg'", f'registry.toml [abilities."a\\nb"]: {PRINTABLE}'),
    ("[abilities.'a.b']\napi='nope'", f'registry.toml:1 [abilities."a.b"]: {NOPE}'),
    ("[ abilities.\"读 取\" ]\napi='nope'", f'registry.toml:1 [abilities."读 取"]: {NOPE}'),
]
FAULTS_OF_THE_PROGRAM = [
    ("zzz = 1", f"unknown key zzz; known: {PROGRAM}"),
    ("crash_errcode = 45009", f"crash_errcode: 45009 is an errcode of WeCom; {FREE}"),
    ("errcode = 5\ninput_errcode = 5", f"input_errcode: 5 is the number of errcode, too; {FREE}"),
    ("crash_errcode = 710661", f"crash_errcode: 710661 is the number of once_errcode, too; {FREE}"),
    ("errcode = 0", "errcode: must be a whole number >= 1"),
    ("notify_ttl = -1", "notify_ttl: must be a number > 0.0"),
    ('"a\\nb" = 1', f"unknown key a\\nb; known: {PROGRAM}"),
    ("notify_ttl=inf", "notify_ttl: must be a number <= 31536000.0"),
    ("errcode=2147483648", "errcode: must be a whole number <= 2147483647"),
]
FAULTS_OF_AN_ABILITY = [
    (
        "contract='a.json'",
        "unknown key contract; known: api, handler, kind, from_corps, apis, once, trace, input, output, "
        "timeout, concurrency, output_policy, drop_empty",
    ),
    ("handler='chat_digest:f'", f"handler: chat_digest: there is no such module in {ROOT}; did you mean {MODULE}?"),
    ("handler='abilities.nope:f'", f"handler: abilities.nope: there is no such module in {ROOT}"),
    ('kind = "jobs"\nfrom_corps = ["ww1"]', 'from_corps goes with kind = "forget" only'),
    ('kind = "forget"\nfrom_corps = [""]', "from_corps: must be a text of length >= 1 - at $[0]"),
    ("api='sync_msg'\nhandler='x:y'", "give exactly one of api, handler and kind (api and handler given)"),
    ("kind='''e\nho'''", "kind: 'e\\nho' is unknown; known: callback_data, func, status, jobs, forget"),
    ("api='sync_msg'\noutput_policy='lax'", "output_policy: 'lax' is unknown; known: prune, strict, off"),
    ("api='sync_msg'\napis='*'", 'apis goes with kind = "func" only'),
    ("kind='func'\noutput_policy='off'", 'output_policy goes with api, handler or kind = "callback_data" only'),
    ("kind='calback_data'", "kind: 'calback_data' is unknown; did you mean callback_data?"),
    (f"handler='{MODULE}.digest'", f'handler: "{MODULE}.digest" must have the form "{DIGEST}"'),
    ("api='sync_msg'\ntimeout=nan", "timeout: must be a number > 0.0"),
    ("api='sync_msg'\ntimeout=inf", "timeout: must be a number <= 31536000.0"),
    (f"handler='{MODULE}'", f'handler: "{MODULE}" must have the form "{MODULE}:function"'),
    (f"handler='{DIGSET}'", f'handler: "{DIGSET}": module {MODULE} has no attribute digset; did you mean digest?'),
    (f"handler='{MODULE}:_counts'", f"handler: {MODULE}:_counts is no handler; mark a function with {MARK}"),
    (f"api='sync_msg'\n{ONCE}key='*'", f"once goes with handler only; {ASK}, and give it the ability ID"),
    ("api='sync_msg'\ntrace='cursor'", "trace goes with handler only; no other request has a key for a traceparent"),
]
FAULTS_OF_A_HANDLER = [
    ("drop_empty=true", 'drop_empty goes with api or kind = "func" only'),
    (f"{ONCE}ttl=5", "once: missing key key"),
    (f"{ONCE}key='*'\nttk=5", "once: unknown key ttk; did you mean ttl?"),
    ("once='cursor'", "once: must be a table of keys and values"),
    (f"{ONCE}key='*'\nttl=0", "once: ttl: must be a number > 0.0"),
    (f"{ONCE}key='curser'", f"once: key: {CURSER}"),
    (f"{ONCE}key='cursor.id'", "once: key: cursor.id: id is looked for in what is no object in the request's contract"),
    (f"{ONCE}key='cursor'\nignore=['cursor']", "once: ignore: cursor is the key; leave it out"),
    ("trace=1", "trace: must be a text, not a whole number"),
    ("trace='curser'", f"trace: {CURSER}"),
    (
        "trace='limit'",
        f'trace: limit: {TRACE} is a text that may be missing; declare the key as str, with the default ""',
    ),
    (
        f"trace='cursor'\n{ONCE}key='cursor'",
        f"trace: cursor is the key of once, which is the same in repeats; {TRACE} is another one each time",
    ),
]
FAULTS_OF_FUNCTIONS = [
    (
        f"do_async_job='{DIGEST}'",
        f"functions: {DIGEST} and the fetching of stored events would both answer input.func do_async_job; name the "
        "function otherwise",
    ),
    (f"''='{DIGEST}'", "functions: a function's name is printable text, as input.func has it"),
    (
        f"sync_msg='{DIGEST}'",
        f"functions: {DIGEST} and SDK API sync_msg would both answer input.func sync_msg; name the function otherwise, "
        "or leave the API out of apis",
    ),
    (
        f"count='{DIGSET}'",
        f'functions: count: "{DIGSET}": module {MODULE} has no attribute digset; did you mean digest?',
    ),
]
FAULTS_OF_OTHER_TABLES = [
    ("notify_scenes", "hit_keyword = -1", "hit_keyword: must be a whole number from 0 to 255"),
    ("notify_scenes", "hit_keyword = true", "hit_keyword: must be a whole number from 0 to 255"),
    ("notify_scenes", "hit_keywords = 1", "event hit_keywords has no contract; did you mean hit_keyword?"),
    ("passthrough", "apis='*'", "missing key prefix"),
    ("passthrough", "prefix='x'\napis='x'", 'apis: write "*" for every API, or a list of names, such as ["x"]'),
    ("func", "prefix=''", "prefix: must be a text of length >= 1"),
    ("abilities.f", "kind='func'\napis=['nope']", NOPE),
    ('abilities."a "', "api='sync_msg'", "an ability ID neither begins nor ends with a space"),
    ('abilities.""', "api='sync_msg'", PRINTABLE),
    ("abilities.a", "api='sync_mgs'", "SDK API sync_mgs has no contract; did you mean sync_msg?"),
    (
        "events.hit_keyword",
        "handler='abilities.archive:on_consent'\nonce={}",
        "once: must be true or false, not a table",
    ),
]
FUNCTIONS = "prefix='f_'\napis=['sync_msg']\n[func.functions]\n"
ROWS = [
    *FAULTS_OF_OTHER_TABLES,
    *(("func", f"{FUNCTIONS}{row}", fault) for row, fault in FAULTS_OF_FUNCTIONS),
    *(("program", row, fault) for row, fault in FAULTS_OF_THE_PROGRAM),
    *(("abilities.a", row, fault) for row, fault in FAULTS_OF_AN_ABILITY),
    *(("abilities.a", f"handler='{DIGEST}'\n{row}", fault) for row, fault in FAULTS_OF_A_HANDLER),
]


@for_each(FAULTS)
def test_a_fault_is_reported_with_file_line_row_and_fix(text: str, fault: str, registry: Path) -> None:
    assert faults(registry, text) == [fault]


@for_each(ROWS)
def test_a_fault_of_a_row_is_reported_with_the_fix(table: str, row: str, fault: str, registry: Path) -> None:
    assert faults(registry, f"[{table}]\n{row}") == [f"registry.toml:1 [{table}]: {fault}"]


@for_each(["sys", "builtins", "json", "wwspec_router.handlers.ability"])
def test_a_handler_outside_of_the_application_is_refused(module: str, registry: Path) -> None:
    [fault] = faults(registry, f"[abilities.a]\nhandler='{module}:path'")
    if module == "wwspec_router.handlers.ability":  # it is in the application's folder, as the reference does
        assert fault.endswith("has no attribute path")
    else:
        assert fault.startswith(f"registry.toml:1 [abilities.a]: handler: {module} ")


@for_each(["", ":", "a:", ":b", ".a:b", "a..b:c", "a\\u0000b:c", "abilities:x:y", "x" * 5000 + ":f"])
def test_a_malformed_handler_is_one_fault(handler: str, registry: Path) -> None:
    [fault] = faults(registry, f'[abilities.a]\nhandler="{handler}"')
    assert fault.startswith("registry.toml:1 [abilities.a]: handler: ")


def test_all_faults_of_a_file_are_told_at_once_in_its_order(registry: Path) -> None:
    text = """
[zoo]
[program]
errcode = "x"
nam = 1
[abilities.one]
api = "nope"
[abilities.two]
[abilities.four]
handler = "abilities.chat_digest:Count"
[notify_scenes]
nope_b = 1
hit_keyword = 1000
"""
    assert faults(registry, text) == [
        f"registry.toml [zoo]: unknown table; known: program, {TABLES}",
        "registry.toml:8 [abilities.two]: give exactly one of api, handler and kind (none given)",
        "registry.toml:3 [program]: errcode: must be a whole number, not a text",
        "registry.toml:3 [program]: unknown key nam; did you mean name?",
        "registry.toml:11 [notify_scenes]: hit_keyword: must be a whole number from 0 to 255",
        f"registry.toml:6 [abilities.one]: {NOPE}",
        f"registry.toml:9 [abilities.four]: handler: {MODULE}:Count is no handler; mark a function with {MARK}",
        "registry.toml:11 [notify_scenes]: event nope_b has no contract; correct the name, or add "
        "schemas/events/nope_b.py",
    ]


@for_each(
    [
        ("[passthrough]\nprefix='p_'\napis=['sync_msg']\n[abilities.p_sync_msg]\napi='search_msg'", "p_sync_msg"),
        ("[func]\nprefix='p_'\napis=['sync_msg']\n[abilities.p_do_async_job]\nkind='callback_data'", "p_do_async_job"),
    ]
)
def test_an_ability_id_made_by_a_prefix_must_not_be_declared_twice(text: str, ability_id: str, registry: Path) -> None:
    table = "passthrough" if "passthrough" in text else "func"
    assert faults(registry, text) == [
        f"registry.toml:1 [{table}]: ability ID {ability_id} is already declared at "
        f"registry.toml:4 [abilities.{ability_id}]; keep one of the two, or list the wanted names in apis"
    ]


def test_neither_two_prefixes_nor_one_must_make_the_same_ability_id_twice(registry: Path) -> None:
    twice = "[passthrough]\nprefix='p_'\napis=['sync_msg']\n\n[func]\nprefix='p_'\napis=['sync_msg']"
    [fault] = faults(registry, twice)
    assert fault.startswith("registry.toml:5 [func]: ability ID p_sync_msg is already declared at registry.toml:1")
    [fault] = faults(registry, "[passthrough]\nprefix='p_'\napis=['sync_msg', 'sync_msg']")
    assert "ability ID p_sync_msg is already declared" in fault


@for_each(
    [
        (b"[program\n", r"registry.toml:1: not valid TOML: .*column 9"),
        (b"[program]\n[program]\n", r"registry.toml:2: not valid TOML: "),
        (b"\n\n[program]\nname = [1,\n", r"registry.toml:4: not valid TOML: .*the file ends here"),
        (b"\nname = '\xff'", r"registry.toml:2: is not text in UTF-8: save it as UTF-8 without BOM"),
        (b"\xef\xbb\xbf[program]", r"registry.toml:1: begins with a byte order mark \(BOM\).*: save it as UTF-8 "),
        ("[program]".encode("utf-16"), r"registry.toml:1: is text in UTF-16: save it as UTF-8 without BOM"),
        (b"a = " + b"9" * 5000, r"registry.toml: not valid TOML: "),
        (b"a = " + b"[" * 20_000, r"registry.toml: not valid TOML: "),
        (b"a = " + b"{a=" * 20_000, r"registry.toml: not valid TOML: "),
        *[
            (b"\n" + deep, r"registry.toml:2: not valid TOML: nested too deeply: a key has more than 32 parts$")
            for deep in (
                b"a." * 99_999 + b"a = 1",
                b"[" + b"a." * 99_999 + b"a]",
                b"[[abilities." + b"'a b' . " * 20_000 + b"a]]",
                b"a = {" + b'"a".' * 50_000 + b"a = 1}",
            )
        ],
        (b"a." * 31 + b"a = '" + b"a. , " * 20_000 + b"." * 100_000 + b"'", r"registry.toml \[a\]: unknown table"),
    ]
)
def test_a_file_that_is_not_toml_is_one_fault(content: bytes, fault: str, registry: Path) -> None:
    registry.write_bytes(content)
    try:
        [found] = parse_registry(registry)[1]
    except RegistryError as error:
        [found] = error.faults
    assert re.match(fault, found.replace(f"{registry.parent}/", ""))
    assert len(found) < 500


def test_what_is_no_regular_file_or_too_large_is_told_and_not_read(registry: Path) -> None:
    with pytest.raises(RegistryError, match=r"there is no such file; .* the file with --registry"):
        parse_registry(registry)
    with pytest.raises(RegistryError, match="is a folder; name a TOML file"):
        parse_registry(registry.parent)
    with pytest.raises(RegistryError, match="^/dev/zero: is a device or a pipe; name a TOML file$"):
        parse_registry(Path("/dev/zero"))
    os.mkfifo(registry)
    with pytest.raises(RegistryError, match="is a device or a pipe"):
        parse_registry(registry)
    registry.unlink()
    with registry.open("wb") as file:
        file.truncate((4 << 20) + 1)
    with pytest.raises(RegistryError, match="has more than 4 MiB"):
        parse_registry(registry)


def test_a_registry_that_declares_nothing_is_refused_at_start(registry: Path) -> None:
    registry.write_text("")
    table = build_table(ROOT, registry)
    with pytest.raises(ConfigurationError, match=r"no ability is declared; add \[passthrough\] or a table"):
        check_configuration(table)


def test_a_registry_is_read_whole(registry: Path) -> None:
    registry.write_text(
        "[program]\nname='x'\nerrcode=5\nnotify_ttl=600\ntimeout=2\n[passthrough]\nprefix='p_'\napis=['sync_msg']\n"
        "drop_empty=true\n[notify_scenes]\nhit_keyword=255\n[abilities.'a b']\napi='sync_msg'\ntimeout=1\n"
        "output_policy='strict'\n"
    )
    read, faults = parse_registry(registry)
    assert faults == []
    assert read.program == Program(name="x", errcode=5, notify_ttl=600.0, timeout=2.0)
    assert read.passthrough == Passthrough(prefix="p_", apis=["sync_msg"], drop_empty=True)
    assert (read.func, read.notify_scenes) == (None, {"hit_keyword": 255})
    assert read.place("abilities", "a b") == f'{registry}:12 [abilities."a b"]'


def test_abilities_of_one_api_share_their_codecs(registry: Path) -> None:
    registry.write_text("[abilities.a]\napi='sync_msg'\n[abilities.b]\napi='sync_msg'\n")
    one, two = (each.target for each in build_table(ROOT, registry).abilities.values())
    assert isinstance(one, ApiTarget)
    assert isinstance(two, ApiTarget)
    assert one.output is two.output


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(strategies()["registry"])
@example(b'abilities = {"a" = {api = "sync_msg"}}')
def test_arbitrary_text_is_read_or_refused_as_a_registry(registry: Path, content: bytes) -> None:
    registry.write_bytes(content)
    try:
        build_table(ROOT, registry)
    except RegistryError as error:
        assert error.faults
        assert all("\n" not in fault for fault in error.faults)


FAULTY = {
    "abilities/__init__.py": "",
    "schemas/__init__.py": "",
    "schemas/api/__init__.py": "",
    "schemas/events/__init__.py": "",
    "abilities/broken.py": "\n\nraise RuntimeError('at import')\n",
    "abilities/names.py": "from abilities import nothing\n",
    "abilities/shop.py": "from wwspec_router import Output, ability\n\n\n@ability\ndef f(request) -> Output: ...\n",
    "abilities/lacks.py": "from abilities.helprs import price\n",
    "abilities/helpers.py": "",
    "abilities/marks.py": """
from functools import wraps
from wwspec_router import Contract, Output, ability

class Shaped(Output):
    table: dict[str, int] = {}

class Nested(Contract):
    value: int | None = None

@ability
def unshowable(request: Nested) -> Shaped:
    raise NotImplementedError

@ability
def marked(request: Contract) -> Output:
    raise NotImplementedError

@wraps(marked)
def wrapped(request: Contract) -> Output:
    raise NotImplementedError
""",
    "abilities/registry.toml": "\n".join(
        f"[abilities.{number}]\nhandler = 'abilities.{name}'"
        for number, name in enumerate(
            ["broken:f", "names:f", "marks:unshowable", "marks:marked", "marks:wrapped", "shop:f", "lacks:f", "shp:f"]
        )
    ),
}


def test_each_faulty_handler_of_an_application_is_told(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "app", FAULTY)
    code, printed = check_app(folder)
    found = printed.replace(f"{folder.resolve()}/abilities/", "").replace(f"{folder.resolve()}", "APP").splitlines()
    assert code == 1
    imports = "can't be imported: abilities"
    assert found == [
        f"Error: registry.toml:1 [abilities.0]: handler: abilities.broken {imports}/broken.py:3: "
        "RuntimeError: at import",
        f"registry.toml:3 [abilities.1]: handler: abilities.names {imports}/names.py:1: "
        "ImportError: cannot import name 'nothing' from 'abilities' (__init__.py)",
        "registry.toml:5 [abilities.2]: input contract $.value: may be null, which the platform refuses; "
        "use UNSET to leave the key out (Nested at abilities/marks.py:8)",
        "registry.toml:5 [abilities.2]: output contract $.table: a mapping: the platform lets only listed keys pass; "
        "list them in a Contract (Shaped at abilities/marks.py:5)",
        "registry.toml:9 [abilities.4]: handler: abilities.marks:wrapped is no handler; "
        "mark a function with @wwspec_router.ability",
        f"registry.toml:11 [abilities.5]: handler: abilities.shop {imports}/shop.py:4: "
        "TypeError: f: annotate request with a subclass of wwspec_router.Contract",
        f"registry.toml:13 [abilities.6]: handler: abilities.lacks {imports}/lacks.py:1: "
        "abilities.helprs: there is no such module in APP; did you mean helpers?",
        "registry.toml:15 [abilities.7]: handler: abilities.shp: there is no such module in APP; did you mean shop?",
    ]


WRONG_DEFAULTS = {
    "abilities/shop.py": """\
from wwspec_contracts.events import hit_keyword
from wwspec_router import Contract, Output, ability


class Item(Contract):
    price: int = "free"


class Ask(Contract):
    limit: int = "many"
    items: list[Item] = []


class Reply(Output):
    total: int = None


class Told(Contract):
    count: int = 2**70


class Result(Contract):
    text: str = "\\ud800"


@ability
def shop(request: Ask) -> Reply:
    raise NotImplementedError


def on_hit(event: hit_keyword.Event) -> Result:
    raise NotImplementedError
""",
    "abilities/own.py": """\
import msgspec

from wwspec_router import Secret


def region() -> str:
    raise KeyError("REGION")


class Settings(msgspec.Struct):
    retries: int = "three"
    region: str = msgspec.field(default_factory=region)
    token: Secret = "s3cret"
""",
    "schemas/api/sync_msg.py": """\
from wwspec_contracts.api import sync_msg


class Request(sync_msg.Request):
    limit: int = 1.5


class Response(sync_msg.Response):
    pass
""",
    "abilities/registry.toml": """\
[abilities.shop]
handler = "abilities.shop:shop"
[events.hit_keyword]
handler = "abilities.shop:on_hit"
[notifications.told]
contract = "abilities.shop:Told"
""",
}


def test_a_default_that_does_not_fit_is_a_fault_wherever_a_contract_is_used(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "app", {key: text for key, text in WRONG_DEFAULTS.items() if "schemas" not in key})
    code, printed = check_app(folder)
    said = printed.replace(f"{folder.resolve()}/abilities/", "").replace(OTHER_DEFAULT, "").splitlines()
    assert (code, said) == (
        1,
        [
            r"Error: registry.toml:3 [events.hit_keyword]: handler: abilities.shop:on_hit returns $.text: its "
            r"default '\ud800' is no Unicode text: take the lone surrogate out (Result at abilities/shop.py:22)",
            "registry.toml:5 [notifications.told]: contract: abilities.shop:Told $.count: its default "
            f"{2**70} does not fit: expected int <= {2**63 - 1} (Told at abilities/shop.py:18)",
            "registry.toml:1 [abilities.shop]: input contract $.limit: its default 'many' does not fit: expected "
            "int, got str (Ask at abilities/shop.py:9)",
            "registry.toml:1 [abilities.shop]: input contract Item.price: its default 'free' does not fit: expected "
            "int, got str (Item at abilities/shop.py:5)",
            "registry.toml:1 [abilities.shop]: output contract $.total: its default None does not fit: expected "
            "int, got null (Reply at abilities/shop.py:14)",
        ],
    )


def test_a_default_of_an_own_contract_of_an_api_is_checked(tmp_path: Path) -> None:
    api = "schemas/api/sync_msg.py"
    folder = write_files(
        tmp_path, {api: WRONG_DEFAULTS[api], "abilities/registry.toml": "[passthrough]\nprefix = 'invoke_'\n"}
    )
    assert check_app(folder) == (
        1,
        "Error: schemas/api/sync_msg.py: Request $.limit: its default 1.5 does not fit: expected int, got float"
        f"{OTHER_DEFAULT} (Request at schemas/api/sync_msg.py:4)\n",
    )


OTHER_DEFAULT = "; write a default that fits the type, or a type that takes it"


def test_a_default_of_own_settings_is_checked_where_it_is_in_force(tmp_path: Path) -> None:
    registry = "[program]\nsettings = 'abilities.own:Settings'\n[abilities.a]\napi = 'sync_msg'\n"
    own = "abilities/own.py"
    folder = write_files(tmp_path, {own: WRONG_DEFAULTS[own], "abilities/registry.toml": registry})
    place = f"{tmp_path.resolve()}/abilities/registry.toml:1 [program]: settings: abilities.own:Settings"
    assert check_app(folder) == (
        1,
        f"Error: {place}.retries: its default 'three' does not fit: must be a whole number, not a text{OTHER_DEFAULT}\n"
        f"{place}.region: its default_factory ends with KeyError: 'REGION'\n"
        f'{place}.token: its default is no Secret; write Secret("") for an empty one, or none\n',
    )
    write_files(folder, {"wwspec.toml": "[app]\nretries = 3\nregion = 'east'\ntoken-file = 'token'\n", "token": "t"})
    assert check_app(folder)[0] == 0


ANY_TEXT = {
    "raises": "def __str__(self):\n        raise ValueError('no')",
    "number": "def __str__(self):\n        return 5",
    "long": "def __str__(self):\n        return 'x' * 5_000_000",
}


def test_an_error_of_the_application_is_told_in_short_whatever_its_text_does(tmp_path: Path) -> None:
    modules = {
        f"abilities/{name}.py": f"class Broken(Exception):\n    {text}\n\n\nraise Broken\n"
        for name, text in ANY_TEXT.items()
    }
    rows = "".join(f"[abilities.{name}]\nhandler = 'abilities.{name}:f'\n" for name in ANY_TEXT)
    folder = write_files(tmp_path, {**modules, "abilities/registry.toml": rows})
    code, printed = check_app(folder)
    places = [line.partition("imported: ")[2] for line in printed.splitlines()]
    assert (code, places) == (
        1,
        [
            "abilities/raises.py:6: Broken: (its __str__ ends with ValueError)",
            "abilities/number.py:6: Broken: (its __str__ ends with TypeError)",
            f"abilities/long.py:6: Broken: {'x' * 2000}… (5000000 characters)",
        ],
    )


def test_of_many_keys_that_an_api_lacks_some_are_named_and_the_others_counted(tmp_path: Path) -> None:
    example = {f"k{number}": 1 for number in range(5_000)}
    row = "[abilities.a]\napi = 'sync_msg'\ninput = 'in.json'\n"
    folder = write_files(tmp_path, {"in.json": json.dumps(example), "abilities/registry.toml": row})
    code, printed = check_app(folder)
    assert (code, len(printed.splitlines())) == (1, 21)
    assert printed.endswith(": input: 4980 more places do not fit (SDK API sync_msg)\n")

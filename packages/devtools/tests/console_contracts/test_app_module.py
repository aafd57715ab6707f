"""The module that an enterprise app imports: the program's contracts again, without the program."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, example as explicit, given, settings, strategies as st
from msgspec import UNSET, Meta, inspect as mi

from tests.support import command
from tests.support.apps import ROOT, python_anew, write_files
from tests.support.processes import finished
from tests.support.waiting import DEADLINE
from tests.support.zones import serve_zone
from wwspec_contracts.base import Contract, Flag, Output, Unsigned, max_bytes
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.app_module import OwnAbility, module_of
from wwspec_router.cli.main import main
from wwspec_router.codecs.from_example import contract_of_example
from wwspec_router.registry.file import Program

NASTY = {
    "abilities/registry.toml": """
        [program]
        name = "Shop 2"
        [abilities."price-check"]
        handler = "abilities.shop:price_check"
        [abilities.output]
        handler = "abilities.shop:left"
        once = { key = "list" }
        [abilities."库存"]
        handler = "abilities.shop:raw"
        input = "schemas/raw.input.json"
        output = "schemas/raw.output.json"
        once = { key = "*" }
        [abilities.short_sync_msg]
        api = "sync_msg"
        output = "schemas/short.output.json"
        [abilities.get_group_chat]
        api = "get_group_chat"
        [notifications.sold_out]
        contract = "schemas.stock:Item"
        [abilities.stored]
        kind = "callback_data"
    """,
    "abilities/shop.py": '''
from typing import Any
from schemas import prices, stock
from wwspec_router import ability

@ability
def price_check(request: prices.Request) -> prices.Response:
    """Say "how much", with a \\\\ and \\"\\"\\" inside\t."""
    return prices.Response(items=[prices.Item(price=request.limit)], kind=request.kind)

@ability
async def left(request: stock.Request) -> stock.Response:
    return stock.Response(left=[stock.Item(name=request.list_)])

@ability
def raw(request: dict[str, Any]) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "a-b": {"class": request.get("a-b", "?")}}
''',
    "schemas/prices.py": '''
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Literal
from uuid import UUID
from msgspec import Meta, field
from wwspec_router import UNSET, Contract, Output, UnsetType, max_bytes
from wwspec_contracts.base import Flag, Unsigned
from wwspec_contracts.tasks import MessageKey

class Kind(StrEnum):
    """Which price."""

    LIST = "list"
    """As printed."""
    SALE = "it's a \\\\ \\"sale\\""

class Level(IntEnum):
    LOW = 1
    HIGH = 2

class Colour(Enum):
    RED = "red"

class Item(Contract):
    """One price."""

    price: Annotated[int, Meta(ge=0, multiple_of=1, description="分", examples=[1999])]
    unit: Literal["分", "元"] = "分"

class Base(Contract):
    kind: Kind = field(default=Kind.SALE, name="type")
    """Which
    price."""

class Request(Base):
    """What to
    price:

        a  table
    """

    limit: Annotated[int, Meta(ge=1, le=1000)] = 200
    ability_id: str = ""
    colour: Colour = Colour.RED
    level: Level | UnsetType = UNSET
    flag: Flag = 0
    doc: Unsigned | UnsetType = UNSET
    keys: list[MessageKey] = []
    key: Annotated[str, max_bytes(64, min_length=1)] | UnsetType = field(default=UNSET, name="from")
    """Where "from"."""
    ratio: float = 0.5
    day: date = date(2026, 1, 31)
    date_: date | UnsetType = field(default=UNSET, name="date")
    days: list[date] = []
    at: datetime | UnsetType = UNSET
    hour: time = time(8, 30)
    lasts: timedelta = timedelta(minutes=90)
    exact: Decimal = Decimal("19.99")
    number: UUID = UUID(int=5)
    data: bytes = b"a'"
    place: tuple[float, float] = (31.2, 121.5)
    a_field: Annotated[str, Meta(pattern="^[a-z]{1,20}$", max_length=20, description="too long")] = "abc"

class Response(Output):
    items: list[Item] = []
    best: Item | UnsetType = UNSET
    kind: Kind = Kind.LIST
''',
    "schemas/stock.py": '''
from msgspec import field
from wwspec_router import Contract, Output

class Item(Contract):
    name: str = ""

class Request(Contract):
    list_: str = field(name="list")
    idempotency_field: str = ""
    int: list[Item] = []
    str: list[Item] = []

class Response(Output):
    left: list[Item] = []
''',
    "schemas/raw.input.json": '{"a-b": "x", "class": 1, "ﬁ": [{"list": 0.5}], "1": {"deep": {"er": [[1]]}}, "n": []}',
    "schemas/raw.output.json": '{"errcode": 0, "errmsg": "ok", "a-b": {"class": "x"}, "1": {"deep": 1}}',
    "schemas/short.output.json": '{"errcode": 0, "errmsg": "ok", "has_more": 1}',
}  # fmt: skip
"""An application whose contracts have everything that is awkward to write."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application, and its module in `app/`."""
    folder = write_files(tmp_path_factory.mktemp("shop"), NASTY)
    done = wwspec("--app", folder, "--client", folder / "app")
    assert done == f"{folder}/app/shop_2.py: written\n"
    return folder


def wwspec(*arguments: object, exit_code: int = 0) -> str:
    """Run `wwspec contracts` in a process of its own, since this one has imported other applications."""
    done = command.wwspec(ROOT, "contracts", *map(str, arguments))
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout + done.stderr


CALLS = """
import asyncio, datetime, json, sys
url, corpid, secret, program_id = sys.argv[1:]
import shop_2
from wwspec_client import AsyncZoneClient, ProgramError, ZoneClient
from wwspec_client.errors import ZoneClientError

app = {"corpid": corpid, "secret": secret, "program_id": program_id, "base_url": url}
with ZoneClient(**app) as client:
    found = client.call(shop_2.PriceCheck(limit=7))
    assert found == shop_2.PriceCheckResponse(items=[shop_2.PricesItem(price=7)], kind=shop_2.Kind.SALE), found
    assert client.submit(shop_2.PriceCheck(limit=8)).result(60).items[0].price == 8
    day = datetime.date(2026, 3, 1)
    assert client.call(shop_2.PriceCheck(limit=7, ratio=2, place=(1, 2), day=day, date_=day)).items[0].price == 7
    assert client.call(shop_2.库存(a_b="hi")).a_b.class_ == "hi"
    assert client.call(shop_2.OutputAbility(list_="x")).left == [shop_2.StockItem(name="x")]
    assert client.call(shop_2.ShortSyncMsg(limit=1)).has_more == 1
    try:
        client.call(shop_2.PriceCheck(limit=5000))
    except ProgramError as error:
        assert "$.limit" in str(error), error
    else:
        raise AssertionError("a limit of 5000 was taken")

async def later():
    async with AsyncZoneClient(**app) as client:
        return await client.call(shop_2.PriceCheck(limit=9))

assert asyncio.run(later()).items[0].price == 9
program = ("abilities", "schemas", "wwspec_router.registry", "wwspec_router.serving", "wwspec_router.kernel", "uvicorn")
assert not [name for name in sys.modules if name.startswith(program)], sorted(sys.modules)
print("done")
"""


@pytest.mark.slow  # a new interpreter and a zone; the tests above have each type
def test_an_app_without_the_program_calls_all_its_abilities_with_types(shop: Path) -> None:
    with serve_zone(shop) as zone:
        info = zone.client.info()
        arguments = (zone.client.url, info["corpid"], info["secret"], info["program_id"])
        assert python_anew(CALLS, *arguments, path=[shop / "app"]) == "done\n"
        program = run(shop / "app/shop_2.py")
        assert zone.call(program.PriceCheck(limit=3, ratio=2)).reply == program.PriceCheckResponse(
            items=[program.PricesItem(price=3)], kind=program.Kind.SALE
        )
        assert zone.submit(program.OutputAbility(list_="y")).result(DEADLINE).reply.left[0].name == "y"


@pytest.mark.slow  # two type checkers take ten seconds
def test_the_module_is_formatted_and_has_no_fault_for_mypy_and_pyright(shop: Path) -> None:
    """What is wrong in the app's calls is found in the lines that say so."""
    app = write_files(
        shop / "app",
        {
            "app.py": """\
from typing import assert_type

import shop_2
from wwspec_client import AsyncTask, AsyncZoneClient, Task, ZoneClient

def typed(client: ZoneClient) -> None:
    assert_type(client.call(shop_2.PriceCheck(limit=5)), shop_2.PriceCheckResponse)
    assert_type(client.submit(shop_2.PriceCheck()), Task[shop_2.PriceCheckResponse])
    assert_type(client.call(shop_2.Stored(), notify_id="n"), shop_2.Notified)
    client.call(shop_2.PriceCheck(limits=5))  # type: ignore[call-arg]
    client.call(shop_2.PriceCheck(kind="sale"))  # type: ignore[arg-type]
    client.call(shop_2.PriceCheck()).price  # type: ignore[attr-defined]

async def typed_async(client: AsyncZoneClient) -> None:
    assert_type(await client.call(shop_2.PriceCheck(limit=5)), shop_2.PriceCheckResponse)
    assert_type(await client.submit(shop_2.PriceCheck()), AsyncTask[shop_2.PriceCheckResponse])
""",
            "pyrightconfig.json": json.dumps({"typeCheckingMode": "strict", "enableTypeIgnoreComments": False}),
        },
    )
    for tool in (
        ("ruff", "format", "--isolated", "--line-length", "120", "--check", "shop_2.py"),
        ("mypy", "--strict", "--warn-unused-ignores", "--cache-dir", str(shop / ".mypy"), "app.py", "shop_2.py"),
    ):
        done = finished(sys.executable, "-m", *tool, cwd=app)
        assert done.returncode == 0, done.stdout + done.stderr
    pyright = ("basedpyright", "--pythonpath", sys.executable, "--outputjson", "--level", "error")
    done = finished(sys.executable, "-m", *pyright, cwd=app)
    found = {each["range"]["start"]["line"] for each in json.loads(done.stdout)["generalDiagnostics"]}
    lines = (app / "app.py").read_text("utf-8").splitlines()
    assert found == {number for number, line in enumerate(lines) if "# type: ignore" in line}, done.stdout


def run(path: Path) -> ModuleType:
    """Return the module of a file."""
    module = sys.modules[path.stem] = ModuleType(path.stem)  # msgspec looks up annotations there
    exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)  # noqa: S102 - what these tests are about
    return module


def test_check_shows_what_has_changed_and_writes_nothing(shop: Path, tmp_path: Path) -> None:
    write_files(tmp_path, NASTY)
    app = ("--app", tmp_path, "--client", tmp_path / "app")
    assert "+class PriceCheck(" in wwspec(*app, "--check", exit_code=1)
    assert not (tmp_path / "app").exists()
    wwspec(*app)
    assert (tmp_path / "app/shop_2.py").read_bytes() == (shop / "app/shop_2.py").read_bytes()
    assert wwspec(*app, "--check") == f"{tmp_path}/app/shop_2.py: no difference\n"
    prices = tmp_path / "schemas/prices.py"
    prices.write_text(prices.read_text("utf-8").replace("le=1000", "le=500"), "utf-8")
    said = wwspec(*app, "--check", exit_code=1)
    assert (
        "\n-    limit: Annotated[int, Meta(ge=1, le=1000)] = 200"
        "\n+    limit: Annotated[int, Meta(ge=1, le=500)] = 200\n" in said
    )
    assert said.endswith(
        f"Error: {tmp_path}/app/shop_2.py is old: `wwspec contracts --client {tmp_path}/app` writes it\n"
    )


def test_what_cant_be_written_is_named_with_ability_and_path(tmp_path: Path) -> None:
    files = {
        "abilities/registry.toml": """
            [program]
            name = "shop"
            [abilities.price_check]
            handler = "abilities.shop:price_check"
            [abilities.price-check]
            handler = "abilities.shop:price_check"
            [abilities."123"]
            handler = "abilities.shop:price_check"
            [abilities."!"]
            handler = "abilities.shop:price_check"
        """,
        "abilities/shop.py": """
from enum import StrEnum
from msgspec import field
from wwspec_router import Contract, Output, ability

class Lenient(StrEnum):
    A = "a"
    @classmethod
    def _missing_(cls, value: object) -> "Lenient":
        return cls.A

class Item(Contract):
    kind: Lenient = Lenient.A

class Request(Contract):
    names: list[str] = field(default_factory=lambda: ["a"])
    items: list[Item] = []

@ability
def price_check(request: Request) -> Output:
    return Output()
""",
    }
    write_files(tmp_path, files)
    app = ("--app", tmp_path, "--client", tmp_path / "app")
    said = wwspec(*app, exit_code=1)
    assert (
        "[abilities.price-check]: the class of ability price-check would be PriceCheck, as is the ability price_check"
        in said
    )
    assert '[abilities."!"]: the class of ability ! has no letter; give it another ID' in said
    registry = tmp_path / "abilities/registry.toml"
    registry.write_text(registry.read_text("utf-8").replace("price-check", "priced").replace('"!"', "fine"), "utf-8")
    said = wwspec(*app, exit_code=1)
    assert "ability price_check: input $.names: its default is made by a function; give a value, or UNSET" in said
    assert "ability price_check: input $.items[].kind: Lenient._missing_ can't be copied" in said
    assert not (tmp_path / "app").exists()


@pytest.mark.parametrize("name", ["os", "JSON", "msgspec", "wwspec-contracts"])
def test_a_program_of_the_name_of_a_module_that_others_import_is_refused(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {"abilities/registry.toml": f"[program]\nname = '{name}'\n"})
    said = wwspec("--app", tmp_path, "--client", tmp_path / "app", exit_code=1)
    module = name.lower().replace("-", "_")
    assert f"[program]: name: {module}.py would hide the module {module} that Python programs import" in said
    assert not (tmp_path / "app").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--check",), "--check goes with --client"),
        (("--client", "x", "--json-schema"), "give --diff or --client alone; --json-schema and --out go"),
        (("--client", "x", "chat_digest"), "--client writes all abilities: name none"),
    ],
)
def test_wrong_usage_says_what_goes_together(arguments: tuple[str, ...], said: str) -> None:
    done: Result = CliRunner().invoke(main, ["contracts", *arguments])
    assert done.exit_code == 2
    assert said in done.stderr


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\\\'), min_size=1, max_size=8)
EXAMPLES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9) | TEXT,
    lambda inner: st.lists(inner, max_size=1) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
LIMITED: Any = st.sampled_from(
    [
        (str, TEXT),
        (int, st.integers(-(2**63), 2**63 - 1)),
        (float, st.floats(allow_nan=False, allow_infinity=False)),
        (bool, st.booleans()),
        (Flag, st.sampled_from([0, 1])),
        (Unsigned, st.integers(0, 2**63)),
        (Annotated[str, max_bytes(12)], TEXT),
        (Annotated[str, Meta(pattern="^[\"'\\\\]*$", description="\"'\\n茶")], st.just("")),
        (Annotated[float, Meta(gt=-1e300, lt=1.5)], st.floats(-5, 1)),
        (Literal["a", 'b"', "c'"], st.just("a")),
        (Literal[1, 2], st.just(2)),
        (Colour, st.sampled_from(Colour)),
        (list[str], st.just([])),
        (list[list[Annotated[int, Meta(ge=1)]]], st.just([])),
        (date, st.dates()),
        (datetime, st.datetimes(timezones=st.just(UTC))),
        (Annotated[datetime, Meta(tz=True, examples=[datetime(2026, 1, 31, tzinfo=UTC)])], st.just(None)),
        (time, st.times()),
        (timedelta, st.timedeltas()),
        (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
        (UUID, st.uuids()),
        (Annotated[bytes, Meta(max_length=9)], st.binary(max_size=9)),
        (tuple[float, float], st.tuples(st.just(0.5), st.just(1.5))),
        (tuple[Decimal, ...], st.just(())),
    ]
)


@st.composite
def contracts(draw: st.DrawFn, depth: int = 2) -> type[Contract]:
    """A contract whose keys, types, limits and defaults are any that can be registered."""
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, key in enumerate(draw(st.lists(KEYS, max_size=5, unique=True))):
        type_, values = draw(LIMITED)
        if depth and draw(st.booleans()):
            type_, values = draw(contracts(depth=depth - 1)), None
        names[f"a{number}"] = key
        if draw(st.booleans()):
            fields.append((f"a{number}", type_ | msgspec.UnsetType, UNSET))
        elif values is None or draw(st.booleans()):
            fields.append((f"a{number}", list.__class_getitem__(type_) if values is None else type_))
        else:
            fields.append((f"a{number}", type_, draw(values)))
    return msgspec.defstruct(  # type: ignore[return-value]  # typed as a Struct, whatever its bases are
        draw(st.sampled_from(["Item", "Meta", "Ä", "Contract"])), fields, bases=(Contract,), kw_only=True, rename=names
    )


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the modules of these tests; at the end ruff would leave each as it is."""
    folder = tmp_path_factory.mktemp("generated")
    yield folder
    ruff = [str(Path(sys.executable).with_name("ruff")), "format", "--isolated", "--no-cache", "--line-length", "120"]
    done = finished(*ruff, "--diff", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in folder.iterdir():
        del sys.modules[path.stem]


def written(folder: Path, request: type[Any], reply: type[Any]) -> ModuleType:
    """Write the module, and run it."""
    text = module_of("shop", [OwnAbility("any", "here", "Call", request, reply, "Answer", 'A "text"\\\n  more')])
    path = folder / f"generated_{len(list(folder.iterdir()))}.py"
    path.write_text(text, "utf-8")
    return run(path)


def plain(value: Any) -> Any:
    """Return what a type takes and gives, without the names that Python has for it."""
    match value:
        case mi.StructType(fields=fields):
            return [plain(each) for each in fields if each.encode_name not in ("errcode", "errmsg")]
        case mi.Field():
            return value.encode_name, value.required, plain(value.default), value.default_factory, plain(value.type)
        case mi.EnumType(cls=kind):
            return [each.value for each in kind]
        case mi.Type():
            return type(value), [plain(getattr(value, name)) for name in value.__struct_fields__]
        case tuple():
            return [plain(each) for each in value]
        case Enum():
            return value.value
        case dict():
            return msgspec.to_builtins(value)  # examples may be values of Python, or the texts that stand for them
    return value


@pytest.mark.slow  # generated; the tests above have each kind of field
@given(request_type=contracts(), reply=contracts())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_contract_is_the_same_type_when_it_is_written_and_imported(
    generated: Path, request_type: type[Contract], reply: type[Contract]
) -> None:
    try:
        module = written(generated, request_type, reply)
    except ConfigurationError as error:
        assert "its class would be" in str(error)
        return
    assert plain(mi.type_info(module.Call)) == plain(mi.type_info(request_type))
    assert plain(mi.type_info(module.Answer)) == plain(mi.type_info(reply))
    classes = {each for each in vars(module).values() if isinstance(each, type)}
    assert {each for each in classes if issubclass(each, Output)} - {Output} == {module.Answer}


def test_only_in_a_reply_is_the_attribute_errcode_taken(generated: Path) -> None:
    request = msgspec.defstruct("Request", [("errcode", int)], bases=(Contract,), kw_only=True)
    reply = msgspec.defstruct("Reply", [("errcode", str)], bases=(Contract,), kw_only=True, rename={"errcode": "code"})
    module = written(generated, request, reply)
    assert module.Call(errcode=5).errcode == 5
    answer = msgspec.json.decode(b'{"errcode":7,"errmsg":"x","code":"c"}', type=module.Answer)
    assert (answer.errcode, answer.errcode_) == (7, "c")


def test_a_module_has_the_errcodes_of_its_program_where_they_are_not_the_usual_ones(tmp_path: Path) -> None:
    request = msgspec.defstruct("Request", [("errcodes", int)], bases=(Contract,), kw_only=True)
    own = [OwnAbility("any", "here", "Call", request, request, "Answer", "")]
    assert "ERRCODES" not in module_of("shop", own)
    text = module_of("shop", own, Program(errcode=5, input_errcode=9001))
    (tmp_path / "generated.py").write_text(text, "utf-8")
    module = run(tmp_path / "generated.py")
    assert module.Call.errcodes is module.ERRCODES
    assert module.ERRCODES == ProgramErrcodes(errcode=5, input_errcode=9001)
    assert msgspec.json.encode(module.Call(errcodes_=7)) == b'{"errcodes":7}'


def test_a_request_knows_the_field_by_which_its_program_recognises_a_repeated_call(shop: Path) -> None:
    module = run(shop / "app/shop_2.py")
    requests = (module.OutputAbility, module.库存, module.PriceCheck)
    assert [each.idempotency_field for each in requests] == ["list", "*", ""]
    assert module.OutputAbility(list_="x", idempotency_field_="a").idempotency_field_ == "a"


def test_a_default_of_a_class_of_the_program_is_one_of_the_module_s_class(generated: Path) -> None:
    red = Colour("red")
    item = msgspec.defstruct("Item", [("price", int)], bases=(Contract,), kw_only=True, frozen=True, tag="new")
    fields: list[Any] = [("colour", Colour, red), ("item", item, item(price=3))]
    request = msgspec.defstruct("Request", fields, bases=(Contract,), kw_only=True)
    module = written(generated, request, request)
    assert module.Call().colour is module.Colour(red.value)
    assert module.Call().item == module.Item(price=3)
    assert msgspec.json.encode(module.Call()) == b'{"colour":"red","item":{"type":"new","price":3}}'


@explicit(example={"\N{MEROITIC CURSIVE NUMBER ONE}": []})  # alphanumeric, and in no name of Python
@given(example=st.dictionaries(KEYS, EXAMPLES, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_console_example_is_the_same_type_when_it_is_written_and_imported(
    generated: Path, example: dict[str, Any]
) -> None:
    try:
        request = contract_of_example("any", example)
        reply = contract_of_example("any", {"errcode": 0, "errmsg": "ok"})
        module = written(generated, request, reply)
    except (ConfigurationError, ValueError) as error:
        assert "its class would be" in str(error) or "can be" in str(error) or "can't" in str(error)
        return
    assert plain(mi.type_info(module.Call)) == plain(mi.type_info(request))

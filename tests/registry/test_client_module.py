"""The module that an enterprise app imports: the program's contracts again, without the program."""

import json
import keyword
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec import UNSET, Meta, UnsetType

from tests.support.apps import ROOT, python, write_files
from wwspec_router.contracts import Contract, Flag, Output, Unsigned, max_bytes
from wwspec_router.contracts.from_example import contract_of_example
from wwspec_router.contracts.shape import shape_of
from wwspec_router.errors import ConfigurationError
from wwspec_router.registry.client_module import OwnAbility, client_module, module_name, module_of
from wwspec_router.registry.table import build_table
from wwspec_router.testing.zone import Zone

NASTY = {
    "abilities/registry.toml": """
        [program]
        name = "Shop 2"
        [abilities."price-check"]
        handler = "abilities.shop:price_check"
        [abilities.output]
        handler = "abilities.shop:stock"
        [abilities."库存"]
        handler = "abilities.shop:raw"
        input = "schemas/raw.input.json"
        output = "schemas/raw.output.json"
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
async def stock(request: stock.Request) -> stock.Response:
    return stock.Response(left=[stock.Item(name=request.list_)])

@ability
def raw(request: dict[str, Any]) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "a-b": {"class": request.get("a-b", "?")}}
''',
    "schemas/prices.py": '''
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Literal
from msgspec import Meta, field
from wwspec_router import UNSET, Contract, Output, UnsetType, max_bytes
from wwspec_router.contracts import Flag, Unsigned
from wwspec_router.wecom.tasks import MessageKey

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
    a_very_long_name_of_a_field: Annotated[str, Meta(pattern="^[a-z]{1,20}$", min_length=1, max_length=20, description="a long text to make the line too long")] = "abc"

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
    int: list[Item] = []
    str: list[Item] = []

class Response(Output):
    left: list[Item] = []
''',
    "schemas/raw.input.json": '{"a-b": "x", "class": 1, "ﬁ": [{"list": 0.5}], "1": {"deep": {"deeper": [[1]]}}, "_x": true, "empty": []}',
    "schemas/raw.output.json": '{"errcode": 0, "errmsg": "ok", "a-b": {"class": "x"}, "1": {"deep": 1}}',
    "schemas/short.output.json": '{"errcode": 0, "errmsg": "ok", "has_more": 1}',
}  # fmt: skip
"""An application whose contracts have everything that is awkward to write."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("shop"), NASTY)

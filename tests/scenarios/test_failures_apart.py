"""An app tells each failure of the program apart, by the module that `wwspec contracts --client` writes."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import wwspec
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import serve_zone
from wwspec_client import (
    ProgramCrashError,
    ProgramError,
    ProgramInputError,
    ProgramOverloadError,
    ProgramTimeoutError,
    SdkApiError,
    UnknownAbilityError,
    ZoneClient,
)
from wwspec_contracts.errcodes import PROGRAM_ERRCODES, advice
from wwspec_devtools.testing.zone import ServedZone

APP = {
    "abilities/registry.toml": """
        [program]
        name = "shop"
        input_errcode = 9001
        timeout_errcode = 9002
        crash_errcode = 9003
        unknown_errcode = 9004
        overload_errcode = 9005
        [passthrough]
        prefix = "invoke_"
        [abilities.buy]
        handler = "abilities.shop:buy"
        timeout = 1.0
        [abilities.buy_later]
        handler = "abilities.shop:buy_later"
        timeout = 1.0
        [abilities.any]
        kind = "func"
        apis = ["sync_msg"]
        [abilities.busy]
        handler = "abilities.shop:buy"
        concurrency = 1
    """,
    "abilities/shop.py": """
import asyncio
import time
from pathlib import Path
from typing import Literal
from wwspec_router import AbilityError, Contract, Output, ability

class Request(Contract):
    does: Literal["", "crash", "sleep", "refuse", "wait"] = ""
    order: str = ""

class Response(Output):
    bought: int = 0

def does(what: str) -> None:
    if what == "crash":
        raise KeyError(what)
    if what == "refuse":
        raise AbilityError("sold out")

@ability
def buy(request: Request) -> Response:
    does(request.does)
    time.sleep(1 if request.does == "sleep" else 0)
    while request.does == "wait" and not Path(request.order).exists():
        Path(request.order).with_suffix(".begun").touch()
        time.sleep(0.01)
    return Response(bought=1)

@ability
async def buy_later(request: Request) -> Response:
    does(request.does)
    await asyncio.sleep(1 if request.does == "sleep" else 0)
    return Response(bought=1)
""",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_files(tmp_path_factory.mktemp("apart"), APP)
    done = wwspec(ROOT, "contracts", "--app", str(folder), "--client", str(folder / "client"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def shop(app: Path) -> Iterator[ModuleType]:
    module = sys.modules["shop_of_the_app"] = ModuleType("shop_of_the_app")
    path = app / "client" / "shop.py"
    exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)  # noqa: S102 - what this is about
    yield module
    del sys.modules["shop_of_the_app"]


@pytest.fixture(scope="module")
def zone(app: Path) -> Iterator[ServedZone]:
    with serve_zone(app) as zone:
        yield zone


@pytest.fixture
def client(zone: ServedZone) -> Iterator[ZoneClient]:
    with zone.app_client() as client:
        yield client


def test_the_errcodes_are_not_told_apart_when_the_client_does_not_know_them(client: ZoneClient) -> None:
    with pytest.raises(ProgramError) as caught:
        client.call("buy", {"does": "crash"})
    assert (type(caught.value), caught.value.errcode) == (ProgramError, 9003)


@pytest.mark.parametrize("name", ["Buy", "BuyLater"])
@pytest.mark.parametrize(
    ("does", "error", "facts"),
    [
        ("steal", ProgramInputError, (9001, False, False)),
        ("sleep", ProgramTimeoutError, (9002, True, True)),
        ("crash", ProgramCrashError, (9003, False, True)),
        ("refuse", ProgramError, (710660, False, True)),
    ],
)
def test_a_request_of_the_module_raises_the_class_of_each_failure(
    client: ZoneClient, shop: ModuleType, name: str, does: str, error: type[ProgramError], facts: tuple[object, ...]
) -> None:
    """`buy` blocks, so that the event loop answers for it; `buy_later` is cancelled. Jobs have the same errcodes."""
    request = getattr(shop, name)(does=does)
    for is_async in (False, True):
        with pytest.raises(error) as caught:
            client.submit(request).result(timeout=DEADLINE) if is_async else client.call(request)
        assert type(caught.value) is error
        assert (caught.value.errcode, caught.value.retryable, caught.value.may_have_run) == facts


def test_a_client_that_is_given_the_errcodes_knows_them_for_every_call(zone: ServedZone, shop: ModuleType) -> None:
    unknown = {"input": {"func": "no_such_function", "func_req": {}}}
    with zone.app_client(errcodes=shop.ERRCODES) as client:
        with pytest.raises(ProgramCrashError):
            client.call("buy", {"does": "crash"})
        with pytest.raises(UnknownAbilityError):
            client.call("any", unknown)
        with pytest.raises(ProgramInputError):
            client.call("invoke_sync_msg", {"limit": 5000})
        with pytest.raises(SdkApiError):
            client.call("invoke_sync_msg", {"limit": 5, "cursor": "made up"})
        jobid = client.submit("buy", {"does": "crash"}).jobid
        with pytest.raises(ProgramCrashError):
            client.task(jobid).result(timeout=DEADLINE)


def test_a_call_that_is_one_too_many_has_not_run_and_may_be_repeated(
    client: ZoneClient, shop: ModuleType, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.call, shop.Busy(does="wait", order=str(order)))
        wait_until(order.with_suffix(".begun").exists)
        with pytest.raises(ProgramOverloadError) as refused:
            client.call(shop.Busy())
        order.touch()
        assert first.result().bought == 1
    assert (refused.value.errcode, refused.value.retryable, refused.value.may_have_run) == (9005, True, False)


def test_the_emulator_says_what_a_number_of_the_programs_own_means(zone: ServedZone, client: ZoneClient) -> None:
    with pytest.raises(ProgramError):
        client.call("buy", {"does": "crash"})
    row = next(row for row in zone.client.traffic(kind="call", bodies=False) if row["program_errcode"] == 9003)
    wait_until(lambda: zone.client.entry(row["number"])["traces"])
    entry = zone.client.entry(row["number"])
    known = PROGRAM_ERRCODES["crash_errcode"]
    assert entry["causes"] == {"9003": [known.cause, known.chinese_cause]}
    assert entry["advice"] == list(advice(0, "crash_errcode") or ())
    page = httpx.get(f"{zone.client.url}/errcodes", trust_env=False).text
    assert f'<tr id="ecrash_errcode"><td>crash_errcode</td><td>{known.cause}</td>' in page

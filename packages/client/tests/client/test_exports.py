"""What the package of the app's client promises to have, and what it does without."""

import inspect
import re
from dataclasses import fields, is_dataclass
from enum import EnumType
from pathlib import Path
from typing import Any, get_overloads
from unittest.mock import create_autospec

import pytest

import wwspec_client as client
from scripts.reference.public import ENDPOINTS, public_names
from tests.support.apps import python_anew
from tests.support.values import changing, made_by_name, values_below
from wwspec_client import call_lines, hooks, models, raw_clients, stores, viewer

SURFACE = Path(__file__).with_name("surface.txt")
"""What is public, with its arguments and their defaults; names in other modules of the package begin with these."""
PUBLIC = re.findall(r"^(\w+)(?!\w*\.)", SURFACE.read_text("utf-8"), re.MULTILINE)
MODULES = (call_lines, hooks, models, raw_clients, stores, viewer)


def test_the_public_names_are_these_each_in_one_place() -> None:
    assert vars(client)["__all__"] == PUBLIC
    for name in PUBLIC:
        assert hasattr(client, name)
    assert dir(client) == PUBLIC
    assert not hasattr(client, "ZoneClinet")
    names = [*PUBLIC, *(name for module in MODULES for name in public_names(module.__name__))]
    assert sorted(names) == sorted(set(names))


def test_what_is_public_has_the_recorded_arguments_and_defaults(tmp_path: Path) -> None:
    lines = []
    for module in (client, *MODULES):
        names, home = (PUBLIC, "") if module is client else (public_names(module.__name__), module.__name__[14:] + ".")
        for name in names:
            value = getattr(module, name)
            lines.append(f"{home}{name}{arguments(value)}")
            methods = inspect.getmembers(value, inspect.isfunction) if isinstance(value, type) else []
            lines += [f"    .{each}{arguments(method)}" for each, method in methods if not each.startswith("_")]
    found = tmp_path / "surface.txt"
    found.write_text("\n".join(lines) + "\n", "utf-8")
    assert found.read_text("utf-8") == SURFACE.read_text("utf-8"), f"if this is right, copy {found} there"


def arguments(value: Any) -> str:
    if isinstance(value, EnumType):
        return f" {', '.join(value.__members__)}"
    if not (inspect.isclass(value) or inspect.isfunction(value)):  # some Pythons give an alias of a type arguments
        return ""
    try:
        found = inspect.signature(value)
    except ValueError:  # of a class that takes none
        return ""
    plain = [each.replace(annotation=each.empty) for each in found.parameters.values()]
    text = str(found.replace(parameters=plain, return_annotation=found.empty))
    return re.sub(" at 0x[0-9a-f]+", "", text)


def test_what_the_client_returns_can_not_be_changed() -> None:
    state = {"Core", "FakeZone", "Intake", "Pulled", "ReceiverCore", "SuiteCore", "_Answer"}
    assert changing("wwspec_client") - {"_Output"} == state


HIDDEN = (
    "AppSecret secret, CreateAuth auth_code, ResetPermanentCode auth_code, Send headers, Sending headers, "
    "Sending idempotency_key, SuiteEvent callback, SuiteSettings callback_token, SuiteSettings "
    "command_encoding_aes_key, SuiteSettings command_token, SuiteSettings encoding_aes_key, SuiteSettings "
    "suite_secret, SuiteTicket ticket, Token owner, Token value, Turn token, UserInfo user_doc_ticket, "
    "UserInfo user_ticket, ViewerMessage secret_key"
)


def test_what_holds_a_secret_does_not_show_it() -> None:
    stated = {kind: said for kind, said in values_below("wwspec_client").items() if is_dataclass(kind)}
    closed = {kind.__name__ for kind, said in stated.items() if not said.repr}
    assert closed == {"ArchivePage", "Core", "Intake", "Received", "ReceiverCore", "Request", "SuiteCore"}
    own = [(kind, each) for kind in stated for each in fields(kind) if each.name in kind.__annotations__]
    hidden = {f"{kind.__name__} {each.name}" for kind, each in own if not each.repr}
    assert hidden == {*HIDDEN.split(", ")}


def test_what_wecom_may_add_to_is_made_by_name() -> None:
    modules = [f"wwspec_client.{name}" for name in ("models", "notify.models", "suite.events", "viewer")]
    others = {each.__name__ for each in values_below(*modules)} - made_by_name(*modules)
    assert others == {"HttpAnswer", "MessageGap", "_Kept"}


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    methods = {name for name in vars(client.ZoneClient) if not name.startswith("_")} - {"close"}
    assert methods == {name for name in vars(client.AsyncZoneClient) if not name.startswith("_")} - {"aclose"}
    for name in methods - {"with_raw_response"}:
        one, other = getattr(client.ZoneClient, name), getattr(client.AsyncZoneClient, name)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters, name
        assert len(get_overloads(one)) == len(get_overloads(other)), name


def test_each_api_of_the_app_is_a_method_of_both_clients_and_of_both_that_return_responses() -> None:
    apis = {function.__name__ for function in ENDPOINTS.values()}
    assert apis <= vars(client.ZoneClient).keys()
    for name in apis - {"page_config"}:  # which is no API, but signs
        methods = [getattr(kind, name) for kind in (client.ZoneClient, raw_clients.RawZoneClient)]
        later = [getattr(kind, name) for kind in (client.AsyncZoneClient, raw_clients.AsyncRawZoneClient)]
        assert [inspect.iscoroutinefunction(each) for each in [*methods, *later]] == [False, False, True, True], name
        assert len({inspect.signature(each) for each in [*methods, *later]}) == 1, name


def test_a_mock_of_a_client_takes_the_arguments_of_its_methods() -> None:
    mock = create_autospec(client.ZoneClient)(tokens=str)
    mock.set_log_level(1, program_id="p")
    with pytest.raises(TypeError, match="missing a required argument"):
        mock.set_log_level()
    assert inspect.iscoroutinefunction(create_autospec(client.AsyncZoneClient)().get_log_level)


def test_an_app_loads_nothing_of_the_zone_and_with_threads_not_the_event_loop_s_half() -> None:
    loaded = python_anew("import sys\nfrom wwspec_client import *\nprint(*sys.modules)").split()
    assert [each for each in loaded if each.startswith(("wwspec_router.", "wwspec_devtools"))] == []
    assert {"uvicorn", "starlette", "Crypto"} & set(loaded) == set()
    loaded = python_anew("import sys\nfrom wwspec_client import ZoneClient\nprint(*sys.modules)").split()
    parts = {part for name in loaded if name.startswith("wwspec_client.") for part in name.split(".")}
    assert parts & {"asynchronous", "suite", "notify", "archive", "sql"} == set()

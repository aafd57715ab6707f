"""Every contract of WeCom, held against a complete document of its own in tests/payloads.

Both are found by name: a new API needs its module and two documents, a new event its module and one.
"""

import copy
import importlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from scripts.reference.wecom_examples import text
from tests.support.apps import ROOT
from tests.support.tables import for_each
from wwspec_contracts.base import UNSET, ApiRequest, Contract, Output, reply_type
from wwspec_contracts.examples import api_examples, console_example, contract_faults
from wwspec_contracts.matching import mismatches
from wwspec_contracts.wrapping import func_example, func_input

PAYLOADS = ROOT / "tests" / "payloads"

Steps = tuple[str | int, ...]
"""Keys and indices that lead into a document."""

WRONG: tuple[Any, ...] = ("text", 7, 1.5, True, None, [], {})
"""One value of each kind that JSON has."""


def names(folder: str) -> list[str]:
    return sorted(
        path.stem
        for path in (ROOT / "packages/contracts/wwspec_contracts" / folder).glob("*.py")
        if path.stem != "__init__"
    )


APIS = names("api")
EVENTS = names("events")
PARTS = [(api, part) for api in APIS for part in ("request", "response")]
DOCUMENTS = [f"api/{api}.{part}" for api, part in PARTS] + [f"events/{event}" for event in EVENTS]


def contract(document: str) -> type[Contract]:
    """Return the type that belongs to a document such as `api/sync_msg.request`."""
    folder, name = document.split("/")
    name, _, part = name.partition(".")
    module = importlib.import_module(f"wwspec_contracts.{folder}.{name}")
    found: type[Contract] = getattr(module, (part or "event").title())
    return found


def payload(document: str) -> Any:
    return json.loads((PAYLOADS / f"{document}.json").read_text("utf-8"))


def decoded(document: str, value: Any) -> Contract:
    return msgspec.json.decode(json.dumps(value).encode(), type=contract(document))


def refusal(document: str, value: Any) -> str:
    """Return why a value is refused; empty when it is not."""
    try:
        decoded(document, value)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def at(path: str) -> str:
    """Return how msgspec ends its message about a path; the root is not named."""
    return "" if path == "$" else f" - at `{path}`"


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def places(value: Any, path: str = "$", steps: Steps = ()) -> Iterator[tuple[str, Steps]]:
    """Yield the path of each value inside a document, and the steps that lead there."""
    yield path, steps
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, f"{path}.{key}", (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, f"{path}[{index}]", (*steps, index))


def follow(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def replaced(value: Any, steps: Steps, new: Any) -> Any:
    """Return a document with another value in a place."""
    if not steps:
        return new
    copied = copy.copy(value)
    copied[steps[0]] = replaced(value[steps[0]], steps[1:], new)
    return copied


def objects(value: Any, path: str = "$", steps: Steps = ()) -> Iterator[tuple[str, Steps, Contract]]:
    """Yield the path of each decoded object, the steps that lead there, and the object."""
    if isinstance(value, Contract):
        yield path, steps, value
        for field in msgspec.structs.fields(value):
            inner = getattr(value, field.name)
            yield from objects(inner, f"{path}.{field.encode_name}", (*steps, field.encode_name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from objects(item, f"{path}[{index}]", (*steps, index))


def test_each_contract_has_its_documents_and_neither_is_lost_or_left_over() -> None:
    found = {path.relative_to(PAYLOADS).as_posix().removesuffix(".json") for path in PAYLOADS.rglob("*.json")}
    assert found == set(DOCUMENTS)
    assert (len(APIS) >= 43, len(EVENTS) >= 9) == (True, True)


@for_each(APIS)
def test_an_api_is_a_request_with_its_reply(api: str) -> None:
    request, response = contract(f"api/{api}.request"), contract(f"api/{api}.response")
    assert issubclass(request, ApiRequest)
    assert issubclass(response, Output)
    assert reply_type(request) is response


def test_a_request_without_a_reply_is_refused() -> None:
    class Request(ApiRequest):  # type: ignore[type-arg]
        pass

    with pytest.raises(TypeError, match=r"Request is not a subclass of ApiRequest\[Response\]"):
        reply_type(Request)


@for_each(EVENTS)
def test_an_event_refuses_the_name_of_another(event: str) -> None:
    document = payload(f"events/{event}")
    assert document["event_type"] == event
    assert refusal(f"events/{event}", document | {"event_type": "another"}).endswith(at("$.event_type"))


@for_each(DOCUMENTS)
def test_the_document_shows_every_field_comes_back_and_passes_the_console_example(document: str) -> None:
    for path, _, found in objects(decoded(document, payload(document))):
        for field in msgspec.structs.fields(found):
            value = getattr(found, field.name)
            assert value is not UNSET, f"{path}.{field.encode_name}"
            assert value not in ("", []), f"{path}.{field.encode_name}"
    value = payload(document)
    assert json.loads(msgspec.json.encode(decoded(document, value))) == value
    example = console_example(contract(document))
    assert list(mismatches(example, payload(document))) == []
    assert list(mismatches(example, example)) == []
    assert list(contract_faults(contract(document))) == []


@for_each(DOCUMENTS)
def test_an_unknown_key_and_a_value_of_another_json_type_are_refused_everywhere(document: str) -> None:
    value = payload(document)
    for path, steps in places(value):
        found = follow(value, steps)
        if isinstance(found, dict):
            broken = replaced(value, steps, found | {"surplus": 1})
            assert refusal(document, broken) == f"Object contains unknown field `surplus`{at(path)}"
        for wrong in WRONG:
            if kind(wrong) == kind(found) and not isinstance(wrong, float):
                continue
            message = refusal(document, replaced(value, steps, wrong))
            assert message.startswith(("Expected `", "Invalid enum value")), message
            assert message.endswith(at(path)), message


@for_each(DOCUMENTS)
def test_only_required_keys_must_be_there(document: str) -> None:
    value = payload(document)
    for path, steps, found in objects(decoded(document, value)):
        for field in msgspec.structs.fields(found):
            key = field.encode_name
            shorter = replaced(value, steps, {name: each for name, each in follow(value, steps).items() if name != key})
            if field.required:
                assert refusal(document, shorter) == f"Object missing required field `{key}`{at(path)}"
            else:
                decoded(document, shorter)


@for_each(APIS)
def test_what_a_reply_leaves_out_reads_as_empty_and_is_never_shared(api: str) -> None:
    document = f"api/{api}.response"
    for _, _, found in objects(decoded(document, payload(document))):
        first, second = type(found)(), type(found)()
        for field in msgspec.structs.fields(found):
            empty = getattr(first, field.name)
            assert empty is UNSET or empty in (0, "", []) or field.name == "errmsg"
            if isinstance(empty, list):
                assert empty is not getattr(second, field.name)


def test_the_examples_of_the_file_and_of_a_wrapped_request_are_those_of_the_contracts() -> None:
    assert api_examples() == json.loads(text()), "run scripts/fix"
    request = contract("api/sync_msg.request")
    assert func_example("f", console_example(request)) == console_example(func_input("f", request))

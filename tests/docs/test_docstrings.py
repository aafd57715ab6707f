"""The public API of the client and of the tests is documented whole, and the examples of its docstrings are run."""

import ast
import doctest
import inspect
import os
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from scripts.reference.public import METHODS, NAMES, TESTS
from tests.support.apps import ROOT
from tests.support.docstrings import Documented, examples_of, members_of, raised_by, sections_of
from tests.support.zones import app_of
from wwspec_client import KeyMissingError, KeyRing, KeyRingError, ReplyTypeError, RetryPolicy, endpoints
from wwspec_client.calls import decode_reply
from wwspec_client.notify.events import typed
from wwspec_contracts.errors import ConfigurationError, JsonError, WWSpecError
from wwspec_devtools.testing.zone import Zone

PUBLIC = {
    name: getattr(import_module(module), name)
    for module, names in NAMES.items()
    for name in names
    if module.startswith("wwspec_client") or module in TESTS
}
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}
WITH_EXAMPLES = {"AsyncZoneClient", "CursorStore", "FileCursor", "KeyRing", "NotifyReceiver", "RetryPolicy"} | {
    *("SuiteApp", "TokenProvider", "Zone", "ZoneClient")
}

MADE_BY_THE_CLIENT = {"AsyncMessagePage", "MessagePage"}

_SEE = re.compile(r"\bsee `([\w.]+)`", re.IGNORECASE)


def documented() -> Iterator[Documented]:
    for name, value in CLASSES.items():
        for member in members_of(name, value):
            if not (member.is_constructor and (name in MADE_BY_THE_CLIENT or issubclass(value, Exception))):
                yield member
    for _, function in METHODS:
        yield Documented(f"ZoneClient.{function.__name__}", function)


DOCUMENTED = {each.name: each for each in documented()}


def sections(each: Documented) -> dict[str, dict[str, str]]:
    """Return the sections of a docstring, with those of the one that it leads to by "see `name`"."""
    found = sections_of(each.text)
    for target in _SEE.findall(each.text):
        owner, _, method = each.name.partition(".")
        for name in (target, f"{target}.{method}", f"{owner}.{target}"):
            if name in DOCUMENTED:
                for title, entries in sections_of(DOCUMENTED[name].text).items():
                    found[title] = {**entries, **found.get(title, {})}
    return found


@cache
def parsed(file: Path) -> ast.Module:
    """Return the tree of a file, for all of its classes: `inspect.getsource` parses the file again for each."""
    return ast.parse(file.read_text("utf-8"))


def fields_of(value: type) -> Iterator[tuple[str, bool]]:
    """Give the public fields and attributes of a class, and whether each has a docstring of its own."""
    definitions = parsed(Path(inspect.getfile(value))).body
    [tree] = [each for each in definitions if isinstance(each, ast.ClassDef) and each.name == value.__name__]
    bodies = [tree.body]
    bodies += [each.body for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    for body in bodies:
        for node, following in zip(body, [*body[1:], None], strict=True):
            match node:
                case ast.AnnAssign(target=ast.Name(id=name)):
                    pass
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)]):
                    pass
                case _:
                    continue
            if not name.startswith("_"):
                yield name, isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)


def test_every_public_name_says_what_it_is() -> None:
    silent = []
    for name, value in PUBLIC.items():
        if inspect.isclass(value) or inspect.isroutine(value):
            text = value.__doc__ or ""
            is_clear = text != "" and not text.startswith(f"{value.__name__}(")
        else:
            is_clear = is_described(name)
        if not is_clear:
            silent.append(name)
    assert silent == [], "no docstring, or below their assignment none"


@cache
def bodies_of_the_client() -> list[list[ast.stmt]]:
    return [parsed(path).body for path in (ROOT / "packages/client/wwspec_client").rglob("*.py")]


def is_described(name: str) -> bool:
    for body in bodies_of_the_client():
        for node, following in zip(body, body[1:], strict=False):
            if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
                return isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    return False


def test_every_field_of_a_public_class_is_described() -> None:
    silent = []
    for name, value in CLASSES.items():
        listed = sections_of(value.__doc__ or "")
        known = {*listed.get("Attributes", {}), *listed.get("Args", {})}
        silent += [f"{name}.{field}" for field, described in fields_of(value) if not described and field not in known]
    assert silent == []


def test_every_argument_of_a_public_function_is_described() -> None:
    faults = []
    for name, each in DOCUMENTED.items():
        described = {*sections(each).get("Args", {}), *sections(each).get("Attributes", {})}
        named = sections_of(each.text).get("Args", {})
        faults += [f"{name}: {argument} is not described" for argument in sorted(each.parameters - described)]
        faults += [f"{name}: it has no argument {argument}" for argument in sorted(set(named) - each.parameters)]
        faults += [] if each.text else [f"{name}: no docstring"]
    assert faults == []


def test_every_error_of_a_public_function_is_described() -> None:
    faults = []
    for name, each in DOCUMENTED.items():
        described = tuple(error_of(title) for title in sections(each).get("Raises", {}))
        faults += [
            f"{name}: {error.__name__}" for error in raised_by(each.function) if not issubclass(error, described)
        ]
    assert sorted(faults) == []


def error_of(name: str) -> type[WWSpecError]:
    pending = [WWSpecError]
    while pending:
        error = pending.pop()
        if error.__name__ == name:
            return error
        pending += error.__subclasses__()
    pytest.fail(f"{name} is no error of this package")


def test_errors_behind_calls_are_found_and_caught_ones_are_not() -> None:
    assert raised_by(endpoints.get_log_level) >= {ConfigurationError, ReplyTypeError}  # by an argument's method
    assert raised_by(KeyRing.open) == {KeyMissingError, KeyRingError}
    assert raised_by(RetryPolicy.__post_init__) == {ConfigurationError}
    assert raised_by(decode_reply) == {JsonError}
    assert raised_by(typed) == frozenset()


EXAMPLES = {name: test for name, test in examples_of(CLASSES).items() if "._" not in name}
"""Each once: a private attribute, such as `_client_type`, leads to a class that has a name of its own here."""


def test_the_classes_that_users_begin_with_have_examples() -> None:
    assert {name for name in EXAMPLES if "." not in name} >= WITH_EXAMPLES


@pytest.mark.slow  # a served zone; tests of each class have nearly the same
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_of_a_docstring_is_true(
    name: str, reference_zone: Zone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zone = reference_zone
    zone.client.reset()  # pulls without a token are limited
    for variable, value in app_of(zone).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    test = EXAMPLES[name]
    output: list[str] = []
    with zone.app_client() as client:
        test.globs.update(app=ROOT, client=client, corpid=os.environ["WWSPEC_CORPID"], zone=zone)
        result = doctest.DocTestRunner().run(test, out=output.append, clear_globs=False)
    if "engine" in test.globs:  # a database of the example stays open else, which Python 3.13 and later warn about
        test.globs["engine"].dispose()
    test.globs.clear()
    assert result.attempted > 0
    assert result.failed == 0, "".join(output)

"""A public name works for one release after it was renamed, and says what is public in its place.

A class or function: the module's `__getattr__` warns and returns the new one. A member: another member of the old name.
A name that leaves for good has its reason in `REMOVED`, and its line in the changelog.
"""

import re
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

import wwspec_router.testing.zone
from tests.upgrade.names import public_names
from tests.upgrade.releases import DATA

pytestmark = pytest.mark.slow  # imports all modules

REMOVED = {
    "wwspec_router.testing.store_suite:StoreSuite": "the tests of a store served nobody: `--store` opens ours only",
}
"""Names that left for good, each with the reason."""


def test_each_public_name_of_an_older_release_is_public_or_warns_and_names_what_is() -> None:
    lists = (release / "names.txt" for release in DATA.iterdir())
    names = {name for each in lists for name in each.read_text("utf-8").splitlines()}
    assert "wwspec_router.client:ZoneClient.call" in names
    assert REMOVED.keys() <= names, "REMOVED has names that no release had"
    assert "\n".join(fault for name in sorted(names - REMOVED.keys()) for fault in faults(name)) == ""


def test_a_name_that_was_removed_is_gone() -> None:
    assert [name for name in REMOVED if not list(faults(name))] == []


def test_a_test_that_the_console_of_0_1_0_has_written_still_finds_the_error_that_it_imports() -> None:
    with pytest.warns(DeprecationWarning, match=r"import CallRefusedError from wwspec_router\.testing\.zone"):
        from wwspec_router.emulator.http.answer import CallRefusedError
    assert CallRefusedError is wwspec_router.testing.zone.CallRefusedError


def test_a_test_of_0_1_0_still_finds_the_class_of_a_submitted_call() -> None:
    with pytest.warns(DeprecationWarning, match=r"SubmittedCall is now wwspec_router\.testing\.zone\.ZoneTask"):
        from wwspec_router.testing.zone import SubmittedCall
    assert SubmittedCall is wwspec_router.testing.zone.ZoneTask


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Renamed", []),
        ("Renamed.call", []),
        ("Renamed.gone", ["sample:Renamed.gone is gone"]),
        ("Gone", ["sample:Gone is gone"]),
        ("Silent", ["sample:Silent is public no more: let it warn, with DeprecationWarning, and name what is"]),
    ],
)
def test_a_name_that_is_gone_or_leaves_in_silence_is_found(
    name: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sample", Sample("sample"))
    assert list(faults(f"sample:{name}")) == found


class Sample(ModuleType):
    """A module with a name that was renamed as it should, and one that was not."""

    Silent = None

    def __getattr__(self, name: str) -> object:
        if name != "Renamed":
            raise AttributeError(name)
        warnings.warn("Renamed is wwspec_router.client.ZoneClient now", DeprecationWarning, stacklevel=2)
        from wwspec_router.client import ZoneClient

        return ZoneClient


@cache
def today() -> frozenset[str]:
    """Return the public names of this code."""
    return frozenset(public_names())


def faults(name: str) -> Iterator[str]:
    """Yield what is wrong with a name, as `public_names` writes it, that has been public."""
    module, _, path = name.partition(":")
    first, _, member = path.partition(".")
    with warnings.catch_warnings(record=True, action="always") as caught:
        try:
            owner = getattr(__import__(module, fromlist=[first]), first)
        except (ImportError, AttributeError):
            yield f"{name} is gone"
            return
    if name in today():
        return
    if member:
        if not hasattr(owner, member):
            yield f"{name} is gone"
    elif not any(each.category is DeprecationWarning and names_one_of_today(str(each.message)) for each in caught):
        yield f"{name} is public no more: let it warn, with DeprecationWarning, and name what is"


def names_one_of_today(text: str) -> bool:
    """Return whether a text has a public name in it."""
    return not {name.partition(":")[2] for name in today()}.isdisjoint(re.findall(r"\w+", text))

"""A store of a team's own comes by an entry point, under the scheme of its URLs."""

from pathlib import Path

from msgspec.structs import asdict

from tests.support.apps import python_anew, write_files
from tests.support.values import changing, made_by_name
from wwspec_router.stores import StoreLimits

INSTALLED = {
    "shelf-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n",
    "shelf-1.0.dist-info/entry_points.txt": "[wwspec.stores]\nshelf = shelf:open_shelf\nbroken = nowhere:open_it\n",
    "shelf.py": (
        "from wwspec_router.stores import open_store\n\n\n"
        "def open_shelf(url, limits, program):\n"
        "    print(url, limits.max_rows, program)\n"
        "    return open_store('memory:', limits, program=program)\n"
    ),
}
"""What `pip install` of a package with a store leaves."""
OPEN = """
from wwspec_contracts.errors import ConfigurationError
from wwspec_router.stores import StoreLimits, open_store
try:
    store = open_store({url!r}, StoreLimits(max_rows=7), program="shop")
    store.put("corp", 1, "id", "text", 60)
    print(store.get("corp", 1, "id"))
    store.close()
except ConfigurationError as error:
    print(error)
"""


def opened(folder: Path, url: str) -> list[str]:
    write_files(folder, INSTALLED)
    return python_anew(OPEN.format(url=url), path=[folder]).splitlines()


def test_it_is_opened_with_the_url_the_bounds_and_the_program(tmp_path: Path) -> None:
    assert opened(tmp_path, "shelf://host/1") == ["shelf://host/1 7 shop", "text"]


def test_one_that_does_not_load_is_named_without_its_url(tmp_path: Path) -> None:
    assert opened(tmp_path, "broken://:secret@host") == [
        "the store broken: (nowhere:open_it) does not load: ModuleNotFoundError"
    ]


def test_an_unknown_scheme_is_refused_with_those_of_all_packages(tmp_path: Path) -> None:
    [said] = opened(tmp_path, "shlf://host")
    assert said.startswith("the store's URL has no known scheme; did you mean shelf:?")
    assert said.endswith("unix:, shelf:, broken:")


def test_what_a_store_is_given_and_returns_is_frozen_and_made_by_name_where_it_may_get_more_fields() -> None:
    assert changing("wwspec_router.stores") == set()
    by_name = "Forgotten Job JobFigures KeptReply KeptWrite OldJob OnceClaim OnceEntry Outcome StoreFigures StoreLimits"
    assert made_by_name("wwspec_router.stores") == {*by_name.split()}


def test_a_store_has_the_documented_bounds() -> None:
    events = {"max_rows": 10**6, "max_bytes": 2**30, "max_once": 10**6, "max_once_bytes": 2**30}
    jobs = {"max_jobs": 10**5, "max_job_bytes": 2**30, "max_failed": 10**4}
    kept = {"max_kept_bytes": 2**30, "max_kept_bytes_of_corp": 2**26}
    assert asdict(StoreLimits()) == events | jobs | kept

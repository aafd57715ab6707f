"""The application's own settings: `[app]` of wwspec.toml and `WWSPEC_APP_…`, read into the Struct that it declares."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from tests.support.apps import write_files
from tests.support.tables import for_each
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.app_settings import app_variables
from wwspec_router import Secret
from wwspec_router.registry.own_settings import OwnSettings, read_own_settings

PLACE = "registry.toml:1 [program]"


class Settings(msgspec.Struct, frozen=True):
    api_url: str
    token: Secret
    retries: Annotated[int, Meta(ge=0, le=9)] = 3
    pause: float = 0.5
    verbose: bool = False
    since: datetime.date | None = None
    corps: list[str] = []
    level: Literal["low", "high"] = "low"
    spare: Secret | None = None


DECLARED = OwnSettings("abilities.settings:Settings", Settings, PLACE)
TOKEN = {"WWSPEC_APP_TOKEN": "s3cret"}
AS_FILE = "WWSPEC_APP_TOKEN_FILE"
NO_URL = "missing api-url: write api-url = … below [app] in wwspec.toml, or set WWSPEC_APP_API_URL"
BY_FILE = f"set WWSPEC_APP_TOKEN, or name a file that holds it with token-file or {AS_FILE}"
FILE = """\
# of this program

[app]
api-url = "https://example.org"
retries = 5
since = 2026-01-02
corps = ["a", "b"]
"""


def read(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Any:
    write_files(folder, {"wwspec.toml": text})
    return read_own_settings(DECLARED, folder / "wwspec.toml", TOKEN if environment is None else environment)


def faults(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text, environment)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_values_come_from_the_file_with_their_types(tmp_path: Path) -> None:
    found = read(tmp_path, FILE)
    assert found == Settings(
        "https://example.org", Secret("s3cret"), 5, since=datetime.date(2026, 1, 2), corps=["a", "b"]
    )
    assert found.token.reveal() == "s3cret"


def test_a_variable_goes_before_the_file_and_an_empty_one_is_none(tmp_path: Path) -> None:
    variables = {
        "WWSPEC_APP_API_URL": "https://other.example",
        "WWSPEC_APP_RETRIES": "7",
        "WWSPEC_APP_PAUSE": "2",
        "WWSPEC_APP_VERBOSE": "true",
        "WWSPEC_APP_CORPS": '["c"]',
        "WWSPEC_APP_SINCE": "2026-03-04",
        "WWSPEC_APP_LEVEL": "",
        "WWSPEC_APP": "/the/folder",
    }
    found = read(tmp_path, FILE, {**TOKEN, **variables})
    assert found == Settings(
        "https://other.example", Secret("s3cret"), 7, 2.0, True, datetime.date(2026, 3, 4), ["c"], "low"
    )


@pytest.mark.parametrize("by", ["the file", "the environment"])
def test_a_secret_comes_from_a_file_of_its_own(tmp_path: Path, by: str) -> None:
    write_files(tmp_path, {"var/token": "of-a-file\n"})
    if by == "the file":
        found = read(tmp_path, f'{FILE}token-file = "var/token"\n', {})
    else:
        found = read(tmp_path, FILE, {"WWSPEC_APP_TOKEN_FILE": str(tmp_path / "var" / "token")})
    assert found.token.reveal() == "of-a-file"


def test_the_file_of_a_secret_may_be_missing_where_a_variable_has_the_secret(tmp_path: Path) -> None:
    assert read(tmp_path, f'{FILE}token-file = "of-the-zone"\n').token.reveal() == "s3cret"


@for_each(
    [
        ("[app]\n", [f"wwspec.toml:1 [app]: {NO_URL}"]),
        ("", [f"wwspec.toml [app]: {NO_URL}"]),
        (f"{FILE}retrys = 1", ["wwspec.toml:8 [app] retrys: unknown setting; did you mean retries?"]),
        (f"{FILE}zzz = 1", ["wwspec.toml:8 [app] zzz: unknown setting; abilities.settings:Settings has no such field"]),
        (
            FILE.replace("api-url", "api_url"),
            ["wwspec.toml:4 [app] api_url: unknown setting; write api-url", f"wwspec.toml:3 [app]: {NO_URL}"],
        ),
        (FILE.replace("5", '"5"'), ["wwspec.toml:5 [app] retries: must be a whole number, not a text"]),
        (FILE.replace("5", "10"), ["wwspec.toml:5 [app] retries: must be a whole number <= 9"]),
        (f"{FILE}level = 'hihg'", ["wwspec.toml:8 [app] level: 'hihg' is unknown; did you mean high?"]),
        (f"{FILE}token = 's3cret'", [f"wwspec.toml:8 [app] token: a secret does not belong in this file: {BY_FILE}"]),
        (f"{FILE}token-file = 7", ["wwspec.toml:8 [app] token-file: must be the path of a file, as text"]),
        (f"{FILE}spare-fil = 'x'", ["wwspec.toml:8 [app] spare-fil: unknown setting; did you mean spare-file?"]),
    ]
)
def test_a_fault_of_the_file_names_its_line_and_the_fix(text: str, said: list[str], tmp_path: Path) -> None:
    assert faults(tmp_path, text, TOKEN if "s3cret" not in text and "token" not in text else {}) == said


@for_each(
    [
        ("app = 3", "wwspec.toml:1 [app]: must be a table; write [app]"),
        ("app.retrys = 3", "wwspec.toml:1 [app] retrys: unknown setting; did you mean retries?"),
        ('["app"]\nretrys = 3', "wwspec.toml [app] retrys: unknown setting; did you mean retries?"),
    ]
)
def test_other_forms_of_the_table_have_their_places_too(text: str, said: str, tmp_path: Path) -> None:
    assert faults(tmp_path, text)[0] == said


@for_each(
    [
        ({}, f"wwspec.toml:3 [app]: missing token: {BY_FILE}"),
        ({**TOKEN, "WWSPEC_APP_RETRIES": "many"}, "WWSPEC_APP_RETRIES: must be a whole number, not a text"),
        ({**TOKEN, "WWSPEC_APP_RETRYS": "1"}, "WWSPEC_APP_RETRYS: unknown setting; did you mean WWSPEC_APP_RETRIES?"),
        ({**TOKEN, AS_FILE: "x"}, f"WWSPEC_APP_TOKEN and {AS_FILE} are both set: unset one of them"),
        ({AS_FILE: "/no/such"}, f"{AS_FILE}: /no/such can't be read: No such file or directory"),
    ]
)
def test_a_fault_of_the_environment_names_the_variable(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    assert faults(tmp_path, FILE, variables) == [said]


def test_all_faults_are_told_at_once_and_none_repeats_a_secret(tmp_path: Path) -> None:
    write_files(tmp_path, {"two": "s3cret\nof two lines\n"})
    text = FILE.replace("5", '"many"') + "spare = 's3cret'\nzzz = 1\ntoken-file = 'two'\n"
    found = faults(tmp_path, text, {"WWSPEC_APP_PAUSE": "long"})
    assert len(found) == 5
    assert "s3cret" not in "\n".join(found)


@pytest.mark.parametrize("error", [ValueError("at most three retries"), KeyError("region")])
def test_any_error_of_the_struct_itself_is_a_fault(error: Exception) -> None:
    class Checked(msgspec.Struct):
        retries: int = 3

        def __post_init__(self) -> None:
            if self.retries > 3:
                raise error

    declared = OwnSettings("abilities.settings:Checked", Checked, PLACE)
    assert declared.read(None, {}).retries == 3
    fault = rf"^registry\.toml:1 \[program\]: settings: abilities\.settings:Checked: {error}$"
    with pytest.raises(ConfigurationError, match=fault):
        declared.read(None, {"WWSPEC_APP_RETRIES": "4"})


class Inner(msgspec.Struct):
    host: str = ""


class Nested(msgspec.Struct):
    mail: Inner
    """A table in the table."""


class WithFile(msgspec.Struct):
    token: Secret
    token_file: str


class WithPath(msgspec.Struct):
    folder: Path


class Unknown(msgspec.Struct):
    value: "Missing"  # type: ignore[name-defined]  # noqa: F821


@for_each(
    [
        (dict, 'a:b is no Struct; write "class Settings(msgspec.Struct)" with a field for each setting'),
        (Nested, "a:b: mail is a table in the table; give its fields to Nested itself"),
        (WithFile, "a:b: token_file would name the file of the secret token; choose another name"),
        (Unknown, "a:b: name 'Missing' is not defined; annotations must be importable at run time"),
        (WithPath, "a:b: folder is a Path, which can't be read from a text; declare it as a str"),
    ]
)
def test_a_struct_that_no_settings_fit_is_refused_with_the_fix(type_: Any, why: str) -> None:
    with pytest.raises(TypeError) as caught:
        OwnSettings("a:b", type_, PLACE)
    assert str(caught.value) == why


def test_a_table_that_nothing_declares_is_a_fault(tmp_path: Path) -> None:
    write_files(tmp_path, {"wwspec.toml": FILE})
    with pytest.raises(ConfigurationError, match=r"wwspec\.toml:3 \[app\]: no settings are declared: write "):
        read_own_settings(None, tmp_path / "wwspec.toml", {})
    write_files(tmp_path, {"wwspec.toml": "[serve]\nthreads = 1\n"})
    assert read_own_settings(None, tmp_path / "wwspec.toml", {}) is None
    assert read_own_settings(None, None, TOKEN) is None


def test_values_become_the_variables_that_give_them(tmp_path: Path) -> None:
    values = {"api_url": "https://a", "token": Secret("s3cret"), "retries": 1, "corps": ["x"], "verbose": True}
    assert DECLARED.read(None, app_variables(values)) == Settings(
        "https://a", Secret("s3cret"), 1, corps=["x"], verbose=True
    )

"""Settings are stated once, in `config.Settings`: options, help and docs say the same."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.support.apps import ROOT
from tests.support.tables import for_each
from wwspec_contracts.errors import ConfigurationError
from wwspec_router.cli.main import main
from wwspec_router.cli.verbs import serve
from wwspec_router.config import REGISTRY, SdkSource, Secrecy, Setting, Settings, registry_path, settings, variable
from wwspec_router.config.reading import read_settings

ALL = list(settings().values())


def plain(text: str) -> str:
    """A text without white space, which a terminal's width decides."""
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="module")
def serve_help() -> str:
    return plain(CliRunner().invoke(main, ["serve", "--help"]).stdout)


def parsed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Settings:
    taken: list[Settings] = []
    monkeypatch.setattr(serve, "serve", taken.append)
    done = CliRunner().invoke(main, ["serve", *arguments])
    assert done.exit_code == 0, done.output
    return taken[0]


@for_each([(each,) for each in ALL])
def test_each_setting_is_in_the_help_with_its_text_and_variable(setting: Setting, serve_help: str) -> None:
    if setting.secret is Secrecy.ALWAYS:
        assert plain(f"--{setting.option}-file FILE") in serve_help
        assert plain(f"set {variable(setting.option)} to it") in serve_help
    else:
        assert f"--{setting.option}" in serve_help
        assert plain(setting.text) in serve_help
    if setting.secret is not Secrecy.NEVER:
        assert variable(setting.option) in serve_help


def test_every_option_of_serve_is_a_setting() -> None:
    options = {each.name for each in serve.command.params if isinstance(each, click.Option) and each.expose_value}
    others = {"debug", "emulator_url"}  # one is hidden, and the stand-in reads the other
    assert options == {*settings(), "app", "registry", *others}


def test_without_options_serve_has_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed(monkeypatch, "--app", str(ROOT)) == Settings(app=ROOT)


def test_the_option_for_the_store_becomes_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other options are tested in `test_config` of the command line."""
    assert parsed(monkeypatch, "--store", "memory:").store == "memory:"


BEYOND = [(each, f"{each.above:g}") for each in ALL if each.above is not None]
BEYOND += [(each, f"{each.least - 1:g}") for each in ALL if each.least is not None and each.above is None]
BEYOND += [(each, f"{each.most + 1:.0f}") for each in ALL if each.most is not None]


@for_each(BEYOND)
def test_a_value_beyond_a_limit_is_wrong_usage(setting: Setting, value: str) -> None:
    done = CliRunner().invoke(main, ["serve", f"--{setting.option}", value])
    assert done.exit_code == 2
    assert f"--{setting.option}" in done.stderr


def other_value(setting: Setting) -> Any:
    if setting.choices:
        return next(each for each in setting.choices if each != setting.default)
    if isinstance(setting.default, bool):
        return not setting.default
    return f"redis://{setting.name}" if isinstance(setting.default, str) else setting.default + 1


IN_A_FILE = [each for each in ALL if each.secret is not Secrecy.ALWAYS]


def in_the_environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for each in ALL:
        monkeypatch.setenv(variable(each.option), str(other_value(each)))


def in_files_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for each in ALL:
        if each.secret is not Secrecy.NEVER:
            (folder / each.name).write_text(f"{each.name} of a file\n")
            monkeypatch.setenv(f"{variable(each.option)}_FILE", str(folder / each.name))


def in_the_settings_file(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    rows = [f"{each.option} = {json.dumps(other_value(each))}" for each in IN_A_FILE]
    (folder / "secret").write_text("a secret\n")
    rows += [f"{each.option}-file = 'secret'" for each in ALL if each.secret is Secrecy.ALWAYS]
    (folder / "wwspec.toml").write_text("\n".join(["[serve]", "registry = 'own.toml'", *rows]))


def in_a_settings_file_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "named.toml").write_text("[serve]\ngrace = 5\n[app]\nname = 'x'\n")
    monkeypatch.setenv("WWSPEC_CONFIG", str(folder / "named.toml"))
    monkeypatch.setenv("WWSPEC_REGISTRY", str(folder / "rows.toml"))
    monkeypatch.setenv("WWSPEC_GRACE", "7")


@pytest.mark.parametrize(
    "set_all",
    [in_the_environment, in_files_that_the_environment_names]
    + [in_the_settings_file, in_a_settings_file_that_the_environment_names],
)
def test_other_servers_read_the_settings_that_serve_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, set_all: Callable[[pytest.MonkeyPatch, Path], None]
) -> None:
    monkeypatch.setenv("WWSPEC_APP", str(tmp_path))
    set_all(monkeypatch, tmp_path)
    read, given = read_settings()
    assert read == parsed(monkeypatch)
    assert read != Settings(app=tmp_path)
    assert isinstance(read.sdk, SdkSource)
    assert isinstance(read.grace, float)
    assert given == {each for each in settings() if getattr(read, each) != getattr(Settings(app=tmp_path), each)}


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("WORKERS", "many", "WWSPEC_WORKERS: must be a whole number from 0 to 64, or auto, not 'many'"),
        ("GRACE", "inf", "WWSPEC_GRACE: must be a number of seconds from 0 on, not 'inf'"),
        ("LOG_JSON", "maybe", "WWSPEC_LOG_JSON: must be true or false, not 'maybe'"),
        ("LOG_LEVEL", "info", "WWSPEC_LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR, not 'info'"),
        ("APP", __file__, f"WWSPEC_APP: {__file__} is a file: name the folder of the application"),
        ("REGISTRY", str(ROOT), f"WWSPEC_REGISTRY: {ROOT} is a folder: name the registry file"),
        ("STORE_FILE", "no-such-file", "WWSPEC_STORE_FILE: no-such-file can't be read: No such file or directory"),
    ],
)
def test_other_servers_refuse_a_wrong_value_and_name_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(f"WWSPEC_{name}", value)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(fault)}$"):
        read_settings()


def test_the_table_in_the_docs_is_made_of_the_settings() -> None:
    page = (ROOT / "docs" / "en" / "reference" / "settings.md").read_text("utf-8")
    assert all(f"`--{each.option}" in page and each.text in page for each in ALL)


def test_the_registry_file_is_in_the_application_folder_unless_it_is_named() -> None:
    assert registry_path(Path("app")) == Path("app/abilities/registry.toml") == Path("app") / REGISTRY
    assert registry_path(Path("app"), Path("other.toml")) == Path("other.toml")


def test_the_place_of_the_registry_file_is_spelled_once() -> None:
    place = re.compile(r'"abilities/registry\.toml"|"abilities" / "registry\.toml"')
    modules = (ROOT / "wwspec_router").rglob("*.py")
    assert [each for each in modules if place.search(each.read_text("utf-8"))] == [
        ROOT / "wwspec_router/config/__init__.py"
    ]

"""Settings are stated once, in `config.Settings`: options, help and docs say the same."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.support.apps import ROOT
from wwspec_router.cli.main import main
from wwspec_router.cli.verbs import serve
from wwspec_router.config import REGISTRY, Secrecy, Setting, Settings, registry_path, settings, variable

ALL = list(settings().values())


def plain(text: str) -> str:
    """A text without white space, which a terminal's width decides."""
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="module")
def serve_help() -> str:
    return plain(CliRunner().invoke(main, ["serve", "--help"]).stdout)


def parsed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Settings:
    """The settings that `wwspec serve` makes of its arguments."""
    taken: list[Settings] = []
    monkeypatch.setattr(serve, "serve", taken.append)
    done = CliRunner().invoke(main, ["serve", *arguments])
    assert done.exit_code == 0, done.output
    return taken[0]


@pytest.mark.parametrize("setting", ALL, ids=lambda each: each.option)
def test_each_setting_is_in_the_help_with_its_text_and_variable(serve_help: str, setting: Setting) -> None:
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


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 0), ("workers", 64), ("queue_timeout", 0.5), ("freeze_gc", False)]
    + [("log_json", True), ("log_level", "DEBUG"), ("sdk", "emulator"), ("store", "memory:"), ("host", "::1")],
)
def test_an_option_becomes_its_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    option = f"--{name.replace('_', '-')}"
    arguments = (
        [option.replace("--", "--no-") if value is False else option]
        if isinstance(value, bool)
        else [option, str(value)]
    )
    assert getattr(parsed(monkeypatch, *arguments), name) == value


@pytest.mark.parametrize("setting", [each for each in ALL if each.least is not None or each.above is not None])
def test_a_value_below_its_limit_is_wrong_usage(setting: Setting) -> None:
    value = f"{setting.above:g}" if setting.above is not None else f"{(setting.least or 0) - 1:g}"
    done = CliRunner().invoke(main, ["serve", f"--{setting.option}", value])
    assert done.exit_code == 2
    assert f"--{setting.option}" in done.stderr


@pytest.mark.parametrize("setting", [each for each in ALL if each.most is not None])
def test_a_value_above_its_limit_is_wrong_usage(setting: Setting) -> None:
    done = CliRunner().invoke(main, ["serve", f"--{setting.option}", f"{(setting.most or 0) + 1:.0f}"])
    assert done.exit_code == 2
    assert f"--{setting.option}" in done.stderr


def test_the_table_in_the_docs_is_made_of_the_settings() -> None:
    page = (ROOT / "docs" / "en" / "reference" / "settings.md").read_text("utf-8")
    assert all(f"`--{each.option}" in page and each.text in page for each in ALL)


def test_the_registry_file_is_in_the_application_folder_unless_it_is_named() -> None:
    assert registry_path(Path("app")) == Path("app/abilities/registry.toml") == Path("app") / REGISTRY
    assert registry_path(Path("app"), Path("other.toml")) == Path("other.toml")


def test_the_place_of_the_registry_file_is_spelled_once() -> None:
    spelled = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "wwspec_router").rglob("*.py"))
        if re.search(r'"abilities/registry\.toml"|"abilities" / "registry\.toml"', path.read_text("utf-8"))
    ]
    assert spelled == ["wwspec_router/config.py"]

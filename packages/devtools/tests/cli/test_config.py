"""Settings from wwspec.toml, the environment and options: which goes before which, and what each fault says."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scripts.reference.cli import commands
from tests.cli.conftest import Run
from tests.support.apps import write_files
from wwspec_router.cli.main import main
from wwspec_router.cli.verbs import serve
from wwspec_router.config import Secrecy, Setting, Settings, settings, variable
from wwspec_router.process.cores import usable_cores

ALL = list(settings().values())
PLAIN = [each for each in ALL if each.secret is Secrecy.NEVER]
REGISTRY = '[abilities.get_group_chat]\napi = "get_group_chat"\n'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting comes from the environment of the tests."""
    for name in [each for each in os.environ if each.startswith("WWSPEC_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path, {"abilities/registry.toml": REGISTRY})


def wwspec(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], prog_name="wwspec")


def listed(folder: Path, *arguments: str | Path) -> dict[str, tuple[Any, str]]:
    """Value and origin of each setting, as `wwspec config` lists them."""
    done = wwspec("config", "--json", "--app", folder, *arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    return {row["name"]: (row["value"], row["origin"]) for row in json.loads(done.stdout)}


def served(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> Settings:
    """The settings that `wwspec serve` makes."""
    taken: list[Settings] = []
    monkeypatch.setattr(serve, "serve", taken.append)
    done = wwspec("serve", "--app", folder, *arguments)
    assert done.exit_code == 0, done.output
    return taken[0]


def another(setting: Setting) -> Any:
    """A value of a setting that is not its default."""
    if setting.choices:
        return next(each for each in setting.choices if each != setting.default)
    if isinstance(setting.default, bool):
        return not setting.default
    return "::1" if isinstance(setting.default, str) else setting.default + 1


def toml(value: Any) -> str:
    return json.dumps(value)


@pytest.mark.parametrize("setting", PLAIN, ids=lambda each: each.option)
def test_a_setting_comes_from_the_file_the_environment_and_an_option_in_that_order(
    setting: Setting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, option, value = setting.option, f"--{setting.option}", another(setting)
    assert listed(folder)[name] == (setting.default, "default")
    write_files(folder, {"wwspec.toml": f"# of this program\n[serve]\n\n{name} = {toml(value)}\n"})
    assert listed(folder)[name] == (value, "wwspec.toml:4")
    assert getattr(served(monkeypatch, folder), setting.name) == value
    from_environment = setting.default if setting.default != "" else "b"  # an empty variable counts as none
    text = str(from_environment)
    monkeypatch.setenv(variable(name), text.lower() if isinstance(value, bool) else text)
    assert listed(folder)[name] == (from_environment, variable(name))
    given = [option if value else option.replace("--", "--no-")] if isinstance(value, bool) else [option, str(value)]
    assert listed(folder, *given)[name] == (value, option)
    assert getattr(served(monkeypatch, folder, *given), setting.name) == value


def test_the_file_may_be_named_by_an_option_or_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(
        folder, {name: f"[serve]\nthreads = {count}\n" for name, count in (("wwspec.toml", 1), ("a", 2), ("b", 3))}
    )
    assert listed(folder)["threads"] == (1, "wwspec.toml:2")
    monkeypatch.setenv("WWSPEC_CONFIG", str(folder / "a"))
    assert listed(folder)["threads"] == (2, "a:2")
    assert listed(folder)["config"] == (str(folder / "a"), "WWSPEC_CONFIG")
    assert listed(folder, "--config", folder / "b")["threads"] == (3, "b:2")


def test_relative_paths_are_relative_to_the_file(folder: Path, tmp_path: Path) -> None:
    text = '[serve]\nregistry = "r.toml"\nstore = "sqlite:var/x.db"\ndebug-token-file = "token"\n'
    write_files(folder, {"conf/own.toml": text, "conf/token": "s3cret\n"})
    found = listed(folder, "--config", folder / "conf" / "own.toml")
    assert found["registry"] == (str(folder / "conf" / "r.toml"), "own.toml:2")
    assert found["store"] == (f"sqlite:{folder / 'conf' / 'var' / 'x.db'}", "own.toml:3")
    assert found["debug-token"] == ("***", "own.toml:4")


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("redis://h:6379/s3cret", "redis:***"),
        ("redis://user:s3cret/0", "redis:***"),
        ("redis://h/0?pass=s3cret", "redis:***"),
        ("rediss+sentinel://h/p?sentinel_password=s3cret", "rediss+sentinel:***"),
        ("unix:s3cret", "unix:***"),
        ("sqlite://user:s3cret@h/x", "sqlite:***"),
        ("memory:s3cret", "memory:***"),
        ("s3cret@h:6379", "***"),
        ("s3cret", "***"),
        ("redis+sentinel://h:1,i:2/p?wait=1", "redis+sentinel://h:1,i:2/p?wait=1"),
        ("sqlite:var/notify.db", "sqlite:var/notify.db"),
    ],
)
def test_a_password_in_a_wrong_place_of_the_store_is_hidden(
    folder: Path, monkeypatch: pytest.MonkeyPatch, store: str, shown: str
) -> None:
    monkeypatch.setenv("WWSPEC_STORE", store)
    assert listed(folder)["store"] == (shown, "WWSPEC_STORE")


def test_secrets_are_masked_and_their_origin_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(folder, {"url": "redis://user:s3cret@h/0\n", "wwspec.toml": '[serve]\nstore-file = "url"\n'})
    assert listed(folder)["store"] == ("redis:***", "wwspec.toml:2")
    monkeypatch.setenv("WWSPEC_STORE", "rediss://:s3cret@h/0")
    assert listed(folder)["store"] == ("rediss:***", "WWSPEC_STORE")
    monkeypatch.delenv("WWSPEC_STORE")
    monkeypatch.setenv("WWSPEC_STORE_FILE", str(folder / "url"))
    assert listed(folder)["store"] == ("redis:***", "WWSPEC_STORE_FILE")
    assert listed(folder, "--store-file", folder / "url")["store"] == ("redis:***", "--store-file")
    monkeypatch.setenv("WWSPEC_ACCESS_TOKEN", "s3cret")
    assert listed(folder)["access-token"] == ("***", "WWSPEC_ACCESS_TOKEN")
    assert listed(folder)["debug-token"] == ("", "default")


FAULTS = [
    ("[serve]\nthread = 3", "2 [serve] thread: unknown key; did you mean threads?"),
    ("[serve]\nqueue_timeout = 3", "2 [serve] queue_timeout: unknown key; write queue-timeout"),
    ("[serve]\ncolour = 3", "2 [serve] colour: unknown key; wwspec config lists the keys"),
    ("[srve]\nthreads = 3", "1 [srve]: unknown table; did you mean serve?"),
    ("port = 80", "1 [port]: put it below [serve]"),
    ("serve = 3", "1 [serve]: must be a table; write [serve]"),
    ("[dev]\nsdk = 'vendor'", "2 [dev] sdk: unknown key; it belongs in [serve]"),
    ("[dev]\nscene = 3", "2 [dev] scene: must be the path of a file, as text"),
    ("[dev]\ncorps = 0", "2 [dev] corps: must be a whole number from 1 on, not 0"),
    ("[serve]\nscene = 's.toml'", "2 [serve] scene: unknown key; wwspec config lists the keys"),
    ("serve.port = 65536", "1 [serve] port: must be a whole number from 0 to 65535, not 65536"),
    ("[serve]\nport = '80'", "2 [serve] port: must be a whole number from 0 to 65535, not '80'"),
    ("[serve]\nport = true", "2 [serve] port: must be a whole number from 0 to 65535, not True"),
    ("[serve]\nthreads = 1.5", "2 [serve] threads: must be a whole number from 1 to 4096, not 1.5"),
    ("[serve]\nqueue-timeout = 0", "2 [serve] queue-timeout: must be a number of seconds above 0, not 0"),
    ("[serve]\ngrace = nan", "2 [serve] grace: must be a number of seconds from 0 on, not nan"),
    ("[serve]\ngrace = inf", "2 [serve] grace: must be a number of seconds from 0 on, not inf"),
    (f"[serve]\ngrace = {10**400}", f"2 [serve] grace: must be a number of seconds from 0 on, not {'1' + 39 * '0'}"),
    ("[serve]\nlog-json = 'yes'", "2 [serve] log-json: must be true or false, not 'yes'"),
    ("[serve]\nlog-level = 'LOUD'", "2 [serve] log-level: must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'"),
    ("[serve]\nhost = ''", "2 [serve] host: must be text, not ''"),
    ("[serve]\nstore-file = 3", "2 [serve] store-file: must be the path of a file, as text"),
    ("[serve]\nstore = 'memory:'\nstore-file = 'x'", "2 [serve] store: give one of store and store-file"),
    ("[serve]\nport = = 3", "2: not valid TOML: Invalid value (column 8)"),
    (
        "\ufeff[serve]",
        "1: begins with a byte order mark (BOM), which TOML does not allow: save it as UTF-8 without BOM",
    ),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
@pytest.mark.parametrize("verb", ["config", "serve", "check", "doctor"])
def test_a_fault_names_the_line_the_key_and_the_fix(folder: Path, verb: str, text: str, fault: str) -> None:
    write_files(folder, {"wwspec.toml": text})
    done = wwspec(verb, "--app", folder)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Error: {folder / 'wwspec.toml'}:{fault}\n"


def test_every_fault_is_named_at_once(folder: Path) -> None:
    write_files(folder, {"wwspec.toml": "[serve]\nthread = 3\nport = -1\n"})
    lines = wwspec("check", "--app", folder).stderr.splitlines()
    assert [line.partition("wwspec.toml")[2].partition(" ")[0] for line in lines] == [":2", ":3"]


@pytest.mark.parametrize("key", ["debug-token", "access_token", "store"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(folder: Path, key: str) -> None:
    write_files(folder, {"wwspec.toml": f'[serve]\n{key} = "redis://user:s3cret@h/0"\n'})
    done = wwspec("config", "--app", folder)
    option = key.replace("_", "-")
    assert done.exit_code == 1
    assert f"does not belong in this file: set {variable(option)}, or name a file with {option}-file" in done.stderr
    assert "s3cret" not in done.output


def test_a_file_that_option_or_environment_names_must_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = wwspec("check", "--config", folder / "none.toml")
    assert done.exit_code == 1
    assert f"{folder / 'none.toml'}: there is no such file; name another one with --config" in done.stderr
    monkeypatch.setenv("WWSPEC_APP", str(folder))
    monkeypatch.setenv("WWSPEC_REGISTRY", str(folder / "other.toml"))
    done = wwspec("check")
    assert done.exit_code == 1
    assert f"{folder / 'other.toml'}: there is no such file" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"WWSPEC_LOG": "debug", "WWSPEC_LOGJSON": "1"}, "WWSPEC_LOGJSON is no setting; did you mean WWSPEC_LOG_JSON?"),
        ({"WWSPEC_QUEU_TIMEOUT": "3"}, "WWSPEC_QUEU_TIMEOUT is no setting; did you mean WWSPEC_QUEUE_TIMEOUT?"),
        ({"WWSPEC_EMULATOR_URL": "http://127.0.0.1:1", "WWSPEC_START_LIMIT": "60", "WWSPEC_PURE": "1"}, ""),
    ],
    ids=["beside one of the app's client", "alone", "beside none"],
)
def test_a_misspelled_variable_is_told_and_those_that_others_read_are_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    done = wwspec("config", "--app", folder)
    assert (done.exit_code, done.stderr.rstrip("\n")) == (0, said)


def test_the_variables_of_an_app_are_not_taken_for_misspelled_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {
        parameter.envvar
        for verb, command in commands()
        if verb in ("call", "keys list", "app tail", "metrics")
        for parameter in command.params
        if isinstance(parameter.envvar, str)
    }
    assert {"WWSPEC_BASE_URL", "WWSPEC_PROGRAM_ID", "WWSPEC_SUITE_ID", "WWSPEC_KEYS"} <= named
    for name in named:
        monkeypatch.setenv(name, "")
    done = wwspec("config", "--app", folder)
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(("verb", "name"), [("emulate", "SEED"), ("emulate", "PORT"), ("dev", "PORT")])
def test_options_of_the_emulator_come_from_the_environment(
    verb: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"WWSPEC_EMULATOR_{name}", "many")
    done = wwspec(verb)
    assert done.exit_code == 2
    assert "'many' is not a valid integer" in done.stderr


def test_config_lists_one_setting_a_line(folder: Path) -> None:
    lines = wwspec("config", "--app", folder, "--threads", "9").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["app", "config", "registry", *(each.option for each in ALL)]
    assert next(line.split() for line in lines if line.startswith("threads")) == ["threads", "9", "--threads"]
    assert next(line.split() for line in lines if line.startswith("log-json")) == ["log-json", "off", "default"]


OWN_REGISTRY = f'[program]\nsettings = "abilities.own:Settings"\n{REGISTRY}'
OWN = """
import msgspec
from wwspec_router import Secret

class Settings(msgspec.Struct):
    api_url: str
    token: Secret
    retries: int = 3
"""


def test_the_application_s_own_settings_are_listed_and_its_secrets_are_masked(run: Run, folder: Path) -> None:
    toml = '[app]\napi-url = "https://example.org"\n'
    write_files(folder, {"abilities/registry.toml": OWN_REGISTRY, "abilities/own.py": OWN, "wwspec.toml": toml})
    done = run("config", cwd=folder, environment={"WWSPEC_APP_TOKEN": "s3cret"})
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("app.")]
    assert rows == [
        ["app.api-url", "https://example.org", "wwspec.toml:2"],
        ["app.token", "***", "WWSPEC_APP_TOKEN"],
        ["app.retries", "3", "default"],
    ]
    assert (done.returncode, done.stderr) == (0, "")
    done = run("config", "--json", cwd=folder, environment={"WWSPEC_APP_RETRYS": "4"})
    assert [row["name"] for row in json.loads(done.stdout)][-2:] == ["app.api-url", "app.retries"]
    assert "WWSPEC_APP_RETRYS: unknown setting; did you mean WWSPEC_APP_RETRIES?" in done.stderr
    assert "missing token: set WWSPEC_APP_TOKEN" in done.stderr


def test_doctor_finds_a_missing_own_setting(run: Run, folder: Path) -> None:
    toml = '[serve]\nport = 0\n[app]\napi-url = "https://example.org"\n'
    write_files(folder, {"abilities/registry.toml": OWN_REGISTRY, "abilities/own.py": OWN, "wwspec.toml": toml})
    fault = f"fix   registry  {folder / 'wwspec.toml'}:3 [app]: missing token: set WWSPEC_APP_TOKEN, or name a file"
    assert fault in run("doctor", cwd=folder).stdout
    assert fault not in run("doctor", cwd=folder, environment={"WWSPEC_APP_TOKEN": "s3cret"}).stdout


def test_own_settings_that_can_not_be_loaded_are_told_and_the_others_listed(run: Run, folder: Path) -> None:
    write_files(folder, {"abilities/registry.toml": OWN_REGISTRY})
    done = run("config", cwd=folder)
    assert done.stderr.startswith("the application's own settings are not known: abilities.own: there is no such mod")
    assert "threads" in done.stdout


def test_doctor_judges_the_settings_that_serve_would_use(run: Run, folder: Path) -> None:
    write_files(folder, {"wwspec.toml": '[serve]\nsdk = "emulator"\nstore = "memory:"\nworkers = 2\nport = 0\n'})
    lines = run("doctor", cwd=folder).stdout.splitlines()
    assert f"ok    settings  {folder / 'wwspec.toml'}" in lines
    assert "prod  settings  sdk is the emulator's stand-in (wwspec.toml:2): the zone needs the vendor's" in lines
    assert "fix   store     memory: is not shared by 2 worker processes: take another" in lines
    assert "ok    port      0 is free for a zone program" in lines


def test_workers_are_a_number_or_auto_in_the_file_the_environment_and_an_option(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(folder, {"wwspec.toml": '[serve]\nworkers = "auto"\n'})
    assert listed(folder)["workers"] == ("auto", "wwspec.toml:2")
    assert served(monkeypatch, folder).processes == min(usable_cores().number, 64)
    assert listed(folder, "--workers", "3")["workers"] == (3, "--workers")
    write_files(folder, {"wwspec.toml": "[serve]\nworkers = 3\n"})
    monkeypatch.setenv("WWSPEC_WORKERS", "auto")
    assert listed(folder)["workers"] == ("auto", "WWSPEC_WORKERS")
    assert served(monkeypatch, folder, "--workers", "5").processes == 5


@pytest.mark.parametrize("value", ["all", "Auto", "-1", "65", "1.5"])
def test_other_workers_are_a_fault_that_names_the_choices(
    folder: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = "must be a whole number from 0 to 64, or auto, not"
    assert f"Invalid value for '--workers': {allowed} '{value}'" in wwspec("serve", "--workers", value).stderr
    monkeypatch.setenv("WWSPEC_WORKERS", value)
    assert f"Invalid value for WWSPEC_WORKERS: {allowed} '{value}'" in wwspec("serve").stderr
    monkeypatch.delenv("WWSPEC_WORKERS")
    write_files(folder, {"wwspec.toml": f'[serve]\nworkers = "{value}"\n'})
    assert f"wwspec.toml:2 [serve] workers: {allowed} '{value}'" in wwspec("serve", "--app", folder).stderr


def test_doctor_imports_the_function_of_the_setting_wrap(run: Run, folder: Path) -> None:
    write_files(folder, {"web.py": "def wrap(app):\n    return app\n", "wwspec.toml": "[serve]\nwrap = 'web:wrap'\n"})
    lines = run("doctor", cwd=folder).stdout.splitlines()
    assert "ok    wrap      web:wrap (wwspec.toml:2): uvicorn's own HTTP serves what it returns" in lines
    lines = run("doctor", "--wrap", "web:rap", cwd=folder).stdout.splitlines()
    assert 'fix   wrap      --wrap: "web:rap": module web has no attribute rap; did you mean wrap?' in lines

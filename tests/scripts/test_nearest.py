"""`scripts/test --near`: which tests are the nearest to a change, and what has changed."""

import subprocess
from pathlib import Path

import pytest

from scripts.nearest import changes, main, nearest
from tests.support.apps import ROOT
from tests.support.tables import for_each

DEVTOOLS = "packages/devtools"


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@for_each(
    [
        ("wwspec_router/kernel/dispatch.py", "tests/kernel/test_dispatch.py"),
        ("wwspec_router/cli/verbs/doctor.py", "packages/devtools/tests/cli/test_doctor.py"),
        ("wwspec_router/asgi.py", "tests/test_asgi.py"),
        ("packages/contracts/wwspec_contracts/errcodes.json", "packages/contracts/tests/contracts/test_errcodes.py"),
        ("packages/contracts/wwspec_contracts/backoff.py", "packages/contracts/tests/contracts/test_backoff.py"),
        ("packages/client/wwspec_client/notify/policy.py", "packages/client/tests/client/notify/test_policy.py"),
        ("packages/client/pyproject.toml", "tests/packaging/test_scripts.py"),
        ("packages/devtools/wwspec_devtools/image/build.py", "packages/devtools/tests/image/test_build.py"),
        (f"{DEVTOOLS}/wwspec_devtools/app_module.py", f"{DEVTOOLS}/tests/console_contracts/test_app_module.py"),
        (f"{DEVTOOLS}/wwspec_devtools/scaffold/files/Dockerfile", f"{DEVTOOLS}/tests/scaffold/test_new.py"),
        ("packages/devtools/README.md", "tests/docs/test_pages.py"),
        ("abilities/chat_summary.py", "tests/abilities/test_chat_summary.py"),
        ("scripts/needs", "tests/packaging/test_needs.py"),
        ("scripts/website/facts.py", "tests/docs/test_facts.py"),
        ("AGENTS.md", "tests/docs/test_contributing.py"),
        ("tests/test_asgi.py", "tests/test_asgi.py"),
        ("tests/stores/redis/relay.py", "tests/stores/redis/test_kept.py"),
    ]
)
def test_the_nearest_test_comes_first(changed: str, first: str) -> None:
    assert nearest(Path(changed))[0] == first


def test_a_module_has_the_tests_of_its_folder_and_of_what_is_beside_it() -> None:
    tests = nearest(Path("wwspec_router/kernel/intake.py"))
    assert {"tests/kernel/test_once.py", "tests/handlers/test_follow.py", "tests/jobs/test_events.py"} < {*tests}
    assert not [test for test in tests if test.startswith("packages/client/tests/client/")]
    emulator = "packages/devtools/tests/emulator"
    state = nearest(Path("packages/devtools/wwspec_devtools/emulator/state/texts.py"))
    assert {f"{emulator}/state/test_scenes.py", f"{emulator}/apis/test_analyses.py"} < {*state}
    assert f"{emulator}/program/test_machines.py" not in state


def test_a_module_without_a_folder_of_tests_has_those_of_the_next_one_above_or_of_its_name() -> None:
    devtools = Path("packages/devtools/wwspec_devtools")
    console = nearest(devtools / "emulator/console/static/timeline/list.js")
    assert {str(Path(test).parts[3:5]) for test in console} == {str(("emulator", "console"))}
    assert len(nearest(devtools / "app_module.py")) < 5
    for name in ("__init__", "api/sync_msg"):
        room = nearest(Path(f"packages/contracts/wwspec_contracts/{name}.py"))
        assert {Path(test).parts[3] for test in room} == {"contracts", "wecom"}


def test_a_page_has_the_tests_that_read_every_page_and_those_that_name_it() -> None:
    page = {*nearest(Path("docs/zh/program/settings.md"))}
    assert {"tests/docs/test_pages.py", "tests/docs/test_snippets.py", "tests/docs/test_secrets_page.py"} <= page
    assert "tests/docs/test_databases_page.py" not in page


def test_what_a_helper_of_tests_shares_is_near_through_other_helpers_and_fixtures() -> None:
    assert "packages/client/tests/client/test_keys.py" in nearest(Path("tests/support/rsa_keys.py"))
    assert "packages/client/tests/client/sql/test_tokens.py" in nearest(Path("tests/support/postgres_server.py"))


@pytest.mark.parametrize("parts", [("tests", "conftest.py"), ("tests", "test_that_is_gone.py"), ("no", "such.txt")])
def test_nothing_is_near_to_what_has_no_test(parts: tuple[str, ...]) -> None:
    assert nearest(Path(*parts)) == []


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("first", "tests/test_second.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        for arguments in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", name]):
            subprocess.run(["git", *arguments], check=True)  # noqa: S607
    return tmp_path


def test_what_has_changed_is_the_working_tree_or_else_the_last_commit(repository: Path) -> None:
    assert changes() == ["tests/test_second.py"]
    (repository / "新.md").touch()
    (repository / "first").write_text("changed")
    assert changes() == ["first", "新.md"]


def test_one_line_says_which_tests_run_and_what_for(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "first").write_text("changed")
    (repository / "tests/test_second.py").write_text("changed")
    assert main() == 0
    printed = capsys.readouterr()
    assert printed.out == "tests/test_second.py\n"
    assert printed.err == "scripts/test --near: nothing for first; tests/test_second.py for tests/test_second.py\n"

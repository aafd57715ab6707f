"""Verbs of other packages, found by entry points; what installs those of wwspec-devtools where it is missing."""

from pathlib import Path

import pytest

from tests.support.apps import python, python_anew, write_files

WITHOUT = """
from wwspec_router.cli.main import other_verbs
sys.path[:] = [each for each in sys.path if "site-packages" not in each]
other_verbs.cache_clear()
"""
OF_A_TEAM = {
    "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
    "greeting-1.0.dist-info/entry_points.txt": "[wwspec.verbs]\ngreet = greeting:command\n",
    "greeting.py": "import click\n\n\n@click.command()\ndef command() -> None:\n    click.echo('hello')\n",
}
"""What `pip install` of a package with a verb leaves."""
RUN = """
import sys
from wwspec_router.cli.main import main
main({arguments!r}, prog_name="wwspec")
"""


def run(before: str, *arguments: str) -> str:
    return python(script(before, *arguments))


def script(before: str, *arguments: str) -> str:
    code = f"import sys\nsys.stderr = sys.stdout\n{before}{RUN.format(arguments=list(arguments))}"
    return f"try:\n    exec({code!r})\nexcept SystemExit as end:\n    print('exit code', end.code)\n"


def test_the_program_s_own_verbs_are_there_without_any_other_package() -> None:
    said = run(WITHOUT, "--help")
    listed, _, missing = said.partition("Of wwspec-devtools, which is not installed:")
    assert [name for name in ("serve", "config", "doctor") if f"\n  {name} " not in listed] == []
    assert "\n  dev " not in listed
    assert "dev, " in missing
    assert "install its wheel, or packages/devtools of the clone" in " ".join(missing.split())


@pytest.mark.parametrize("verb", ["dev", "check"])
def test_a_verb_whose_package_is_missing_says_what_to_install(verb: str) -> None:
    assert run(WITHOUT, verb).splitlines() == [
        f"Error: wwspec {verb} needs wwspec-devtools, which is not installed: install its wheel, or packages/devtools "
        "of the clone, of the same version",
        "exit code 2",
    ]


def test_in_chinese_it_says_so_in_chinese() -> None:
    assert run(WITHOUT, "--lang", "zh", "dev").splitlines()[0] == (
        "错误：wwspec dev 需要 wwspec-devtools，但没有安装：请安装同一版本的 wwspec-devtools：它的 wheel，"
        "或仓库中的 packages/devtools"
    )


def test_a_verb_that_no_package_has_is_unknown() -> None:
    assert "there is no verb 'srve'; did you mean serve?" in run(WITHOUT, "srve")


def test_a_team_s_own_verb_runs_and_is_listed(tmp_path: Path) -> None:
    write_files(tmp_path, OF_A_TEAM)
    begin = "from wwspec_router.cli.main import main\n"
    assert python_anew(f"{begin}main(['greet'])", path=[tmp_path]) == "hello\n"
    listed = python_anew(f"{begin}main(['--help'])", path=[tmp_path]).partition("Of other packages:")[2]
    assert listed.split() == ["greet", "greeting:command"]
    assert "did you mean greet?" in python_anew(script("", "gret"), path=[tmp_path])

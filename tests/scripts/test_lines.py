"""scripts/lines: what it counts as a line of code."""

import subprocess
from pathlib import Path

import pytest

from scripts.lines import lines_below, lines_of_python, lines_of_script, main
from tests.support.apps import write_files

PYTHON = '''"""What a module is about.

More of it.
"""

import os  # counts: it has code

# does not


class Thing:
    """Does not."""

    size = 1
    """Does not, either."""

    text = """
a text that is a value
# with this
"""

    def run(self) -> int:
        """Runs."""
        return (
            self.size
        )
'''
SCRIPT = """\
/** What a module is about.
 * More of it.
 */

import { a } from "./a.js"; // counts
// does not
const url = "http://localhost"; /* counts */
const text = `one // counts
two /* counts */`;
  /* does not */

const more = 'it\\'s // no comment' + "/*";
"""


def test_python_and_javascript_count_without_blank_lines_comments_and_docstrings() -> None:
    assert lines_of_python(PYTHON) == len(
        ["import", "class", "size", *("text", "", "", ""), "def", *("return", "", "")]
    )

    assert lines_of_script(SCRIPT) == len(["import", "url", "text", "two", "more"])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)  # noqa: S607
    return write_files(tmp_path, {".gitignore": "made/\n"})


def test_files_count_that_git_tracks_or_would_take_in(repository: Path) -> None:
    write_files(
        repository, {"a/b.py": "x = 1\n\ny = 2\n", "a/c.js": "let x;\n", "a/d.md": "text\n", "a/made/e.py": "z = 3\n"}
    )
    assert lines_below("a") == (3, 2, 1)


def test_each_room_has_a_row_and_all_of_them_a_sum(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(
        repository,
        {
            "wwspec_router/a.py": "x = 1\n" * 1200,
            "packages/client/wwspec_client/b.py": "x = 1\n",
            "packages/client/tests/test_b.py": "x = 1\n" * 2,
            "tests/test_a.py": "x = 1\n",
            "packages/devtools/wwspec_devtools/c.js": "let x;\n",
        },
    )
    assert main() == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["files", "Python", "JavaScript"]
    rooms = {"contracts 0 0 0", "router 1 1,200 0", "client 1 1 0", "devtools 1 0 1"}
    assert {" ".join(row.split()) for row in rows} >= {*rooms, "in sum 3 1,201 1", "tests 2 3 0"}

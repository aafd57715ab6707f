"""Counts lines of code by room; see scripts/lines."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

from scripts.rooms import ROOMS

BESIDE = ("tests", "examples", "benchmarks", "torture", "scripts")
"""What is counted beside the packages: all tests, and these folders."""
NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}
# A string first: what looks like a comment in it is none. A template, too, but not what `${}` has in it.
SCRIPT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL)


def main() -> int:
    """Print a row for each room, and for what is beside them."""
    rows = {room: lines_below(str(package)) for room, (package, _) in ROOMS.items()}
    packages = [sum(column) for column in zip(*rows.values(), strict=True)]
    tests = [sum(column) for column in zip(*(lines_below(str(folder)) for _, folder in ROOMS.values()), strict=True)]
    beside = {name: tests if name == "tests" else lines_below(name) for name in BESIDE}
    print(f"{'':12}{'files':>7}{'Python':>9}{'JavaScript':>12}")
    for name, (files, python, script) in {**rows, "in sum": packages, **beside}.items():
        print(f"{name:12}{files:>7,}{python:>9,}{script:>12,}")
    return 0


def lines_below(folder: str) -> tuple[int, int, int]:
    """Return the files in a folder that git tracks or would take in, and their lines of Python and of JavaScript."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    files = [path for name in listed if name and (path := Path(name)).is_file()]
    python = sum(lines_of_python(path.read_text("utf-8")) for path in files if path.suffix == ".py")
    script = sum(lines_of_script(path.read_text("utf-8")) for path in files if path.suffix in (".js", ".mjs"))
    return len(files), python, script


def lines_of_python(source: str) -> int:
    """Return the number of lines that hold code, but no docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def lines_of_script(source: str) -> int:
    """Return the number of lines of JavaScript that hold code."""
    code = SCRIPT.sub(lambda found: found[1] or "\n" * found[0].count("\n"), source)
    return sum(bool(line.strip()) for line in code.splitlines())


if __name__ == "__main__":
    sys.exit(main())

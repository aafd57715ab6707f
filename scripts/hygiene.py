#!/usr/bin/env python3
"""Checks what no linter knows: no machine's paths, no package index, plain words, executable scripts, one version.

usage: scripts/hygiene.py [FOLDER]    the top of a git work tree; without it the current one

Reads every file that git tracks or would take in. It is not aware of what the files mean: it looks for text.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

# Put together here, so that this file holds none of what it looks for.
INDEX_HOSTS = [
    ".".join(labels)
    for labels in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
        ("repo", "maven", "apache", "org"),
    ]
]
PIP_OPTIONS = ["--" + name for name in ("index-url", "extra-index-url", "trusted-host", "find-links")]
HOMES = ["root", r"home/\w+", r"Users/\w+", "work", "opt/wheels"]

WORDS = [  # of a private dialect, and what to write
    (r"[Mm]end(?:s|ed|ing|er)?|_mend", "fix or repair"),
    (r"[Tt]o and fro", "requests and responses"),
    (r"[Ii]n no time", "at once"),
    (r"[Ww]hoever", "who it is"),
    (r"[Ll]ays?|[Ll]aid", "put or copy"),
    (r"[Ss]tands? in(?! for)", "is stored in"),
    (r"hears?", "get, or watch"),
    (r"CallInHand|(?:Call)?Ticket", "PendingCall, PendingRequest"),
]
WORDS_ALLOWED = ("scripts/hygiene.py",)
"""Files that may hold them: this list itself."""
HOUSE_WORDS = [(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), f"write {plain} instead of") for pattern, plain in WORDS]

NAMED = r"mend(?:s|ed)?|lay|laid|bury|lie_down"
"""In the name of anything, as words between underscores."""
NAMED_BUT_TESTS = r"tells?|told|hears?|heard|settled?|looks?|board|in_hand|write_off"
"""In names that are no sentence: those of tests are."""
WHOLE_NAMES = r"_*take"
"""Of a function that does more than to take: those that say what they take are fine."""
NAMES = re.compile(rf"(?:^|_)(?:{NAMED})(?:_|$)")
NAMES_BUT_TESTS = re.compile(rf"(?:^|_)(?:{NAMED}|{NAMED_BUT_TESTS})(?:_|$)|^{WHOLE_NAMES}$")
NAMES_ALLOWED = {
    ("packages/client/wwspec_client/endpoints.py", "tell"),  # of the interface of a file
    ("wwspec_router/registry/file.py", "told_for"),  # a key of the registry file
}

HOST = re.compile("|".join(map(re.escape, INDEX_HOSTS)), re.IGNORECASE)
SOURCE = re.compile(r"://|" + "|".join(PIP_OPTIONS))
# A path starts the line, or follows neither a name, a closing brace nor a dot: a folder below docs is nobody's home.
MACHINE_PATH = re.compile(r"(?<![\w.}>~*-])/(?:" + "|".join(HOMES) + r")(?:/|\b)")
TEMPORARY_PATH = re.compile(r"(?<![\w.}>~*-])/(?:var/)?tmp/")
OUTSIDE = re.compile(r"\.\./shared\b|/ ?[\"']shared\b")
HEADING = re.compile(r"^## \[?(\d+\.\d+\.\d+[^\]\s]*)", re.MULTILINE)
VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)
PROJECT_VERSION = re.compile(r'^version = "(?P<version>[^"]+)"|"wwspec-\w+(?:\[\w+\])?==(?P<pin>[^"]+)"', re.MULTILINE)


def rules(name: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """Give the patterns that file `name` must not hold, each with what a hit means."""
    yield HOST, "names a package index"
    yield MACHINE_PATH, "holds a path of one machine"
    if name not in WORDS_ALLOWED:
        yield from HOUSE_WORDS
    if name.startswith("requirements/"):
        yield SOURCE, "says where to download from"
    if name.startswith(("tests/", ".ci/")) or fnmatch(name, "packages/*/tests/*"):
        yield OUTSIDE, "reads outside the repository"
    else:
        yield TEMPORARY_PATH, "holds a path of one machine"


def file_findings(root: Path, name: str) -> Iterator[str]:
    """Give the findings in one text file, as `file:line: text`; binary files are passed over."""
    data = (root / name).read_bytes()
    if b"\0" in data:
        return
    text = data.decode("utf-8", "replace")
    if text.startswith("#!") and not os.access(root / name, os.X_OK):
        yield f"{name}:1: has a #! line and is not executable: chmod +x {name}"
    for pattern, meaning in rules(name):
        for number, line in enumerate(text.splitlines(), 1):
            if hit := pattern.search(line):
                yield f"{name}:{number}: {meaning}: {hit.group()}"


def names(source: str) -> Iterator[tuple[int, str]]:
    """Give each name that Python source defines, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def name_findings(root: Path, name: str) -> Iterator[str]:
    """Give the names in a Python file that have one of the words, split at underscores and capitals."""
    for number, found in sorted(set(names((root / name).read_text("utf-8")))):
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", found).lower()
        pattern = NAMES if words.startswith("test_") else NAMES_BUT_TESTS
        if pattern.search(words) and (name, found) not in NAMES_ALLOWED:
            yield f"{name}:{number}: write a name for what it does or returns instead of: {found}"


def version_findings(root: Path) -> Iterator[str]:
    """Compare all versions, and the pins of our packages, with the newest numbered heading of CHANGELOG.md."""
    changelog = root / "CHANGELOG.md"
    heading = HEADING.search(changelog.read_text("utf-8")) if changelog.exists() else None
    newest = heading and heading[1]
    for name in ("wwspec_router/__init__.py", "packages/contracts/wwspec_contracts/__init__.py"):
        version = VERSION.search((root / name).read_text("utf-8")) if (root / name).exists() else None
        ours = version and version[1]
        if newest != ours and (version or name.startswith("wwspec_router")):
            yield f"CHANGELOG.md: its newest version is {newest}, {name} has {ours}"
    for project in sorted([root / "pyproject.toml", *root.glob("packages/*/pyproject.toml")]):
        for found in PROJECT_VERSION.finditer(project.read_text("utf-8")) if project.exists() else ():
            if (found["version"] or found["pin"]) != newest:
                yield f"{project.relative_to(root)}: has {found[0]}, and the newest version in CHANGELOG.md is {newest}"


def main() -> int:
    """Print every finding; the exit code is 1 when there is one."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    files = sorted(name for name in set(listing.split("\0")) if name and (root / name).is_file())
    found = [finding for name in files for finding in file_findings(root, name)]
    found += [finding for name in files if name.endswith(".py") for finding in name_findings(root, name)]
    found += version_findings(root)
    print("\n".join(found) or f"{len(files)} files, nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Compares this tree with an earlier commit: `python -m benchmarks.pairs COMMIT NAME [--times N] [OPTION...]`.

The commit's files are put into a folder of their own. Then each tree runs its own benchmark of that name, by turns:
here, there, there, here. Options go to both, `--quick` among them; the commit must know them. Printed are the medians
of all runs, and how this tree's stands to the commit's, as a ratio and beside the reference of the same run.
"""

import argparse
import compileall
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.figures import Figure, Report

ROOT = Path(__file__).parents[1]
_CODE = ("wwspec_router", "packages", "abilities", "schemas", "benchmarks")

Key = tuple[str, str, str]


def main() -> None:
    """Read the command line, measure both trees, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench --pairs", description=__doc__)
    parser.add_argument("commit", metavar="COMMIT")
    parser.add_argument("name", metavar="NAME", help="the benchmark")
    parser.add_argument("--times", type=int, default=5, help="how often both are run twice, 5 by default")
    options, passed = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-pairs-") as folder:
        before = Path(folder)
        export(options.commit, before)
        build(before)
        for tree in (ROOT, before):
            for code in filter(Path.is_dir, map(tree.joinpath, _CODE)):
                compileall.compile_dir(code, quiet=1)
        now: dict[Key, list[Figure]] = {}
        then: dict[Key, list[Figure]] = {}
        for number in range(options.times):
            for tree, found in ((ROOT, now), (before, then), (before, then), (ROOT, now)):
                for key, figure in measure(tree, options.name, passed):
                    found.setdefault(key, []).append(figure)
            sys.stderr.write(f"{number + 1} of {options.times}\n")
    for key in now:
        if key in then:
            sys.stdout.write(f"{line(key, now[key], then[key])}\n")


def export(commit: str, folder: Path) -> None:
    """Put the files of a commit into a folder."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit],  # noqa: S607
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    if archive.returncode:
        sys.exit(f"scripts/bench: git knows no commit {commit}")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")


def build(folder: Path) -> None:
    """Compile what the files of a commit have to compile; this tree's is compiled by scripts/env."""
    if not (folder / "hatch_build.py").exists():
        return
    done = subprocess.run([sys.executable, "hatch_build.py"], cwd=folder, stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit("scripts/bench: the commit's C file was not compiled; the lines above say why")


def measure(tree: Path, name: str, options: list[str]) -> Iterator[tuple[Key, Figure]]:
    """Run one benchmark in one tree."""
    homes = (tree, *tree.glob("packages/*"))  # before the editable installs of the environment, which are of this tree
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--json", *options],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, homes))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"scripts/bench: {name} failed in {'this tree' if tree == ROOT else 'the commit'}:\n{done.stderr}")
    for figure in msgspec.json.decode(done.stdout, type=Report).figures:
        yield (figure.case, figure.name, figure.metric), figure


def line(key: Key, now: list[Figure], then: list[Figure]) -> str:
    """Return the line of one figure."""
    ours, theirs = median(each.median for each in now), median(each.median for each in then)
    ratio = f"{ours / theirs:.3f}" if theirs else "-"
    text = f"{' | '.join(key)}: {theirs:g} -> {ours:g} {now[0].unit}, {ratio}"
    ratios = [[each.ratio for each in found if each.ratio] for found in (now, then)]
    if all(ratios):
        text += f"; beside {now[0].reference} {median(ratios[0]) / median(ratios[1]):.3f}"
    return text


if __name__ == "__main__":
    main()

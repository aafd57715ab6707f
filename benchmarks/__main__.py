"""Runs several benchmarks: `python -m benchmarks [NAME...] [--all] [--quick] [--json] [--json-dir FOLDER]`."""

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks.command import Benchmark, add_options, show, to_json

HERE = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def load(name: str) -> Benchmark:
    """Import one benchmark."""
    benchmark: Benchmark = importlib.import_module(f"benchmarks.bench_{name}").BENCHMARK
    return benchmark


def main() -> None:
    """Run those that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--all", action="store_true", help="every benchmark")
    parser.add_argument("--json-dir", type=Path, help="also write FOLDER/NAME.json")
    add_options(parser)
    options = parser.parse_args()
    if not (options.all or options.names):
        parser.error(f"name benchmarks ({', '.join(names())}), or give --all")
    if unknown := sorted(set(options.names) - set(names())):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    for name in names() if options.all else options.names:
        sys.stderr.write(f"== {name}\n")
        benchmark = load(name)
        report = benchmark.report(benchmark.effort(options))
        show(report, as_json=options.json)
        if options.json_dir is not None:
            options.json_dir.mkdir(parents=True, exist_ok=True)
            (options.json_dir / f"{name}.json").write_text(f"{to_json(report)}\n")


if __name__ == "__main__":
    main()

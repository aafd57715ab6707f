"""Feeds builds of the compiled check in a process of its own: `python -m torture.native_feed ORDERS`.

The orders are a line of JSON, and so is the report on standard output. A process of its own, since a fault of compiled
code ends the process, and since sanitizers look at whole processes.
"""

import base64
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from random import Random
from time import monotonic
from types import ModuleType

import msgspec
from msgspec import inspect as mi

from torture.fuzz_rig import BrokenPromiseError
from torture.native_judge import Judge, NewFitter
from torture.native_texts import Mutator, Values, written
from torture.native_types import Case, contracts, random_types

__all__ = ["Orders", "FeedReport", "load"]

_TYPES, _TEXTS_OF_ROUND = 150, 120_000
"""Random types of one round, and texts."""
_BASES, _TURN = 12, 150
"""Texts of one turn of a type that fit, or nearly, and texts that are made of them."""


class Orders(msgspec.Struct, kw_only=True):
    """What one process has to do."""

    builds: list[str]
    """Paths of compiled modules; all get the same texts."""
    seed: int
    count: int
    """How many texts, at least."""
    seconds: float
    """When to end at the latest."""
    most_failures: int = 10
    """After how many of them to end."""


class FeedReport(msgspec.Struct, kw_only=True):
    """What one process has done."""

    texts: int = 0
    certain: int = 0
    """Texts of which the check said that they certainly fit; each of them was judged."""
    failures: list[str] = []


def load(path: str, number: int = 0) -> ModuleType:
    """Import one build of the compiled module, beside others."""
    name = f"build{number}.speedups"
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no compiled module")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Feed:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._random = Random(orders.seed)  # noqa: S311 - not for secrets
        self._values, self._mutator = Values(self._random), Mutator(self._random)
        self._builds: list[NewFitter] = [load(path, number).Fitter for number, path in enumerate(orders.builds)]
        self._until = monotonic() + orders.seconds
        self.report = FeedReport()

    def texts(self) -> None:
        """Feed rounds of types until there are enough texts, or the time is over."""
        own = [_when_asked(case, self._builds) for case in contracts()]
        while self._goes_on():
            judges = own + [_when_asked(case, self._builds) for case in random_types(self._random, _TYPES)]
            until = min(self.report.texts + _TEXTS_OF_ROUND, self._orders.count)
            while self.report.texts < until and self._goes_on():
                self._turn(self._random.choice(judges)())
            if not self.report.failures:
                for judge in judges:
                    judge()  # or the plan of a type that no turn has chosen is tried by nothing

    def _goes_on(self) -> bool:
        report, orders = self.report, self._orders
        return report.texts < orders.count and monotonic() < self._until and len(report.failures) < orders.most_failures

    def _bases(self, judge: Judge) -> list[str]:
        info = mi.type_info(judge.case.type)
        return [written(self._values.of(info), self._random) for _ in range(_BASES)]

    def _turn(self, judge: Judge) -> None:
        bases = self._bases(judge)
        shortest = min(bases, key=len)
        cuts = [shortest[: len(shortest) - 1 - end] for end in range(min(len(shortest), _TURN // 5))]
        for text in (*bases, *cuts):
            self._feed(judge, text)
        for _ in range(_TURN):
            self._feed(judge, self._mutator.changed(self._random.choice(bases)))

    def _feed(self, judge: Judge, text: str) -> None:
        report = self.report
        report.texts += 1
        try:
            if judge.says(text):
                report.certain += 1
                judge.judge(text)
        except BrokenPromiseError as error:
            data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
            where = f"{judge.case.name}, plan {judge.plan}"
            report.failures.append(f"{error}; seed {self._orders.seed}, {where}, text in base64: {data[:4000]}"[:6000])


def _when_asked(case: Case, builds: list[NewFitter]) -> Callable[[], Judge]:
    """Return what makes the judge of a type once: to make all takes longer than to find most faults."""
    return cache(lambda: Judge(case, builds))


def _main(orders: Orders) -> None:
    feed = _Feed(orders)
    feed.texts()
    sys.stdout.write(msgspec.json.encode(feed.report).decode())


if __name__ == "__main__":
    _main(msgspec.json.decode(sys.argv[1], type=Orders))

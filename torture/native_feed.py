"""Feeds builds of the compiled check in a process of its own: `python -m torture.native_feed ORDERS`.

The orders are a line of JSON, and so is the report on standard output. A process of its own, since a fault of compiled
code ends the process, and since sanitizers and valgrind look at whole processes.
"""

import base64
import gc
import itertools
import resource
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from time import monotonic
from types import ModuleType
from typing import Any

import msgspec
from msgspec import inspect as mi

from torture.fuzz_rig import BrokenPromiseError, promise
from torture.native_judge import Judge, NewFitter
from torture.native_texts import Mutator, Values, is_plain, written
from torture.native_types import Case, contracts, random_types

__all__ = ["Orders", "FeedReport", "load"]

_TYPES = 150
"""Random types of one round."""
_TEXTS_OF_ROUND = 120_000
_BASES = 12
"""Texts that fit, or nearly, which one turn of a type starts from."""
_TURN = 150
"""Texts of one turn of a type."""
_THREADS = 8
_IN_INTERPRETER = """
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("speedups", {path!r}, loader=ExtensionFileLoader("speedups", {path!r}))
module = module_from_spec(spec)
spec.loader.exec_module(module)
fits = module.Fitter(("object", (("a", ("integer", 0, 9), True),))).fits
for _ in range(1000):
    if not fits('{{"a":9}}') or fits('{{"a":10}}') or fits('{{"a":9' + " " * 20000):
        raise ValueError("a wrong answer")
"""


class Orders(msgspec.Struct, kw_only=True):
    """What one process has to do."""

    task: str
    """`texts`, `edge`, `leaks`, `threads` or `interpreters`."""
    builds: list[str]
    """Paths of compiled modules; all get the same texts."""
    seed: int
    count: int
    """How many texts, at least; of `leaks` how many fitters, of `interpreters` how many of these."""
    seconds: float
    """When to end at the latest."""
    few_types: bool = False
    """Whether to take few types, since making them takes minutes under valgrind."""
    most_failures: int = 10
    """After how many of them to end."""


class FeedReport(msgspec.Struct, kw_only=True):
    """What one process has done."""

    texts: int = 0
    types: int = 0
    certain: int = 0
    """Texts of which the check said that they certainly fit; each of them was judged."""
    plain: int = 0
    """Texts that fit a contract of this repository and have nothing unusual."""
    plain_certain: int = 0
    """Those of them that it called certain."""
    asked: int = 0
    """Texts that it left to msgspec, and about which msgspec was asked here: one of eight."""
    asked_unfit: int = 0
    """Those of them that do not fit."""
    uncertain_contracts: list[str] = []
    """Contracts of this repository of which no plain text was certain."""
    growth_kib: int = 0
    """Of `leaks`: how much more memory the process has at the end."""
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
        self._modules = [load(path, number) for number, path in enumerate(orders.builds)]
        self._until = monotonic() + orders.seconds
        self.report = FeedReport()
        self._plain: Counter[str] = Counter()
        self._plain_certain: Counter[str] = Counter()

    def texts(self) -> None:
        """Feed rounds of types until there are enough texts, or the time is over."""
        builds = [module.Fitter for module in self._modules]
        cases, count = (contracts()[:8], 4) if self._orders.few_types else (contracts(), _TYPES)
        own = [_when_asked(case, builds) for case in cases]
        while self._goes_on():
            judges = own + [_when_asked(case, builds) for case in random_types(self._random, count)]
            self.report.types += count
            until = min(self.report.texts + _TEXTS_OF_ROUND, self._orders.count)
            while self.report.texts < until and self._goes_on():
                self._turn(self._random.choice(judges)())
            if not self.report.failures:
                for judge in judges:
                    judge()  # or the plan of a type that no turn has chosen is tried by nothing
        self.report.types += len(own)
        self.report.plain, self.report.plain_certain = self._plain.total(), self._plain_certain.total()
        self.report.uncertain_contracts = sorted(name for name in self._plain if not self._plain_certain[name])

    def _goes_on(self) -> bool:
        report, orders = self.report, self._orders
        return report.texts < orders.count and monotonic() < self._until and len(report.failures) < orders.most_failures

    def _bases(self, judge: Judge) -> list[str]:
        info = mi.type_info(judge.case.type)
        return [written(self._values.of(info), self._random) for _ in range(_BASES)]

    def _turn(self, judge: Judge) -> None:
        bases = self._bases(judge)
        for text in bases:
            is_certain = self._feed(judge, text)
            if judge.case.is_contract and is_plain(text) and judge.is_right(text):
                self._plain[judge.case.name] += 1
                self._plain_certain[judge.case.name] += is_certain
        shortest = min(bases, key=len)
        for end in range(min(len(shortest), _TURN // 5)):  # cut at every place
            self._feed(judge, shortest[: len(shortest) - 1 - end])
        for _ in range(_TURN):
            self._feed(judge, self._mutator.changed(self._random.choice(bases)))

    def _feed(self, judge: Judge, text: str) -> bool:
        report = self.report
        report.texts += 1
        try:
            if judge.says(text):
                report.certain += 1
                judge.judge(text)
                return True
        except BrokenPromiseError as error:
            data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
            where = f"{judge.case.name}, plan {judge.plan}"
            report.failures.append(f"{error}; seed {self._orders.seed}, {where}, text in base64: {data[:4000]}"[:6000])
        if report.texts % 8 == 0:
            report.asked += 1
            report.asked_unfit += not judge.is_right(text)
        return False

    def edge(self) -> None:
        """Feed each text from the end of readable memory: what reads beyond it ends the process."""
        module = self._modules[0]
        builds = [module.Fitter]
        judges = [Judge(case, builds) for case in contracts() + random_types(self._random, 2 * _TYPES)]
        judges = [each for each in judges if each.fitters and each.fitters[0] is not None]
        while self._goes_on():
            judge = self._random.choice(judges)
            fitter = judge.fitters[0]
            for text in self._bases(judge):
                changed = [self._mutator.changed(text) for _ in range(10)]
                cuts = [text[:end] for end in range(0, len(text), max(1, len(text) // 40))]
                for each in (text, *changed, *cuts, *(f"{cut}\\" for cut in cuts[:8])):
                    data = each.encode("utf-8", "surrogatepass")
                    has_surrogates = any("\ud800" <= letter <= "\udfff" for letter in each)
                    said = module.fits_at_edge(fitter, data)
                    self.report.certain += said
                    self.report.texts += 1
                    if said != fitter.fits(each) and not has_surrogates:
                        self.report.failures.append(f"another answer at the edge of memory: {data[:2000]!r}")
        self.report.types = len(judges)

    def leaks(self) -> None:
        """Make and drop fitters, also of plans that are refused; the memory of the process must not grow."""
        make = self._modules[0].Fitter
        judges = [Judge(case, []) for case in contracts()[: 20 if self._orders.few_types else None]]
        plans = [each.plan for each in judges]
        texts = [self._bases(each) for each in judges]
        bad: tuple[object, ...] = (
            "object",
            (("a", ("text", 0, 9, 9), True), ("b", ("list", ("no such",), 0, 9), True)),
        )
        refused: list[object] = [
            1,
            (),
            ("no such kind",),
            ("text", 0, 9),
            ("texts", ("a", 1)),
            ("integers", (2, 1)),
            bad,
        ]
        refused += [("object", (("a\\", None, True),)), ("object", ((1, None, True),)), ("integers", (2**70,))]
        refused += [("object", tuple((f"k{number}", None, False) for number in range(65)))]
        before = 0
        for number in range(self._orders.count):
            if number == self._orders.count // 4:
                before = _resident_kib()
            fitter = make(_copied(plans[number % len(plans)]))  # or a plan that is kept is no leak
            self.report.certain += sum(map(fitter.fits, texts[number % len(plans)]))
            promise(fitter.fits("\ud800") is False and fitter.fits("é") is False, "noise certainly fits")
            try:
                make(refused[number % len(refused)])
                self.report.failures.append(f"a plan is not refused: {refused[number % len(refused)]}")
                break
            except (ValueError, TypeError, OverflowError, SystemError):
                pass
            self.report.texts += 1
        gc.collect()
        self.report.growth_kib = _resident_kib() - before

    def threads(self) -> None:
        """Ask one fitter from many threads at once, with texts on both sides of the size that gives up the GIL."""
        case = next(each for each in contracts() if each.name == "sync_msg.Response")
        judge = Judge(case, [self._modules[0].Fitter])
        self._values = Values(self._random)
        texts = [self._mutator.changed(text) for text in self._bases(judge) * 20]
        large = max(self._bases(judge), key=len)
        texts += [f"{' ' * size}{large}" for size in (1, 40_000, 524_000, 524_288, 600_000)] * 10
        expected = [judge.says(text) for text in texts]
        fits, barrier = judge.fitters[0].fits, threading.Barrier(_THREADS)

        def ask(start: int) -> int:
            barrier.wait()
            wrong = 0
            for index in itertools.islice(itertools.cycle(range(len(texts))), start, start + self._orders.count):
                wrong += fits(texts[index]) != expected[index]
            return wrong

        with ThreadPoolExecutor(_THREADS) as pool:
            wrong = sum(pool.map(ask, range(_THREADS)))
        self.report.texts, self.report.certain = _THREADS * self._orders.count, sum(expected)
        if wrong:
            self.report.failures.append(f"{wrong} answers differ when {_THREADS} threads ask at once")

    def interpreters(self) -> None:
        """Import the module in one subinterpreter after another, each on a thread, a few at a time."""
        name = "_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters"
        sub = import_module(name)
        code = _IN_INTERPRETER.format(path=self._orders.builds[0])

        def one(number: int) -> None:
            made = sub.create()
            try:
                error = sub.run_string(made, code)  # 3.13 returns what was raised, 3.12 raises it
                promise(error is None, f"a subinterpreter fails: {error}")
            finally:
                sub.destroy(made)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(self._orders.count)))
        self.report.texts = self._orders.count


def _when_asked(case: Case, builds: list[NewFitter]) -> Callable[[], Judge]:
    """Return what makes the judge of a type once: to make all takes longer than to find most faults."""
    return cache(lambda: Judge(case, builds))


def _copied(plan: Any) -> Any:
    return tuple([_copied(each) for each in plan]) if isinstance(plan, tuple) else plan


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def _main(orders: Orders) -> None:
    feed: Any = _Feed(orders)
    {
        "texts": feed.texts,
        "edge": feed.edge,
        "leaks": feed.leaks,
        "threads": feed.threads,
        "interpreters": feed.interpreters,
    }[orders.task]()
    sys.stdout.write(msgspec.json.encode(feed.report).decode())


if __name__ == "__main__":
    _main(msgspec.json.decode(sys.argv[1], type=Orders))

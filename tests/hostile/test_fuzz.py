"""The fuzzer's targets under structured inputs, everything that ever broke one, and the run itself."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import settings, strategies as st

from tests.support.apps import ROOT
from tests.support.processes import finished
from tests.support.skips import only_where
from tests.support.tables import for_each
from torture.fuzz import INPUTS
from torture.fuzz_drivers import TooLongError, by_hypothesis, smaller, within_limit
from torture.fuzz_inputs import CORPUS, kept, seeds, strategies
from torture.fuzz_rig import BrokenPromiseError
from torture.fuzz_targets import Targets, open_targets

EXAMPLES = 5 * settings().max_examples  # scripts/test --all gives four times as many
TARGETS = sorted(INPUTS["hypothesis"])
KEPT = [(target, path) for target in TARGETS for path in kept(target)]


@pytest.fixture(scope="module")
def targets() -> Iterator[Targets]:
    with open_targets() as opened:
        yield opened


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_keeps_its_promise_for_what_the_fuzzer_starts_from_and_for_structured_inputs(
    name: str, targets: Targets
) -> None:
    for data in seeds()[name]:
        targets[name](data)
    outcome = by_hypothesis(targets[name], strategies()[name], EXAMPLES, seed=1)
    assert outcome.error is None, f"{outcome.error!r} for {outcome.data!r}"
    assert outcome.done >= EXAMPLES


@for_each(KEPT)
def test_what_once_broke_a_target_does_not_break_it_again(name: str, path: Path, targets: Targets) -> None:
    with within_limit():
        targets[name](path.read_bytes())


def test_a_million_inputs_are_made_and_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    assert sum(sum(counts.values()) for counts in INPUTS.values()) >= 1_000_000
    assert all(sorted(counts) == TARGETS for counts in INPUTS.values())
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)


def test_a_broken_promise_is_found_and_made_small() -> None:
    def target(data: bytes) -> None:
        if b"b" in data and len(data) > 3:
            raise BrokenPromiseError("found")

    outcome = by_hypothesis(target, st.binary(), 5_000, seed=1)
    assert isinstance(outcome.error, BrokenPromiseError)
    assert len(outcome.data) == 4
    small = smaller(target, b"a long input with a b in it", outcome.error)
    assert (len(small), b"b" in small) == (4, True)


def test_an_input_that_takes_too_long_is_found_even_when_the_target_swallows_everything() -> None:
    def endless(data: bytes) -> None:
        until = monotonic() + 30
        while monotonic() < until:
            pass

    def swallows(data: bytes) -> None:
        try:
            endless(data)
        except BaseException:
            return

    for target in (endless, swallows):
        with pytest.raises(TooLongError), within_limit(0.05):
            target(b"")


@pytest.mark.nightly  # it feeds every target, for half a minute; the tests above feed each by one driver
def test_the_quick_run_of_the_fuzzer_feeds_every_target_by_both_drivers() -> None:
    only_where(importlib.util.find_spec("atheris") is not None, "scripts/torture fuzz has installed atheris")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = finished(sys.executable, "-m", "torture", "fuzz", "--quick", cwd=ROOT, env=env)
    result = json.loads(ended.stdout)
    assert (ended.returncode, result["failures"]) == (0, [])
    for driver, counts in INPUTS.items():
        assert all(result["figures"][driver][target] >= 20 for target in counts)
    assert result["figures"]["inputs"] >= 2_000

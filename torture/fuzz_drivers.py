"""Feeds one target, by one of two drivers, in a process of its own: `python -m torture.fuzz_drivers DRIVER TARGET …`.

What came of it is left in a folder: `done` holds the number of inputs, `crash-*` and `timeout-*` an input that broke
the target. This module is imported before anything of `wwspec_router` is, so that atheris can instrument that.
"""

import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

__all__ = ["LIMIT", "Outcome", "TooLongError", "by_hypothesis", "smaller", "within_limit"]

LIMIT = 5
"""Seconds that one input may take."""
_LONGEST = 4096
"""Bytes of one input, at most."""
_SHRINK_SECONDS = 20.0
_ALIKE = 40
"""Characters by which two texts of an error count as one error."""

Target = Callable[[bytes], None]


class TooLongError(BaseException):
    """An input took longer than the limit; no `Exception`, so that a target does not take it for one of its own."""


class Outcome(NamedTuple):
    """What came of feeding one target."""

    done: int
    """How many inputs it took."""
    error: BaseException | None
    """What it raised for the last of them."""
    data: bytes
    """The last of them: with an error, the smallest one that leads to it."""


@contextmanager
def within_limit(seconds: float = LIMIT) -> Iterator[None]:
    """Raise TooLongError in the block when it takes too long. For the main thread."""
    began = monotonic()

    def stop(number: int, frame: object) -> None:
        raise TooLongError(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if monotonic() - began > seconds:  # the kernel answers whatever is raised inside it
        raise TooLongError(f"longer than {seconds:g} s")


def by_hypothesis(target: Target, inputs: Any, count: int, seed: int) -> Outcome:
    """Feed a target what a strategy writes.

    Args:
        target: What is fed.
        inputs: A strategy that writes bytes.
        count: How many inputs.
        seed: The same seed writes the same inputs.
    """
    from hypothesis import HealthCheck, Phase, given, seed as seeded, settings

    done, last = 0, b""

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(inputs)
    def feed(data: bytes) -> None:
        nonlocal done, last
        done, last = done + 1, data
        with within_limit():
            target(data)

    try:
        feed()
    except BaseException as error:  # whatever a target lets escape is a finding
        return Outcome(done, error, last)
    return Outcome(done, None, last)


def smaller(target: Target, data: bytes, error: BaseException) -> bytes:
    """Cut pieces out of an input as long as it leads to the same error."""
    until = monotonic() + _SHRINK_SECONDS
    size = len(data) // 2
    while size and monotonic() < until:
        at = 0
        while at < len(data) and monotonic() < until:
            shorter = data[:at] + data[at + size :]
            if _raises(target, shorter, error):
                data = shorter
            else:
                at += size
        size //= 2
    return data


def _raises(target: Target, data: bytes, error: BaseException) -> bool:
    try:
        target(data)
    except BaseException as raised:
        return type(raised) is type(error) and str(raised)[:_ALIKE] == str(error)[:_ALIKE]
    return False


def _atheris(name: str, count: int, seed: int, folder: Path) -> None:
    """Feed a target until `count` inputs are done; ends the process."""
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no stubs

    with atheris.instrument_imports(include=["wwspec_router"]):
        from torture.fuzz_inputs import dictionary, seeds
        from torture.fuzz_targets import open_targets

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed_input in enumerate(seeds()[name]):
        (corpus / str(number)).write_bytes(seed_input)
    words = ["".join(f"\\x{byte:02x}" for byte in word.encode()) for word in dictionary()]
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))
    options = [f"-runs={count}", f"-seed={seed or 1}", f"-timeout={LIMIT}", f"-max_len={_LONGEST}", "-verbosity=0"]
    options += [f"-dict={folder / 'words'}", f"-artifact_prefix={folder}/", "-rss_limit_mb=2048"]
    options += ["-print_final_stats=1"]
    with open_targets() as targets:
        target = targets[name]

        def feed(data: bytes) -> None:
            try:
                target(data)
            except BaseException as error:
                (folder / "crash-small").write_bytes(smaller(target, data, error))
                raise

        atheris.Setup([sys.argv[0], *options, str(corpus)], feed)
        atheris.Fuzz()


def _hypothesis(name: str, count: int, seed: int, folder: Path) -> None:
    from torture.fuzz_inputs import strategies
    from torture.fuzz_targets import open_targets

    with open_targets() as targets:
        outcome = by_hypothesis(targets[name], strategies()[name], count, seed)
    (folder / "done").write_text(str(outcome.done))
    if outcome.error is not None:
        (folder / "crash-small").write_bytes(outcome.data)
        traceback.print_exception(outcome.error)
        sys.exit(1)


if __name__ == "__main__":
    _driver, _name, _count, _seed, _folder = sys.argv[1:]
    {"hypothesis": _hypothesis, "atheris": _atheris}[_driver](_name, int(_count), int(_seed), Path(_folder))

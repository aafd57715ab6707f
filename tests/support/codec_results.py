"""What codecs make of texts, a line each: `python -m tests.support.codec_results MODULE SEED`.

Run with and without WWSPEC_PURE, since a process decides once whether compiled code checks contracts.
"""

import sys
from collections.abc import Callable
from random import Random

from msgspec import inspect as mi

from torture.native_feed import load
from torture.native_texts import Mutator, Values, written
from torture.native_types import Case, contracts, random_types
from wwspec_contracts.errors import InputError, OutputError

TYPES = 25
TEXTS = 12


def main(module: str, seed: int) -> None:
    sys.modules["wwspec_router.codecs.speedups"] = load(module)
    from wwspec_router.codecs import fitting
    from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy

    sys.stderr.write(fitting.ENGINE)
    chosen = sorted(contracts(), key=lambda case: _drawn(seed, case).random())[:TYPES]
    for case in [*chosen, *random_types(Random(seed), TYPES)]:  # noqa: S311 - not for secrets
        random = _drawn(seed, case)
        values, mutator = Values(random), Mutator(random)
        functions: list[Callable[[str], str]] = [
            InputCodec(case.type, drop_empty=drop).forward for drop in (False, True)
        ]
        functions += [OutputCodec(case.type, policy).fit for policy in OutputPolicy]
        info = mi.type_info(case.type)
        bases = [written(values.of(info), random) for _ in range(TEXTS)]
        for text in bases + [mutator.changed(each) for each in bases for _ in range(2)]:
            sys.stdout.write("".join(f"{ascii(result(function, text))}\n" for function in functions))


def _drawn(seed: int, case: Case) -> Random:
    """Return the random numbers of a type. They hang on its name, so that a new contract changes nothing for others."""
    return Random(f"{seed} {case.name}")  # noqa: S311 - not for secrets


def result(function: Callable[[str], str], text: str) -> str:
    try:
        return function(text)
    except (InputError, OutputError) as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
